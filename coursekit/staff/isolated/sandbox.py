"""The room in which student code runs: what bubblewrap shows of this machine, and what is forbidden besides.

There is no seccomp filter: the kernel's interface is trusted. The memory limit holds for each process, not for their sum.
"""

from __future__ import annotations

import importlib.util
import os
import resource
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from coursekit.errors import UsageError
from coursekit.parts import ROOT

# Of this edition a worker sees these, and its submission; no solution, no check, no reference, no other submission.
SHOWN = (
    *(f"coursekit/{name}.py" for name in ("__init__", "errors", "memory", "parts", "checks/__init__")),
    *(f"coursekit/checks/{name}.py" for name in ("small_networks", "recorder", "shared_state", "unchanged")),
    *("coursekit/vision", "coursekit/staff/__init__.py", "coursekit/staff/isolated"),
    *("data/weights", "data/sprites.png"),
)
SYSTEM = ("/usr", "/lib", "/lib32", "/lib64", "/bin", "/sbin", "/etc/ld.so.cache")
VIEW = "/edition"
ENVIRONMENT = "/environment"  # not its own place, which may lie in /tmp: a worker has a /tmp of its own


FLAGS = {resource.RLIMIT_CPU: "ulimit -t", resource.RLIMIT_AS: "ulimit -v", resource.RLIMIT_NPROC: "ulimit -u",
         resource.RLIMIT_NOFILE: "ulimit -n", resource.RLIMIT_FSIZE: "ulimit -f"}  # fmt: skip


@dataclass(frozen=True)
class Limits:
    """What one worker may use."""

    cpu_seconds: int = 300
    memory: int = 2 * 2**30  # of address space of a process, beyond what the imported libraries take
    # Threads too: eight of torch's, and a DataLoader with four workers, whose queues have threads of their own.
    processes: int = 40
    files: int = 80  # a DataLoader passes each tensor as a file; times file_size, what they may hold together
    # Weights are smaller; a file without a name (memfd) is memory that no other limit counts.
    file_size: int = 24 * 2**20
    disk: int = 64 * 2**20  # its /tmp, in memory

    def impose(self, beside: int = 0) -> None:
        """Limit this process and its children, beside so many others of the same user."""
        taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        for what, most in (
            (resource.RLIMIT_CPU, self.cpu_seconds),
            (resource.RLIMIT_AS, taken + self.memory),
            (resource.RLIMIT_NPROC, beside + self.processes),
            (resource.RLIMIT_NOFILE, self.files),
            (resource.RLIMIT_FSIZE, self.file_size),
            (resource.RLIMIT_CORE, 0),
        ):
            try:
                resource.setrlimit(what, (most, most))
            except ValueError:  # this process may have less than that itself
                less = resource.getrlimit(what)[1]
                raise OSError(
                    f"a limit of this shell or container is too low: {FLAGS[what]} allows {less}, and a worker needs {most} "
                    "(of bytes, seconds or pieces); raise it where the grader is started"
                ) from None


def environment() -> dict[str, str]:
    """Return all that a worker knows of the environment."""
    quiet = {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONNOUSERSITE": "1", "LC_ALL": "C.UTF-8", "HOME": "/tmp"}
    threads = {
        "OMP_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "OMP_WAIT_POLICY": "PASSIVE",
    }  # more of them may not spin
    return quiet | threads | {"PATH": "/usr/bin:/bin"}


def bubblewrap(arguments: list[str]) -> list[str]:
    """Return the command that runs Python in the room."""
    command = ["bwrap", "--die-with-parent", "--new-session", "--clearenv"]
    command += [f"--unshare-{space}" for space in ("ipc", "pid", "net", "uts")]
    # Root gives every worker a user of its own; what runs in a worker has no capability left.
    command += ["--cap-add", "ALL"] if os.geteuid() == 0 else ["--unshare-user"]
    for name in SYSTEM:
        if Path(name).is_symlink():
            command += ["--symlink", os.readlink(name), name]
        elif Path(name).exists():
            command += ["--ro-bind", name, name]
    base = str(Path(sys.base_prefix).resolve())
    python = Path(ENVIRONMENT, Path(sys.executable).relative_to(sys.prefix))
    shown = {base: base, ENVIRONMENT: sys.prefix}
    shown |= {f"{VIEW}/{name}": str(ROOT / name) for name in SHOWN}
    # Folders on the way that bubblewrap made itself would be open to root alone.
    above = {str(folder) for name in shown for folder in Path(name).parents if str(folder) != "/"}
    for folder in sorted(above):
        command += ["--perms", "0755", "--dir", folder]
    for name, real in shown.items():
        command += ["--ro-bind", real, name]
    command += ["--proc", "/proc", "--dev", "/dev", "--perms", "1777", "--tmpfs", "/tmp"]
    for name, value in (environment() | {"PYTHONPATH": VIEW}).items():
        command += ["--setenv", name, value]
    return [*command, "--chdir", "/tmp", "--remount-ro", "/", "--", str(python), *arguments]


def refused() -> str:
    """Return why bubblewrap cannot be used on this machine, with what to do, or nothing."""
    if not sys.platform.startswith("linux"):
        return "bubblewrap exists on Linux only; grade on a Linux machine, or give --trust"
    if not shutil.which("bwrap"):
        return "bubblewrap is not installed (Debian: apt install bubblewrap); install it, or give --trust"
    done = subprocess.run(bubblewrap(["-c", ""]), capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        return (
            f"bubblewrap cannot make namespaces here ({said}); allow them (sysctl kernel.unprivileged_userns_clone=1, "
            "kernel.apparmor_restrict_unprivileged_userns=0; in Docker: --security-opt seccomp=unconfined), or give --trust"
        )
    return ""


def choose_level(trust: bool) -> str:
    """Return the level of isolation that this machine has; UsageError if there is none and nobody said --trust."""
    if not importlib.util.find_spec("cloudpickle"):
        raise UsageError("cloudpickle is not installed: ./setup.sh installs it (coursekit/staff/requirements.txt)")
    problem = refused()
    if not problem:
        return "bubblewrap"
    if not trust:
        raise UsageError(f"student code would run without a sandbox: {problem} to run it with limits only")
    return "bare process with limits"
