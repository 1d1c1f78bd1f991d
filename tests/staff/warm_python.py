"""A Python whose torch is imported already, for tests that start many processes: each `-m` or `-c` runs in a fork of one server.

The server has imported libraries only, nothing of coursekit: a fork finds its packages on the PYTHONPATH that it is given, like a new
process. What it cannot do like a new process (options before -m, another encoding) is done by the real Python instead.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import sys
import tempfile
import traceback
from pathlib import Path
from typing import Any, NoReturn

from _pytest.config import default_plugins

SHOWING = ("jinja2", "rich.console", "rich.table", "rich.progress")
TESTING = ("pytest_timeout", *(f"_pytest.{name}" for name in default_plugins))
LIBRARIES = ("numpy.random", "torch", "torch._dynamo", "torchvision", "PIL.Image", *SHOWING, *TESTING)
POLL_SECONDS = 0.005
CLIENT = """#!{python} -SE
import json, os, socket, sys
run = sys.argv[1:2]
if run not in (["-m"], ["-c"]) or {{"LC_ALL", "PYTHONIOENCODING"}} & set(os.environ):
    os.execv({python!r}, [{python!r}, *sys.argv[1:]])
server = socket.socket(socket.AF_UNIX)
server.connect({address!r})
order = json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]).encode()
socket.send_fds(server, [len(order).to_bytes(8, "big")], [0, 1, 2])
server.sendall(order)
code = int(server.recv(16) or b"70")
if code < 0:
    os.kill(os.getpid(), -code)
os._exit(code)
"""


def main(folder: Path) -> None:
    """Import the libraries, write the client into a folder, and fork on demand until standard input closes."""
    for name in LIBRARIES:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()  # no fork walks over all of torch
    address, client = folder / "server", folder / "python"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(address))
        listener.listen(16)
        client.write_text(CLIENT.format(python=sys.executable, address=str(address)))
        client.chmod(0o700)
        print(client, flush=True)
        _serve(listener, str(client))


def _serve(listener: socket.socket, client: str) -> None:
    running: dict[socket.socket, int] = {}
    while True:
        ready = select.select([listener, sys.stdin, *running], [], [], POLL_SECONDS if running else None)[0]
        if sys.stdin in ready:
            return
        for asked in set(ready) & set(running):  # it says nothing more: its client was killed
            os.kill(running[asked], signal.SIGKILL)
        for asked, pid in list(running.items()):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                del running[asked]
                with contextlib.suppress(OSError):  # the client has ended
                    asked.sendall(str(os.waitstatus_to_exitcode(status)).encode())
                asked.close()
        if listener in ready:
            asked, _ = listener.accept()
            size, streams, *_ = socket.recv_fds(asked, 8, 3)
            order = json.loads(asked.recv(int.from_bytes(size, "big"), socket.MSG_WAITALL))
            running[asked] = os.fork()
            if not running[asked]:
                _run(*order, streams, client)
            for stream in streams:
                os.close(stream)


def _run(arguments: list[str], folder: str, environment: dict[str, str], streams: list[int], client: str) -> NoReturn:
    """Be the new process."""
    code: Any = 1
    try:
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
        os.closerange(3, 256)
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        sys.stdin, sys.stdout = open(0, closefd=False), open(1, "w", closefd=False)  # noqa: SIM115
        sys.stderr = open(2, "w", buffering=1, closefd=False)  # noqa: SIM115
        sys.dont_write_bytecode = bool(environment.get("PYTHONDONTWRITEBYTECODE"))
        sys.executable = client
        sys.path[:0] = [folder, *filter(None, environment.get("PYTHONPATH", "").split(os.pathsep))]
        tempfile.tempdir = None  # a new process asks TMPDIR
        option, what, *rest = arguments
        sys.argv = ["-c", *rest]
        if option == "-m":
            sys.argv[0] = what
            runpy.run_module(what, run_name="__main__", alter_sys=True)
        else:
            exec(compile(what, "<string>", "exec"), {"__name__": "__main__", "__builtins__": __builtins__})  # noqa: S102
        code = 0
    except SystemExit as error:
        code = error.code
        if isinstance(code, str):
            print(code, file=sys.stderr)
            code = 1
    except BaseException:  # noqa: BLE001
        traceback.print_exc()
    finally:
        try:
            atexit._run_exitfuncs()
            sys.stdout.flush()
        finally:
            os._exit(code or 0)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
