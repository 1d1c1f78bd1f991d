"""What Linux and glibc are told about memory: values stay, forks work, and both ways of telling say the same."""

import platform
import re
import subprocess
import sys
from pathlib import Path

import pytest

from coursekit.grading.warm import CAN_FORK
from coursekit.memory import KEEP_MEMORY
from coursekit.parts import ROOT

HUGE_PAGES = Path("/sys/kernel/mm/transparent_hugepage/enabled")
PREPARED = """
import gc, os
from coursekit.memory import prepare_for_forks

def megabytes_in_huge_pages():
    try:
        lines = open("/proc/self/smaps_rollup").read().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("AnonHugePages:")) / 1024

values = [str(i) for i in range(500_000)]  # 30 MB
before = megabytes_in_huge_pages()
prepare_for_forks()
print("frozen", gc.get_freeze_count() > 0, "gathered", megabytes_in_huge_pages() - before)
for _ in range(2):
    child = os.fork()
    if not child:
        values[::7] = ["changed"] * len(values[::7])
        os._exit(values[1] != "1" or values[7] != "changed")
    print("fork", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
print("same", values == [str(i) for i in range(500_000)])
"""


@pytest.mark.skipif(not CAN_FORK, reason="this system has no fork that may be used")
def test_what_is_prepared_for_forks_keeps_its_values_and_lies_in_huge_pages():
    done = subprocess.run([sys.executable, "-c", PREPARED], check=False, cwd=ROOT, capture_output=True, text=True)

    frozen, *forks, same = done.stdout.splitlines()
    assert forks == ["fork 0"] * 2
    assert same == "same True"
    gathered = re.fullmatch(r"frozen True gathered (-?[\d.]+)", frozen)
    assert gathered, done.stdout + done.stderr
    if sys.platform == "linux" and linux() >= (6, 1) and HUGE_PAGES.exists():
        assert float(gathered[1]) > 10


def linux():
    return tuple(int(number) for number in re.findall(r"\d+", platform.release())[:2])


def test_setup_says_the_same_to_glibc_as_the_commands_do():
    told = re.findall(r"(\w+)=\$\{\1:-([^}]*)\}", (ROOT / "setup.sh").read_text(encoding="utf-8"))

    assert dict(told).items() >= KEEP_MEMORY.items()
