"""Before the first submission: the staff's own solution is graded as often at a time as submissions will be."""

from __future__ import annotations

import concurrent.futures

from coursekit.errors import GraderFailed, UsageError
from coursekit.staff import canary
from coursekit.staff.classroom.job import Job, Order, Work, with_checks
from coursekit.staff.classroom.kept import KEPT, unpack
from coursekit.staff.classroom.pools import Pool
from coursekit.staff.classroom.record import Outcome
from coursekit.staff.isolation import checks_of

MENDABLE = ("timeout", "crashed")  # what a machine that does less at a time may not lose


def try_out(pool: Pool, width: int, job: Job, order: Order) -> str:
    """Grade our own submission in every worker at once; return why not so many fit on this machine, or nothing.

    UsageError for what fewer at a time would not fix.
    """
    work = Work(canary.files(order.chosen), notes=("a submission of the staff's own",))
    futures = [pool.executor.submit(job, work, with_checks(order)) for _ in range(width)]
    reasons = [_reason(future, order) for future in futures]
    return next(filter(None, reasons), "")


def refuse_edition(order: Order) -> None:
    """Raise UsageError if this edition's own files are not as they must be."""
    problem = canary.edition_problem(checks_of(order.chosen, hidden=order.hidden))
    if problem:
        raise UsageError(f"nothing was graded, since this edition is damaged: {problem}")


def _reason(future: concurrent.futures.Future[Outcome], order: Order) -> str:
    try:
        outcome = future.result()
    except GraderFailed as error:
        return str(error)
    except UsageError:
        raise
    except Exception as error:  # noqa: BLE001 (a worker was killed, a connection was lost)
        return f"{type(error).__name__}: {error}"
    grade = unpack(outcome.files[KEPT])
    problem = canary.shortfall(grade, order.chosen) if grade else "its grade cannot be read"
    if problem and not set(outcome.outcomes.values()) & set(MENDABLE):
        raise UsageError(f"nothing was graded: {problem}")
    return problem
