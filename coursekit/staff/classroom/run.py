"""Grade a class: every zip gets a record; killed at any moment and started again it goes on where it was.

RESULTS/run.json         what the run is: parts, checks, seed; another run's folder is refused
RESULTS/students/ID/     results.json, report.html, answers.html, log.txt, and record.json, written last: with it a student is done
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
from coursekit.staff.classroom.kept import KEPT, unpack
from coursekit.staff.classroom.page import class_page
from coursekit.staff.classroom.pools import Pool, cores, dask_pool, local_pool, refuse_address
from coursekit.staff.classroom.record import RECORD, Outcome, Record, keep, read_record, write_whole
from coursekit.staff.classroom.roster import HandedIn, Roster, read_roster
from coursekit.staff.classroom.scratch import scratch_in

LARGEST_SEED = 10**12  # more than anybody can try; torch takes 2**64, and fresh.py multiplies
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
    regrade_parts: Sequence[int] = (),
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
    if scheduler:
        refuse_address(scheduler)
    roster = read_roster(zips)
    with _folder_of_this_run(out):
        order, stamps = _settle(zips, out, order, regrade_parts)
        _forget(regrade, roster, out)
        pool = dask_pool(scheduler) if scheduler else local_pool(workers or cores())
        run = _Run(roster, out / "students", order, stamps, job)
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


def _settle(zips: Path, out: Path, order: Order, again: Sequence[int]) -> tuple[Order, dict[str, str]]:
    """Return the order of the run that this folder belongs to, which has its own seed, and the stamp of each part.

    UsageError if it is another run. A part that is graded again gets another stamp, so its old verdicts no longer count.
    """
    if set(again) - set(order.parts):
        raise UsageError(
            f"--regrade-part {min(set(again) - set(order.parts))}: this run has the parts {[*order.parts]}"
        )
    told = {"zips": str(zips.resolve()), "parts": list(order.parts), "hidden": order.hidden,
            "check_seconds": order.check_seconds, "seconds": order.seconds}  # fmt: skip
    checks = {str(n): jobs.with_checks(dataclasses.replace(order, parts=(n,))).checks for n in order.parts}
    path = out / "run.json"
    if not path.exists():
        seed = order.seed or secrets.randbelow(LARGEST_SEED) + 1
        _write_run(path, {"seed": seed, **told, "checks": checks, "rounds": dict.fromkeys(checks, 1)})
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        seed = int(stored["seed"])
        before, rounds = dict(stored["checks"]), {n: int(count) for n, count in stored["rounds"].items()}
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        raise UsageError(f"{path} is damaged: name a new folder for the results") from None
    for name, value in told.items():
        if stored.get(name) != value:
            shown = f"{name} {stored.get(name)}, not {value}"
            raise UsageError(f"{out} holds the results of another run ({shown}): name a new folder for the results")
    changed = [n for n in checks if before.get(n) != checks[n] and int(n) not in again]
    if changed:
        raise UsageError(
            f"{out} holds the results of other checks than this edition's (part {', '.join(changed)}): "
            f"--regrade-part {' '.join(changed)} grades that again, or name a new folder for the results"
        )
    if again:
        rounds = {n: rounds.get(n, 1) + (int(n) in again) for n in checks}
        _write_run(path, stored | {"checks": checks, "rounds": rounds})
    stamps = {n: f"{checks[n][:16]}, round {rounds.get(n, 1)}" for n in checks}
    return dataclasses.replace(order, seed=seed), stamps


def _write_run(path: Path, told: dict[str, object]) -> None:
    write_whole(path, json.dumps(told, indent=1) + "\n")


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

    def __init__(self, roster: Roster, room: Path, order: Order, stamps: dict[str, str], job: Job) -> None:
        self.roster, self.room, self.order, self.stamps, self.job = roster, room, order, stamps, job
        self.orders: dict[tuple[int, ...], Order] = {}  # parts to grade -> what their jobs are told
        self.records: dict[str, Record] = {}
        self.failures: dict[str, str] = {}
        self.newly = 0

    def grade(self, pool: AbstractContextManager[Pool], progress: Progress) -> None:
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
        if waiting:
            jobs.begin()
            try:
                with pool as opened:
                    self._drive(opened, waiting, progress)
            finally:
                jobs.close_rooms()

    def _stale(self, record: Record | None, one: HandedIn) -> tuple[int, ...]:
        """Return the parts that this student's record does not tell, or no longer."""
        if not record or not is_of(record, one):
            return self.order.parts
        stale = tuple(n for n in self.order.parts if record.stamps.get(str(n)) != self.stamps[str(n)])
        return stale if unpack(self.room / one.folder / KEPT) or not stale else self.order.parts

    def _drive(self, pool: Pool, waiting: Sequence[Attempt], progress: Progress) -> None:
        """Keep the pool busy, never with more than it can soon do: zips are opened when their turn comes."""
        running: dict[concurrent.futures.Future[Outcome], Attempt] = {}
        queue = [*reversed(waiting)]
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
            attempt.parts = self.order.parts
            self._keep(attempt, jobs.without_grading(work, self.order), progress)
        else:
            if attempt.parts not in self.orders:
                chosen = dataclasses.replace(self.order, parts=attempt.parts)
                self.orders[attempt.parts] = jobs.with_checks(chosen)
            try:
                future = pool.executor.submit(self.job, work, self.orders[attempt.parts])
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
        if attempt.parts != self.order.parts:
            outcome = jobs.renew(self.room / attempt.one.folder, outcome, self.order)
        record = attempt.record(outcome, self.stamps)
        keep(record, self.room)
        self.records[record.student] = record
        self.newly += 1
        progress(len(self.records), len(self.roster.students))

    def outcome(self, out: Path) -> Class:
        graded = tuple(self.records[one.student] for one in self.roster.students if one.student in self.records)
        waiting = tuple(one for one in self.roster.students if one.student not in self.records)
        return Class(graded, waiting, self.failures, self.roster.others, self.order, out, self.newly)
