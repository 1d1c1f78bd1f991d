"""The warm Python of the tests behaves like a new one."""

import signal
import subprocess
import time

import pytest


def run(program, *arguments, **options):
    return subprocess.run([program, *arguments], capture_output=True, text=True, check=False, **options)


@pytest.mark.parametrize(
    ("code", "exit_code", "said"),
    [
        ("import sys; print(sys.argv[1:], flush=True); sys.exit(3)", 3, "['a b']\n"),
        ("raise SystemExit('no')", 1, ""),
        ("import atexit; atexit.register(print, 'over')", 0, "over\n"),
        ("import os; os.kill(os.getpid(), 9)", -signal.SIGKILL, ""),
        ("1 / 0", 1, ""),
    ],
)
def test_what_a_program_says_and_how_it_ends(warm_python, code, exit_code, said):
    done = run(warm_python, "-c", code, "a b")

    assert (done.returncode, done.stdout) == (exit_code, said)
    assert bool(done.stderr) == (exit_code == 1)


def test_it_runs_where_and_with_what_it_is_told(warm_python, tmp_path):
    (tmp_path / "here.py").write_text(
        "import os, sys; print(os.getcwd(), os.environ.get('A'), 'coursekit' in sys.modules)"
    )

    done = run(warm_python, "-m", "here", cwd=tmp_path, env={"A": "1", "PATH": "/usr/bin:/bin"})

    assert done.stdout == f"{tmp_path} 1 False\n", done.stderr


def test_a_program_ends_with_the_process_that_asked_for_it(warm_python, tmp_path):
    code = "import time, pathlib; [(time.sleep(0.05), pathlib.Path('alive').write_text(str(i))) for i in range(1000)]"
    with subprocess.Popen([warm_python, "-c", code], cwd=tmp_path) as asked:
        while not (tmp_path / "alive").exists():
            time.sleep(0.02)
        asked.kill()
    time.sleep(0.5)
    last = (tmp_path / "alive").read_text()
    time.sleep(0.3)

    assert (tmp_path / "alive").read_text() == last
