"""The folder of results: whose run it is, held by one process at a time."""

from __future__ import annotations

import dataclasses
import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from coursekit.errors import UsageError
from coursekit.parts import NUMBERS
from coursekit.staff.classroom import job as jobs
from coursekit.staff.classroom.job import Order
from coursekit.staff.classroom.record import RECORD, write_whole
from coursekit.staff.classroom.regraded import remember
from coursekit.staff.classroom.roster import Roster

LARGEST_SEED = 10**12  # more than anybody can try; torch takes 2**64, and fresh.py multiplies


@contextmanager
def folder_of_this_run(out: Path) -> Iterator[None]:
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


def settle(zips: Path, out: Path, order: Order, again: Sequence[int]) -> tuple[Order, dict[str, str]]:
    """Return the order of the run that this folder belongs to, which has its own seed, and the stamp of each part.

    UsageError if it is another run. A part that is graded again gets another stamp, so its old verdicts no longer count.
    """
    if unknown := set(again) - set(order.parts):
        raise UsageError(f"--regrade-part {min(unknown)}: this run has the parts {[*order.parts]}")
    told = {"parts": list(order.parts), "hidden": order.hidden,
            "check_seconds": order.check_seconds, "seconds": order.seconds}  # fmt: skip
    place = str(zips.resolve())
    checks = {str(n): jobs.with_checks(dataclasses.replace(order, parts=(n,))).checks for n in order.parts}
    path = out / "run.json"
    if not path.exists():
        seed = order.seed or secrets.randbelow(LARGEST_SEED) + 1
        _write_run(path, {"seed": seed, "zips": place, **told, "checks": checks, "rounds": dict.fromkeys(checks, 1)})
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        seed = int(stored["seed"])
        before, rounds = dict(stored["checks"]), {n: int(count) for n, count in stored["rounds"].items()}
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        raise UsageError(f"{path} is damaged: name a new folder for the results") from None
    if str(stored.get("zips")) != place:
        if Path(str(stored.get("zips"))).exists():  # else it was moved
            told = {"zips": place, **told}
        else:
            stored["zips"] = place
            _write_run(path, stored)
    other = [name for name, value in told.items() if stored.get(name) != value]
    if other:
        known = other == ["parts"] and isinstance(stored.get("parts"), list)
        same = f"repeat {_parts_option(stored)}, or " if known else ""
        shown = f"{other[0]} {stored.get(other[0])}, not {told[other[0]]}"
        raise UsageError(f"{out} holds the results of another run ({shown}): {same}name a new folder for the results")
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


def _parts_option(stored: Mapping[str, Any]) -> str:
    whole = list(stored["parts"]) == list(NUMBERS)
    return "the command without --parts" if whole else f"--parts {' '.join(map(str, stored['parts']))}"


def _write_run(path: Path, told: dict[str, object]) -> None:
    write_whole(path, json.dumps(told, indent=1) + "\n")


def seed_of(out: Path) -> int:
    """Return the seed of the run that a folder belongs to; 0 where there was none yet."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        return int(json.loads((out / "run.json").read_text(encoding="utf-8"))["seed"])
    return 0


def forget(regrade: Sequence[str], again: Sequence[int], roster: Roster, out: Path) -> None:
    """Take back the records of students who are graded again; what everybody had before is written down."""
    known = {one.student: one for one in roster.students}
    unknown = [name for name in regrade if name not in known]
    if unknown:
        raise UsageError(f"--regrade {unknown[0]}: no zip of that student; the gradebook's first column has the names")
    if regrade or again:
        remember(out)
    for name in regrade:
        (out / "students" / known[name].folder / RECORD).unlink(missing_ok=True)
