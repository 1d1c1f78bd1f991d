"""Give a fresh process a room of its own: namespaces, a private /tmp of limited size, a user that owns nothing.

Runs in a fork of the zygote, before any student code. Python 3.10 has no os.unshare, so the C library is asked.
"""

from __future__ import annotations

import ctypes
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from coursekit.staff.isolated.sandbox import Limits

NEWNS, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET = 0x20000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000
NOSUID, NODEV, NOEXEC, REC, PRIVATE, RDONLY = 2, 4, 8, 0x4000, 0x40000, 1
NO_NEW_PRIVS, CAPBSET_DROP = 38, 24
KEYCTL, JOIN_SESSION_KEYRING = {"x86_64": 250, "aarch64": 219}.get(os.uname().machine, -1), 1
INSIDE = 65534  # nobody, as the worker sees itself
FIRST_USER = 2_000_000_000  # outside, if we are root: each worker another one, with no files anywhere
MANY, FEW = 10_000_000, 5_000  # of such users, and of them where the container has no such numbers
UNSPACED = "\x1f"


def start(limits: Limits, run: Callable[[], None], serial: int) -> tuple[int, int]:
    """Fork a worker into a room of its own; return the pid of its keeper, which reports, and the pipe it reports to.

    The keeper writes the worker's pid, and its exit status when it ends; the worker writes why it could not begin.
    """
    to_child, from_child = socket.socketpair()
    report, tell = os.pipe()
    keeper = os.fork()
    if keeper:
        from_child.close()
        os.close(tell)
        if to_child.recv(1) == b"u":
            outside = spare_user(serial) if os.geteuid() == 0 else os.geteuid()
            group = outside if os.geteuid() == 0 else os.getegid()
            with open(f"/proc/{keeper}/setgroups", "w") as stream:
                stream.write("deny")
            for name, number in (("uid", outside), ("gid", group)):
                with open(f"/proc/{keeper}/{name}_map", "w") as stream:
                    stream.write(f"{INSIDE} {number} 1")
            to_child.send(b"m")
        to_child.close()
        return keeper, report
    try:
        to_child.close()
        _keep(limits, run, from_child, tell)
    except BaseException as error:  # noqa: BLE001 (the next line is the end of this process)
        _say_why(tell, error)
    finally:
        os._exit(70)


def _keep(limits: Limits, run: Callable[[], None], parent: socket.socket, tell: int) -> None:
    with open("/proc/self/oom_score_adj", "w") as stream:  # where memory runs out, a worker goes first
        stream.write("1000")
    _call("unshare", NEWUSER)
    parent.send(b"u")
    if parent.recv(1) != b"m":
        return
    _call("setresgid", INSIDE, INSIDE, INSIDE)
    _call("setresuid", INSIDE, INSIDE, INSIDE)
    _call("unshare", NEWNS | NEWPID | NEWIPC | NEWNET | NEWUTS)
    worker = os.fork()
    if worker:
        os.write(tell, f"{worker} ".encode())
        _, status = os.waitpid(worker, 0)
        os.write(tell, str(os.waitstatus_to_exitcode(status)).encode())
        os._exit(0)
    parent.close()
    begin(lambda: _furnish(limits), run, tell)


def begin(prepare: Callable[[], object], run: Callable[[], None], tell: int) -> NoReturn:
    """Be a worker: get ready, or say why not and end, then run; never return."""
    try:
        prepare()
    except BaseException as error:  # noqa: BLE001 (whatever it is, no student's code has run)
        _say_why(tell, error)
        os._exit(70)
    try:
        os.close(tell)
        run()
    finally:
        os._exit(0)


def _say_why(tell: int, error: BaseException) -> None:
    """Write a word that begins with an exclamation mark: why there is no worker."""
    os.write(tell, f"!{error}".replace(" ", UNSPACED).encode() + b" ")


def spare_user(serial: int, users: str = "") -> int:
    """Return the number of a user who owns nothing; in a rootless container there are few, and nobody else may be used."""
    for line in reversed((users or Path("/proc/self/uid_map").read_text()).splitlines()):
        inside, _, count = map(int, line.split())
        if inside <= FIRST_USER < inside + count - MANY:
            return FIRST_USER + serial % MANY
        if count > FEW:
            return inside + count - FEW + serial % (FEW - 100)  # the last of them are nobody and its like
    raise OSError(f"this container has too few users (fewer than {FEW}) to give student code one of its own")


def _furnish(limits: Limits) -> None:
    _call("mount", None, b"/", None, REC | PRIVATE, None)
    size = f"size={limits.disk},nr_inodes=4096,mode=1777".encode()
    for folder in (b"/tmp", b"/dev/shm"):
        _call("mount", b"tmpfs", folder, b"tmpfs", NOSUID | NODEV, size)
    with open("/proc/sys/user/max_user_namespaces", "w") as stream:  # of this room: no further ones inside
        stream.write("0")
    limits.impose()
    LIBC.syscall(KEYCTL, JOIN_SESSION_KEYRING, None)  # the one we came with is shared with other rooms
    _call("mount", b"tmpfs", b"/proc", b"tmpfs", NOSUID | NODEV | NOEXEC | RDONLY, b"size=4k")
    for capability in range(64):
        LIBC.prctl(CAPBSET_DROP, capability, 0, 0, 0)
    _call("prctl", NO_NEW_PRIVS, 1, 0, 0, 0)
    header, none = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
    _call("capset", ctypes.byref(header), ctypes.byref(none))
    os.chdir("/tmp")


LIBC = ctypes.CDLL(None, use_errno=True)


def _call(name: str, *arguments: object) -> None:
    if getattr(LIBC, name)(*arguments) != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{name}: {os.strerror(error)}")
