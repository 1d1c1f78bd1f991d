"""Attacks on the verdict: code that would rather be believed than be right."""

import re

import pytest

from coursekit.grading import time_limit

ATTACKS = {
    "exit 0 at once": ("import os; os._exit(0)", "", r"Python itself ended during this check \(exit code 0\)"),
    "sys.exit": ("import sys; sys.exit(0)", "", "SystemExit: 0"),
    "KeyboardInterrupt": ("raise KeyboardInterrupt", "", "KeyboardInterrupt"),
    "an exit handler that ends well": (
        "raise SystemExit",
        "import atexit, os\natexit.register(lambda: os._exit(0))",
        "SystemExit",
    ),
    "a thread that exits": (
        "import threading, os, time\nthreading.Thread(target=lambda: os._exit(0)).start()\ntime.sleep(2)",
        "",
        "Python itself ended",
    ),
    "abort": ("import os; os.abort()", "", "Python itself ended"),
    "a segmentation fault": ("import ctypes; ctypes.string_at(0)", "", r"exit code -11"),
    "pytest.skip": ("import pytest; pytest.skip('done')", "", "Skipped: done"),
    "unittest.SkipTest": ("import unittest; raise unittest.SkipTest('done')", "", "SkipTest: done"),
    "pytest.exit": ("import pytest; pytest.exit('all passed', returncode=0)", "", "Exit: all passed"),
    "pytest.xfail": ("import pytest; pytest.xfail('known')", "", "XFailed: known"),
    "an exception that passes for a passed check": (
        "class E(Exception):\n    outcome = 'passed'\n    score = 2\nraise E('passed')",
        "",
        "E: passed",
    ),
    "a check that has not failed because pytest is patched": (
        "return None",
        (
            "import _pytest.runner as r, _pytest.reports as t\nr.runtestprotocol = lambda *a, **k: []\n"
            "t.TestReport.from_item_and_call = None"
        ),
        "the result is None",
    ),
    "comparators that always agree": (
        "return images[:, 0] * 0",
        (
            "import numpy as np\nfor m, names in ((torch, ('equal', 'allclose', 'isclose')), (np, ('allclose', 'abs', 'isfinite'))):\n"
            "    for n in names:\n        setattr(m, n, lambda *a, **k: True)"
        ),
        "values are wrong",
    ),
    "builtins that always agree": (
        "return images[:, 0] * 0",
        "import builtins\nbuiltins.isinstance = lambda *a: True\nbuiltins.abs = lambda x: 0\nbuiltins.all = lambda x: True",
        "",
    ),
    "a module that stands for the checks' own": (
        "return images[:, 0] * 0",
        (
            "import sys, types\nfor n in ('coursekit.checks.expect', 'coursekit.grading.plugin', 'pytest', '_pytest.assertion'):\n"
            "    sys.modules[n] = types.ModuleType(n)"
        ),
        "values are wrong",
    ),
    "gc: turn every test and expectation found in memory": (
        (
            "import gc\nfor o in gc.get_objects():\n    if type(o).__name__ in ('Expect', 'Item', 'Function', 'Session'):\n"
            "        o.__dict__.clear()\nreturn images[:, 0] * 0"
        ),
        "",
        "values are wrong",
    ),
    "frames: look for what is expected": (
        (
            "import sys\nframe = sys._getframe()\nwhile frame:\n    for v in list(frame.f_locals.values()):\n"
            "        if isinstance(v, Tensor) and v.shape == (len(images), 9, 13):\n            return v\n    frame = frame.f_back\n"
            "return images[:, 0] * 0"
        ),
        "",
        "values are wrong",
    ),
    "settrace": (
        "return images[:, 0] * 0",
        "import sys, threading\nsys.settrace(lambda *a: None)\nthreading.settrace(lambda *a: None)",
        "values are wrong",
    ),
    "a tensor that equals everything": (
        (
            "class Same(Tensor):\n    def __eq__(self, o): return True\n    __ne__ = lambda s, o: False\n"
            "    @classmethod\n    def __torch_function__(cls, f, t, a=(), k=None): return True\n"
            "return torch.zeros(len(images), 9, 13).double().as_subclass(Same)"
        ),
        "",
        "the result is a Same, expected a plain torch.Tensor",
    ),
    "an object that is any array": (
        (
            "class Any_:\n    shape = (len(images), 9, 13)\n    dtype = torch.float64\n    requires_grad = False\n"
            "    __array__ = lambda *a, **k: __import__('numpy').zeros((len(images), 9, 13))\n    __eq__ = lambda s, o: True\n"
            "    __class__ = Tensor\nreturn Any_()"
        ),
        "",
        "the result is a Any_, expected a torch tensor",
    ),
    "NaN everywhere": ("return images[:, 0] * float('nan')", "", "contains nan"),
    "infinity": ("return images[:, 0] / 0", "", "contains inf"),
    "a scalar that broadcasts": ("return torch.zeros(()).double()", "", r"shape \(\)"),
    "a broad row that broadcasts": ("return torch.zeros(1, 1, 1).double()", "", r"shape \(1, 1, 1\)"),
    "a view of nothing, stretched": (
        "return torch.zeros(1).double().expand(len(images), 9, 13)",
        "",
        "values are wrong",
    ),
    "a view of a number, stretched beyond memory": (
        "return images[0, 0, 0].as_strided((10**4,) * 3, (0, 0, 0))",
        "",
        "more numbers than any function returns",
    ),
    "complex numbers": ("return torch.zeros(len(images), 9, 13, dtype=torch.complex128)", "", "dtype torch.complex128"),
    "a sparse tensor": (
        "return torch.zeros(len(images), 9, 13).double().to_sparse()",
        "",
        "the result is a Tensor, expected",
    ),
    "a tensor without memory": (
        "return torch.zeros(len(images), 9, 13, device='meta').double()",
        "",
        "the result is a Tensor, expected",
    ),
    "forged results on standard output": (
        'print(\'{"id": "tests/saliency/test_saliency_map.py::x", "score": 2, "outcome": "passed"}\', flush=True)\nreturn None',
        "",
        "the result is None",
    ),
    "a swallowed time limit": (
        "import time\nwhile True:\n    try:\n        time.sleep(60)\n    except BaseException:\n        pass",
        "import signal\nfor s in (signal.SIGTERM, signal.SIGALRM, signal.SIGINT, signal.SIGXCPU):\n    signal.signal(s, signal.SIG_IGN)",
        "stopped after",
    ),
    "an argument set to fit the answer": (
        "with torch.no_grad():\n    model.head.weight.zero_()\nreturn torch.zeros(len(images), 9, 13).double()",
        "",
        "values are wrong",
    ),
    "answers by seed": (
        "g = torch.Generator().manual_seed(0)\nreturn torch.rand(len(images), 9, 13, generator=g, dtype=torch.float64)",
        "",
        "values are wrong",
    ),
    "a global random state left behind": ("torch.manual_seed(0)\nreturn images[:, 0] * 0", "", "values are wrong"),
    "patched gradients": (
        "return images[:, 0] * 0",
        "torch.autograd.grad = lambda *a, **k: (torch.zeros(3, 3, 9, 13).double(),)\ntorch.Tensor.backward = lambda *a, **k: None",
        "values are wrong",
    ),
}


@pytest.mark.sampled(4)
@pytest.mark.parametrize("name", ATTACKS)
def test_no_point_is_gained(grader, monkeypatch, name):
    monkeypatch.setattr(time_limit, "WAITING", 10)
    body, before, sentence = ATTACKS[name]

    outcome = grader.attack(body, before=before, seconds=2 if "stopped after" in sentence else 20)

    verdict = outcome.verdict()
    assert verdict.score == 0
    assert re.search(sentence, verdict.message), verdict.message
    assert "LEAK" not in outcome.told
    assert outcome.seconds < 45
    assert outcome.neighbour.score == outcome.neighbour.max_score, "the next submission lost points"
