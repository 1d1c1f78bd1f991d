"""The limit of a check: processor time, which a busy machine does not use up; and for what waits, some time more by the clock."""

from __future__ import annotations

import signal
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import pytest_timeout

from coursekit.errors import CheckEnded

WAITING = 50  # seconds by the clock that a check may wait: for other programs, for a disk
STOPPED = "stopped after "


@contextmanager
def processor_time(seconds: float | None) -> Iterator[None]:
    """Stop what runs in the block when this process has computed for so long, as pytest-timeout stops it by the clock.

    Not with None, and not where processor time has no timer (Windows): there the clock alone decides.
    """
    if seconds is None or not hasattr(signal, "setitimer"):
        yield
        return

    def stop(*_: object) -> None:
        _stop(seconds)

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def _stop(seconds: float) -> None:
    pytest.fail(f"Timeout (>{seconds}s) of processor time")


def by_the_clock(seconds: float) -> float:
    """Return how long a check may take by the clock, if so many seconds are its processor time."""
    return seconds + WAITING


def out_of_time(error: BaseException) -> bool:
    """Return whether a limit raised this: its text alone would prove nothing, anybody may write it."""
    if isinstance(
        error, CheckEnded
    ):  # that only we raise, for a worker; another check of the function may be what was stopped
        return str(error).startswith(STOPPED)
    limits = (pytest_timeout.timeout_sigalrm.__code__, _stop.__code__)
    raised_in = [frame.f_code for frame, _ in traceback.walk_tb(error.__traceback__)]
    return isinstance(error, pytest.fail.Exception) and any(limit in raised_in for limit in limits)


def stopped_after(seconds: float) -> str:
    """Say that a check was stopped."""
    return f"{STOPPED}{seconds:g} seconds: is there an endless loop?"
