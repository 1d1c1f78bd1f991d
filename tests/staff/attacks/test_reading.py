"""Attacks on what is not theirs to read, and on what would carry something from one submission to the next."""

import pytest

READ = {
    "the edition's files": "for folder in ({root!r}, {root!r} + '/tests', {root!r} + '/data/reference', '/edition/tests', '/edition/assignment2',\n"
    "               '/edition/data/reference', '/edition/coursekit/staff/exercises'):\n"
    "    if os.path.exists(folder) and os.listdir(folder):\n        leak(folder)",
    "all that is shown of the edition": "for at, _, files in os.walk('/edition'):\n"
    "    for f in files:\n"
    "        text = open(os.path.join(at, f), 'rb').read()\n"
    "        if b'### BEGIN ' + b'SOLUTION' in text or f.startswith('test_') or f.endswith('.npz'):\n            leak(os.path.join(at, f))",
    "people's folders": "for folder in ('/home', '/root/.ssh', '/work', '/etc/shadow', '/etc/passwd', '/var', '/opt', '/srv', '/mnt'):\n"
    "    inside = os.listdir(folder) if os.path.isdir(folder) else os.path.exists(folder)\n"
    "    if inside and inside not in (['main'],):\n        leak(folder + str(inside))",
    "the environment": "secrets = dict(os.environ)\nif 'A2_SECRET' in secrets or len(secrets) > 20:\n    leak(str(secrets))",
    "/proc": "found = os.listdir('/proc') if os.path.isdir('/proc') else []\nif found:\n    leak(str(found))",
    "other processes": "import signal\nfor pid in range(2, 3000):\n    try:\n        os.kill(pid, 0)\n        leak(f'process {{pid}}')\n    except ProcessLookupError:\n        pass",
    "its parent": "if os.getppid() != 0:\n    leak('a parent')",
    "ptrace": "import ctypes\nlibc = ctypes.CDLL(None)\nfor pid in range(2, 500):\n    if libc.ptrace(16, pid, 0, 0) == 0:\n        leak(f'attached {{pid}}')",
    "open descriptors": "found = []\nfor fd in range(200):\n    try:\n        os.fstat(fd)\n        found.append(fd)\n    except OSError:\n        pass\n"
    "if len(found) > 4:\n    leak(str(found))",
    "standard input": "import sys\ntext = sys.stdin.read() if sys.stdin else ''\nif text:\n    leak(text)",
    "the network": "import socket\nfor place in (('1.1.1.1', 53), ('127.0.0.1', {port}), ('10.0.0.1', 80)):\n    try:\n"
    "        socket.create_connection(place, 1).close()\n        leak(str(place))\n    except OSError:\n        pass",
    "abstract sockets": "import socket\nwith socket.socket(socket.AF_UNIX) as s:\n    try:\n        s.connect('\\0a2-attack')\n        leak('connected')\n    except OSError:\n        pass",
    "a user of this machine": "if os.getuid() == 0 or os.geteuid() == 0:\n    leak('root')\ntry:\n    os.setuid(0)\n    leak('became root')\nexcept OSError:\n    pass",
    "the room's walls": "for path in ('/edition/x', '/x', '/usr/x', '/etc/x'):\n    try:\n        open(path, 'w').close()\n        leak('wrote ' + path)\n    except OSError:\n        pass",
    "new namespaces": "import ctypes\nlibc = ctypes.CDLL(None)\nfor flag in (0x10000000, 0x20000, 0x40000000):\n    if libc.unshare(flag) == 0:\n        leak(f'unshared {{flag:x}}')",
    "a mount": "import ctypes\nif ctypes.CDLL(None).mount(b'tmpfs', b'/tmp', b'tmpfs', 0, None) == 0:\n    leak('mounted')",
}


