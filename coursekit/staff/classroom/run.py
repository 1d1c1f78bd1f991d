"""Grade a class: every zip gets a record; killed at any moment and started again it goes on where it was.

RESULTS/run.json         what the run is: parts, checks, seed; another run's folder is refused
RESULTS/students/ID/     results.json, report.html, log.txt, and record.json, written last: with it a student is done
RESULTS/.scratch/        what is written on the way; gone when the run ends, or when the next one begins
RESULTS/gradebook.csv    one line for each student, made from the records, as is RESULTS/class.html
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import json
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from coursekit.errors import UsageError
from coursekit.staff.classroom import job as jobs
from coursekit.staff.classroom.attempt import Attempt, is_of
from coursekit.staff.classroom.gradebook import gradebook
from coursekit.staff.classroom.job import Job, Order, Work
from coursekit.staff.classroom.page import class_page
from coursekit.staff.classroom.pools import Pool, cores, dask_pool, local_pool
from coursekit.staff.classroom.record import RECORD, Outcome, Record, keep, read_record, write_whole
from coursekit.staff.classroom.roster import HandedIn, Roster, read_roster
from coursekit.staff.classroom.scratch import scratch_in

TRIES = 3  # of a job that breaks for no fault of the submission
Progress = Callable[[int, int], None]  # done, total


@dataclass(frozen=True)
class Class:
    """A graded class, as the gradebook has it."""

    records: tuple[Record, ...]
    waiting: tuple[HandedIn, ...]  # not graded: the run was stopped, or every try broke
    failures: dict[str, str]  # student -> why the tries broke
    others: tuple[str, ...]  # files that are nobody's
    order: Order
    out: Path
    newly: int  # graded in this run


def grade_class(
    zips: Path,
    out: Path,
    order: Order,
    *,
    workers: int | None = None,
    scheduler: str | None = None,
    regrade: Sequence[str] = (),
    job: Job = jobs.grade_work,
    progress: Progress = lambda done, total: None,
) -> Class:
    """Grade every zip in a folder that is not graded yet, and write the gradebook and the class page.

    Raises UsageError, before anything is graded, if the folders cannot be used; on a full disk what is graded stays.
    """
    if workers is not None and workers < 1:
        raise UsageError(f"--workers {workers}: at least one is needed")
    if order.seconds < 1:
        raise UsageError(f"--seconds {order.seconds}: at least one is needed")
    roster = read_roster(zips)
    with _folder_of_this_run(out):
        order = _settle(zips, out, order)
        _forget(regrade, roster, out)
        pool = dask_pool(scheduler) if scheduler else local_pool(workers or cores())
        run = _Run(roster, out / "students", order, job)
        try:
            with scratch_in(out / ".scratch"):
                run.grade(pool, progress)
        finally:
            outcome = run.outcome(out)
            told = (outcome.records, outcome.waiting, outcome.failures, order)
            write_whole(out / "gradebook.csv", gradebook(*told))
            write_whole(out / "class.html", class_page(*told, outcome.others))
    return outcome


@contextmanager
def _folder_of_this_run(out: Path) -> Iterator[None]:
    """Hold the lock of the results' folder; the system drops it when this process ends, however it ends."""
    import fcntl

    if out.exists() and not out.is_dir():
        raise UsageError(f"{out} is a file: name a folder for the results")
    if out.is_dir() and not (out / "run.json").exists() and any(p.name[0] != "." for p in out.iterdir()):
        raise UsageError(f"{out} holds other files: name a new folder for the results, or the one of an earlier run")
    try:
        out.mkdir(parents=True, exist_ok=True)
        stream = (out / ".lock").open("a")
    except OSError as error:
        raise UsageError(
            f"{out} cannot be written to ({error.strerror}): name another folder for the results"
        ) from None
    with stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise UsageError(f"another run is writing to {out}: wait for it, or name another folder") from None
        yield


def _settle(zips: Path, out: Path, order: Order) -> Order:
    """Return the order of the run that this folder belongs to, which has its own seed; UsageError if it is another one."""
    order = jobs.with_checks(order)
    told = {"zips": str(zips.resolve()), "parts": list(order.parts), "hidden": order.hidden, "checks": order.checks,
            "check_seconds": order.check_seconds, "seconds": order.seconds}  # fmt: skip
    path = out / "run.json"
    if not path.exists():
        seed = order.seed or secrets.randbelow(10**6) + 1
        write_whole(path, json.dumps({"seed": seed, **told}, indent=1) + "\n")
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        seed = int(stored.pop("seed"))
    except (OSError, ValueError, KeyError, AttributeError):
        raise UsageError(f"{path} is damaged: name a new folder for the results") from None
    for name, value in told.items():
        if stored.get(name) != value:
            shown = (
                "other checks than this edition's" if name == "checks" else f"{name} {stored.get(name)}, not {value}"
            )
            raise UsageError(f"{out} holds the results of another run ({shown}): name a new folder for the results")
    return dataclasses.replace(order, seed=seed)


