"""Attacks on the machine: time, memory, processes, disk, descriptors, output. Each costs its own check, and not for long."""

import re

import pytest

from coursekit.grading import time_limit

OWN_LOSS = ("a fork bomb", "a fork that answers as well")  # a second process may answer later questions too
LOOP = "stopped after (2|12) seconds"  # of processor time, or by the clock
ATTACKS = {
    "an endless loop": ("while True:\n    pass", LOOP),
    "sleep": ("import time\ntime.sleep(1000)", LOOP),
    "a loop inside the C library": ("import re\nre.match('(a|a)*b', 'a' * 200)", LOOP),
    "waiting for a lock": ("import threading\nlock = threading.Lock()\nlock.acquire()\nlock.acquire()", LOOP),
    "stopping itself": ("import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)\nreturn None", "the result is None"),
    "memory": ("x = []\nwhile True:\n    x.append(bytearray(2**26))", "MemoryError|Python itself ended"),
    "memory of tensors": ("return torch.ones(2**32).double()", "can't allocate memory|not enough memory|MemoryError"),
    "memory in files without names": (
        "import os\nheld = 0\nwhile held < 2**31:\n    held += os.write(os.memfd_create('x'), bytes(2**25))\nreturn None",
        "Too many open files|File too large",
    ),
    "deep recursion": ("def f():\n    return f()\nreturn f()", "RecursionError"),
    "deep recursion in C": (
        "import sys\nsys.setrecursionlimit(10**9)\nx = []\nfor _ in range(10**6):\n    x = [x]\nreturn x == [x]",
        "Python itself ended|RecursionError|the result is a bool",
    ),
    "many processes": (
        "import os, time\nfor _ in range(10000):\n    if os.fork() == 0:\n        time.sleep(1000)\nreturn None",
        "BlockingIOError|Resource temporarily unavailable",
    ),
    "a fork bomb": (
        "import os\nwhile True:\n    try:\n        os.fork()\n    except OSError:\n        pass",
        f"{LOOP}|ended|read",
    ),
    "a fork that answers as well": ("import os\nos.fork()\nreturn images", "wrong|shape|read|ended"),
    "threads": (
        "import threading, time\nfor _ in range(10000):\n    threading.Thread(target=time.sleep, args=(1000,)).start()",
        "can't start new thread",
    ),
    "a full disk": (
        "with open('/tmp/x', 'wb') as f:\n    while True:\n        f.write(bytes(2**20))",
        "No space left|File too large",
    ),
    "many files": ("for i in range(10**6):\n    open(f'/tmp/{i}', 'w').close()", "No space left"),
    "descriptors": ("import os\nwhile True:\n    os.open('/dev/null', 0)", "Too many open files"),
    "a flood of output": (
        "import sys\nfor _ in range(10**4):\n    print('x' * 10**5)\nreturn None",
        "the result is None",
    ),
    "a flood on the lowest level": (
        "import os\nfor _ in range(10**3):\n    os.write(1, b'x' * 10**5)\nreturn None",
        "the result is None",
    ),
    "a pipe that a grandchild holds": (
        "import os, time\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n        time.sleep(1000)\n    os._exit(0)\nos._exit(0)",
        "Python itself ended",
    ),
    "killing everybody": ("import os, signal\nos.kill(-1, signal.SIGKILL)\nreturn None", "No such process"),
    "a huge result": (
        "return torch.zeros(10**9, dtype=torch.uint8)",
        "more than any function returns|MemoryError|allocate",
    ),
    "a huge message": ("raise ValueError('x' * 10**9)", "ValueError: xxxx"),
    "many results": ("return [0] * 10**7", "too many parts|more than any"),
}


@pytest.mark.sampled(4)
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] * (LOOP in ATTACKS[name][1])) for name in ATTACKS]
)
def test_it_costs_its_own_check_alone(grader, monkeypatch, name):
    monkeypatch.setattr(time_limit, "WAITING", 10)
    body, sentence = ATTACKS[name]

    outcome = grader.attack(body, seconds=2 if LOOP in sentence else 20)

    verdict = outcome.verdict()
    assert verdict.score == 0
    assert re.search(sentence, verdict.message), verdict.message
    assert len(verdict.message) < 5000
    if name not in OWN_LOSS:
        assert outcome.verdict("active_units").score == 2, "another function of the same submission lost its points"
    assert outcome.neighbour.score == outcome.neighbour.max_score, "the next submission lost points"
    assert outcome.seconds < 45


IMPORTS = {
    "exits": ("import os\nos._exit(0)", "did not come to an end.*exit code 0"),
    "exits politely": ("raise SystemExit(0)", "SystemExit: 0"),
    "loops": ("while True:\n    pass", "did not come to an end"),
    "crashes": ("import ctypes\nctypes.string_at(0)", "did not come to an end.*-11"),
    "does not parse": ("def (:", "assignment2/saliency.py, line"),
    "imports what is not there": ("import no_such_library", "No module named 'no_such_library'"),
    "fails without words": ("class E(Exception):\n    def __str__(self): return 1 / 0\nraise E", "ZeroDivisionError"),
    "is a number": ("import sys\nsys.modules[__name__] = 5", "TypeError: vars"),
    "imports the staff's code": ("import coursekit.staff.exercises", "No module named 'coursekit.staff.exercises'"),
}


@pytest.mark.sampled(4)
@pytest.mark.parametrize("name", [pytest.param(name, marks=[pytest.mark.slow] * (name == "loops")) for name in IMPORTS])
def test_a_module_that_cannot_be_imported_costs_its_part_alone(grader, name):
    from coursekit.parts import PARTS, ROOT

    code, sentence = IMPORTS[name]
    folder = grader.write(before=code, body="return None")
    (folder / PARTS[1].module_path).write_bytes((ROOT / PARTS[1].module_path).read_bytes())

    blur = "test_zeroing_small_pixels_leaves_no_trace"
    grade = grader.grade(folder, "linear_model_is_its_weights", "through_active_units", blur, parts=PARTS)

    first, second, other = grade.verdicts
    assert (first.outcome, second.outcome) == ("not loaded", "not loaded")
    assert re.search(sentence, first.message), first.message
    assert other.outcome == "passed", other.message


def test_a_submission_without_a_module_or_with_bytes_for_one_gets_a_sentence(grader):
    folder = grader.write(solved=True)
    path = folder / "assignment2" / "saliency.py"
    for content, sentence in (None, "is missing"), (b"\xff\xfe\x00x", "saliency.py"), (b"x = '" + b"(" * 10**6, "line"):
        path.unlink(missing_ok=True)
        if content is not None:
            path.write_bytes(content)

        grade = grader.grade(folder)

        assert grade.score == 0
        assert all(sentence in v.message and v.outcome == "not loaded" for v in grade.verdicts), grade.verdicts[
            0
        ].message