@pytest.mark.sampled(4)
@pytest.mark.parametrize("name", READ)
def test_nothing_is_there_to_be_read(grader, name, monkeypatch):
    import socket

    from coursekit.parts import ROOT

    monkeypatch.setenv("A2_SECRET", "a password")
    with socket.create_server(("127.0.0.1", 0)) as server:
        body = READ[name].format(root=str(ROOT), port=server.getsockname()[1])
        outcome = grader.attack(
            "import os\ndef leak(what):\n    raise RuntimeError('LEAK ' + what)\n" + body + "\nreturn None"
        )

    assert outcome.verdict().score == 0
    assert "LEAK" not in outcome.told, outcome.told
    assert "the result is None" in outcome.verdict().message, outcome.verdict().message
    assert outcome.neighbour.score == outcome.neighbour.max_score


LEFT_BEHIND = {
    "/tmp": ("open('/tmp/a2-left', 'w').write('x')", "os.path.exists('/tmp/a2-left')"),
    "/dev/shm": ("open('/dev/shm/a2-left', 'w').write('x')", "os.path.exists('/dev/shm/a2-left')"),
    "the folder it runs in": ("open('a2-left', 'w').write('x')", "os.path.exists('a2-left')"),
    "shared memory": (
        "from multiprocessing import shared_memory as m; m.SharedMemory('a2left', create=True, size=9)",
        "os.path.exists('/dev/shm/a2left')",
    ),
    "System V memory": (
        "import ctypes; ctypes.CDLL(None).shmget(4242, 4096, 0o1666)",
        "__import__('ctypes').CDLL(None).shmget(4242, 4096, 0o666) >= 0",
    ),
    "the session keyring": (
        "import ctypes; ctypes.CDLL(None).syscall(248, b'user', b'a2', b'left', 4, -3)",
        "__import__('ctypes').CDLL(None).syscall(249, b'user', b'a2', None, -3) >= 0",
    ),
    "a module of torch": ("torch.a2_left = 1", "hasattr(torch, 'a2_left')"),
    "a process that outlives it": (
        (
            "if os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n        import time, socket\n"
            "        s = socket.socket(socket.AF_UNIX); s.bind('\\0a2-left'); s.listen()\n        time.sleep(100)\n    os._exit(0)"
        ),
        "__import__('socket').socket(__import__('socket').AF_UNIX).connect_ex('\\0a2-left') == 0",
    ),
}


@pytest.mark.sampled(4)
@pytest.mark.parametrize("name", LEFT_BEHIND)
def test_nothing_passes_from_one_submission_to_the_next(grader, name):
    leave, look = LEFT_BEHIND[name]

    first = grader.attack(f"import os\n{leave}\nreturn None")
    second = grader.attack(f"import os\nif {look}:\n    raise RuntimeError('LEAK')\nreturn None")

    assert "the result is None" in first.verdict().message, first.verdict().message
    assert "the result is None" in second.verdict().message, second.verdict().message


PLANTED = {
    "assignment2/__init__.py": "raise SystemExit",
    "conftest.py": "raise SystemExit",
    "pytest.ini": "[pytest]\naddopts = --collect-only",
    "pyproject.toml": "[tool.pytest.ini_options]\naddopts = '--collect-only'",
    "sitecustomize.py": "raise SystemExit",
    "usercustomize.py": "raise SystemExit",
    "torch.py": "raise SystemExit",
    "coursekit/__init__.py": "raise SystemExit",
    "tests/saliency/conftest.py": "raise SystemExit",
    "tests/saliency/test_saliency_map.py": "",
    "tests/manifest.json": "[]",
    "assignment2/conftest.py": "raise SystemExit",
    "assignment2/a2.pth": "import os; os._exit(0)",
    "assignment2/numpy.py": "raise SystemExit",
}


def test_files_that_nobody_asked_for_are_not_looked_at(grader):
    import importlib.util
    import py_compile

    folder = grader.write(solved=True)
    for name, content in PLANTED.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    bad = folder / "bad.py"
    bad.write_text("raise SystemExit")
    cached = importlib.util.cache_from_source(str(folder / "assignment2" / "saliency.py"))
    py_compile.compile(str(bad), cached, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)

    grade = grader.grade(folder)

    assert (grade.score, grade.max_score) == (4, 4), [v.message for v in grade.verdicts]
