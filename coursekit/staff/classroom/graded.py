"""A class as a run leaves it: what the gradebook and the class page are made of."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from coursekit.staff.classroom.handed_in import HandedIn
from coursekit.staff.classroom.job import Order
from coursekit.staff.classroom.record import Record


@dataclass(frozen=True)
class Class:
    """A graded class, as the gradebook has it."""

    records: tuple[Record, ...]
    waiting: tuple[HandedIn, ...]  # not graded: the run was stopped, or every try broke
    failures: dict[str, str]  # student -> why the tries broke
    others: tuple[str, ...]  # files that are nobody's
    order: Order
    out: Path
    newly: int = 0  # graded in this run
    notes: tuple[str, ...] = ()  # what this machine could not do
