"""Grade a class: every zip gets a record; killed at any moment and started again it goes on where it was.

RESULTS/run.json         what the run is: parts, checks, seed; another run's folder is refused
RESULTS/students/ID/     results.json, report.html, answers.html, log.txt, and record.json, written last: with it a student is done
RESULTS/.scratch/        what is written on the way; gone when the run ends, or when the next one begins
RESULTS/gradebook.csv    one line for each student, made from the records, as is RESULTS/class.html
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import math
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from coursekit.errors import GraderFailed, UsageError
from coursekit.staff.classroom import job as jobs
from coursekit.staff.classroom.attempt import Attempt, is_of
from coursekit.staff.classroom.books import write_books
from coursekit.staff.classroom.extras import read_extras
from coursekit.staff.classroom.graded import Class
from coursekit.staff.classroom.handed_in import HandedIn
from coursekit.staff.classroom.job import Job, Order, Work
from coursekit.staff.classroom.kept import KEPT, unpack
from coursekit.staff.classroom.pools import Pool, dask_pool, local_pool, refuse_address
from coursekit.staff.classroom.record import RECORD, Outcome, Record, keep, read_record
from coursekit.staff.classroom.roster import Roster, read_roster
from coursekit.staff.classroom.scratch import scratch_in
from coursekit.staff.classroom.settled import folder_of_this_run, forget, seed_of, settle
from coursekit.staff.classroom.tryout import refuse_edition, try_out
from coursekit.width import SUBMISSIONS, how_many_fit

TRIES = 2  # with nothing else beside it, of a job that breaks for no fault that the submission is known to have
Progress = Callable[[int, int], None]  # done, total
Running = dict[concurrent.futures.Future[Outcome], Attempt]


def grade_class(
    zips: Path,
    out: Path,
    order: Order,
    *,
    workers: int | None = None,
    scheduler: str | None = None,
    regrade: Sequence[str] = (),
    regrade_parts: Sequence[int] = (),
    job: Job = jobs.grade_work,
    canary: bool | None = None,
    latest: bool = False,
    progress: Progress = lambda done, total: None,
) -> Class:
    """Grade every zip in a folder that is not graded yet, and write the gradebook and the class page.

    Raises UsageError, before anything is graded, if the folders cannot be used, or if the staff's own solution does not get all
    points here (canary; without a word, if the job is the real one); on a full disk what is graded stays.
    """
    if workers is not None and workers < 1:
        raise UsageError(f"--workers {workers}: at least one is needed")
    if order.seconds < 1:
        raise UsageError(f"--seconds {order.seconds}: at least one is needed")
    if scheduler:
        refuse_address(scheduler)
    roster = read_roster(zips, out, latest=latest)
    with folder_of_this_run(out):
        extras = read_extras(out, roster.students, seed_of(out), order.parts)
        order, stamps = settle(zips, out, order, regrade_parts)
        forget(regrade, regrade_parts, roster, out)

        def pool(most: int | None) -> AbstractContextManager[Pool]:
            if scheduler:
                return dask_pool(scheduler, most or math.inf)
            return local_pool(most or workers or how_many_fit(SUBMISSIONS))

        run = _Run(roster, out / "students", order, stamps, job, job is jobs.grade_work if canary is None else canary)
        try:
            with scratch_in(out / ".scratch"):
                run.grade(pool, progress)
        finally:
            graded = run.outcome(out)
            write_books(graded, extras)
    return dataclasses.replace(graded, notes=(*graded.notes, *extras.notes(roster.students)))


class _Run:
    """Who is done, who waits, and whose tries broke."""

    def __init__(
        self, roster: Roster, room: Path, order: Order, stamps: dict[str, str], job: Job, canary: bool
    ) -> None:  # fmt: skip
        self.roster, self.room, self.order, self.stamps, self.job = roster, room, order, stamps, job
        self.canary = canary  # still to be graded
        self.orders: dict[tuple[tuple[int, ...], bool], Order] = {}  # parts to grade, alone -> what their jobs are told
        self.notes: list[str] = []
        self.records: dict[str, Record] = {}
        self.failures: dict[str, str] = {}
        self.newly = 0

    def grade(self, pool: Callable[[int | None], AbstractContextManager[Pool]], progress: Progress) -> None:
        waiting = []
        for one in self.roster.students:
            record = read_record(self.room / one.folder / RECORD)
            stale = self._stale(record, one)
            if record and not stale:
                self.records[one.student] = record
            else:
                waiting.append(Attempt(one, stale))
        waiting.sort(key=lambda attempt: attempt.parts)  # a room is made for the parts of its jobs
        progress(len(self.records), len(self.roster.students))
        if waiting and self.canary:
            refuse_edition(self.order)
        most: int | None = None
        while waiting:
            jobs.begin()
            try:
                with pool(most) as opened:
                    width = min(opened.width(), len(waiting))
                    if self._ready(opened, width, waiting):
                        waiting = self._drive(opened, width, waiting, progress)
            except BaseException:
                jobs.stop()
                raise
            finally:
                jobs.close_rooms()
            most = max(1, width // 2)  # what broke may have been too much at a time

    def _ready(self, pool: Pool, width: int, waiting: Sequence[Attempt]) -> bool:
        """Return whether so many can be graded at a time; UsageError if not even one can."""
        if not self.canary:
            return True
        parts = max((attempt.parts for attempt in waiting), key=len)
        order = dataclasses.replace(self.order, parts=parts, alone=width == 1)
        problem = try_out(pool, width, self.job, order)
        if problem and width == 1:
            raise UsageError(f"nothing was graded: {problem}")
        if problem:
            why = f"{width} at a time are too many for this machine ({problem})"
            self.notes.append(f"{why}: the run continued with {width // 2}")
        self.canary = bool(problem)
        return not problem

    def _stale(self, record: Record | None, one: HandedIn) -> tuple[int, ...]:
        """Return the parts that this student's record does not tell, or no longer."""
        if not record or not is_of(record, one):
            return self.order.parts
        stale = tuple(n for n in self.order.parts if record.stamps.get(str(n)) != self.stamps[str(n)])
        return stale if unpack(self.room / one.folder / KEPT) or not stale else self.order.parts

    def _drive(self, pool: Pool, width: int, waiting: Sequence[Attempt], progress: Progress) -> list[Attempt]:
        """Keep the pool busy, never with more than it can soon do: zips are opened when their turn comes.

        Return the attempts that broke: they are made again when everything else has ended, with fewer at a time.
        """
        running: Running = {}
        queue, again = [*reversed(waiting)], []
        try:
            while queue or running:
                while queue and len(running) < (1 if width == 1 else 2 * pool.width()):
                    self._begin(pool, width, queue.pop(), running, progress)
                done, _ = concurrent.futures.wait(running, timeout=1, return_when=concurrent.futures.FIRST_COMPLETED)
                for future in done:
                    attempt = running.pop(future)
                    if not self._end(future, attempt, progress):
                        attempt.tries += width == 1
                        again += [attempt] if attempt.tries < TRIES else []
        except BaseException:
            jobs.stop()
            for future in running:
                future.cancel()
            raise
        return again

    def _begin(self, pool: Pool, width: int, attempt: Attempt, running: Running, progress: Progress) -> None:
        if attempt.work is None:
            attempt.open(self.order.chosen)
        work = attempt.work or Work()
        if work.problem:
            attempt.parts = self.order.parts
            self._keep(attempt, jobs.without_grading(work, self.order), progress)
        else:
            kind = attempt.parts, width == 1
            if kind not in self.orders:
                chosen = dataclasses.replace(self.order, parts=attempt.parts, alone=width == 1)
                self.orders[kind] = jobs.with_checks(chosen)
            try:
                future = pool.executor.submit(self.job, work, self.orders[kind])
            except Exception as error:  # noqa: BLE001 (a pool may raise anything)
                why = f"the workers cannot be reached any more ({error})"
                raise UsageError(f"{why}: run the same command again") from None
            running[future] = attempt

    def _end(self, future: concurrent.futures.Future[Outcome], attempt: Attempt, progress: Progress) -> bool:
        """Keep what came out; return whether anything did."""
        try:
            outcome = future.result()
        except GraderFailed as error:
            self.failures[attempt.one.student] = str(error)
            return False
        except (UsageError, jobs.Stopped):
            raise
        except ModuleNotFoundError as error:
            raise UsageError(
                f"a worker cannot import {error.name}: start it with this edition's environment and PYTHONPATH"
            ) from None
        except Exception as error:  # noqa: BLE001 (likewise: a worker was killed, a connection was lost)
            if "deserialization of the task graph" in str(error):
                raise UsageError(
                    "the scheduler cannot import coursekit: start it too with this edition's environment and PYTHONPATH"
                ) from None
            self.failures[attempt.one.student] = f"{type(error).__name__}: {error}"
            return False
        self._keep(attempt, outcome, progress)
        return True

    def _keep(self, attempt: Attempt, outcome: Outcome, progress: Progress) -> None:
        if attempt.parts != self.order.parts:
            outcome = jobs.renew(self.room / attempt.one.folder, outcome, self.order)
        record = attempt.record(outcome, self.stamps)
        keep(record, self.room)
        self.records[record.student] = record
        self.failures.pop(record.student, None)
        self.newly += 1
        progress(len(self.records), len(self.roster.students))

    def outcome(self, out: Path) -> Class:
        graded = tuple(self.records[one.student] for one in self.roster.students if one.student in self.records)
        waiting = tuple(one for one in self.roster.students if one.student not in self.records)
        return Class(
            graded, waiting, self.failures, self.roster.others, self.order, out, self.newly, tuple(self.notes)
        )  # fmt: skip