def _forget(regrade: Sequence[str], roster: Roster, out: Path) -> None:
    """Take back the records of students who are graded again."""
    known = {one.student: one for one in roster.students}
    unknown = [name for name in regrade if name not in known]
    if unknown:
        raise UsageError(f"--regrade {unknown[0]}: no zip of that student; the gradebook's first column has the names")
    for name in regrade:
        (out / "students" / known[name].folder / RECORD).unlink(missing_ok=True)


class _Run:
    """Who is done, who waits, and whose tries broke."""

    def __init__(self, roster: Roster, room: Path, order: Order, job: Job) -> None:
        self.roster, self.room, self.order, self.job = roster, room, order, job
        self.records: dict[str, Record] = {}
        self.failures: dict[str, str] = {}
        self.newly = 0

    def grade(self, pool: AbstractContextManager[Pool], progress: Progress) -> None:
        waiting = []
        for one in self.roster.students:
            record = read_record(self.room / one.folder / RECORD)
            if record and is_of(record, one):
                self.records[one.student] = record
            else:
                waiting.append(one)
        progress(len(self.records), len(self.roster.students))
        if waiting:
            jobs.begin()
            try:
                with pool as opened:
                    self._drive(opened, waiting, progress)
            finally:
                jobs.close_rooms()

    def _drive(self, pool: Pool, waiting: Sequence[HandedIn], progress: Progress) -> None:
        """Keep the pool busy, never with more than it can soon do: zips are opened when their turn comes."""
        running: dict[concurrent.futures.Future[Outcome], Attempt] = {}
        queue = [Attempt(one) for one in waiting]
        queue.reverse()
        try:
            while queue or running:
                while queue and len(running) < 2 * pool.width():
                    self._begin(pool, queue.pop(), running, progress)
                done, _ = concurrent.futures.wait(running, timeout=1, return_when=concurrent.futures.FIRST_COMPLETED)
                for future in done:
                    again = self._end(future, running.pop(future), progress)
                    queue += [again] if again else []
        except BaseException:
            jobs.stop()
            for future in running:
                future.cancel()
            raise

    def _begin(
        self,
        pool: Pool,
        attempt: Attempt,
        running: dict[concurrent.futures.Future[Outcome], Attempt],
        progress: Progress,
    ) -> None:
        if attempt.work is None:
            attempt.open()
        work = attempt.work or Work()
        if work.problem:
            self._keep(attempt, jobs.without_grading(work, self.order), progress)
        else:
            try:
                future = pool.executor.submit(self.job, work, self.order)
            except Exception as error:  # noqa: BLE001 (a pool may raise anything)
                raise UsageError(
                    f"the workers cannot be reached any more ({error}): run the same command again"
                ) from None
            running[future] = attempt

    def _end(self, future: concurrent.futures.Future[Outcome], attempt: Attempt, progress: Progress) -> Attempt | None:
        """Keep what came out; return the attempt if it should be made again."""
        try:
            outcome = future.result()
        except (UsageError, jobs.Stopped):
            raise
        except ModuleNotFoundError as error:
            raise UsageError(
                f"a worker cannot import {error.name}: start it with this edition's environment and PYTHONPATH"
            ) from None
        except Exception as error:  # noqa: BLE001 (likewise: a worker was killed, a connection was lost)
            attempt.tries += 1
            if attempt.tries < TRIES:
                return attempt
            self.failures[attempt.one.student] = f"{type(error).__name__}: {error}"
            return None
        self._keep(attempt, outcome, progress)
        return None

    def _keep(self, attempt: Attempt, outcome: Outcome, progress: Progress) -> None:
        record = attempt.record(outcome)
        keep(record, self.room)
        self.records[record.student] = record
        self.newly += 1
        progress(len(self.records), len(self.roster.students))

    def outcome(self, out: Path) -> Class:
        graded = tuple(self.records[one.student] for one in self.roster.students if one.student in self.records)
        waiting = tuple(one for one in self.roster.students if one.student not in self.records)
        return Class(graded, waiting, self.failures, self.roster.others, self.order, out, self.newly)
