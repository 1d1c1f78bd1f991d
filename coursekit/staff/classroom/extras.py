"""What staff add to the points: late.toml and written.csv in the folder of results, and the grade that comes of all of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from coursekit.staff.classroom.cells import count, number
from coursekit.staff.classroom.handed_in import HandedIn
from coursekit.staff.classroom.late import POLICY, UNKNOWN, Policy, read_policy
from coursekit.staff.classroom.marks import MARKS, Marks, read_marks
from coursekit.staff.classroom.record import Record


@dataclass(frozen=True)
class Extras:
    """Late days and marks of a class; without files, nothing but the grade."""

    policy: Policy | None = None
    marks: Marks | None = None

    @property
    def titles(self) -> list[str]:
        """The titles of the columns, beside the raw points."""
        late = ["days_late", "core_after_late"] if self.policy else []
        return late + (["written", "max_written"] if self.marks else []) + ["grade"]

    def cells(self, record: Record, core: float, most: float) -> list[str | float]:
        """Return the columns of one student."""
        days = self.policy.days_late(record) if self.policy else None
        late = ["?" if days is None else days, number(self.core(record, core))] if self.policy else []
        written = [number(self.written(record)), number(self.marks.max_score)] if self.marks else []
        return [*late, *written, self.grade(record, core, most)]

    def core(self, record: Record, core: float) -> float:
        """Return what lateness leaves of the core points."""
        return core * self.policy.kept(record) if self.policy else core

    def written(self, record: Record) -> float:
        return self.marks.of(record.student).score if self.marks else 0.0

    def grade(self, record: Record, core: float, most: float) -> float:
        """Return the per cent, to two places and never rounded up, of core points after late days and marks together."""
        whole = most + (self.marks.max_score if self.marks else 0)
        got = self.core(record, core) + self.written(record)
        return number(math.floor(round(10_000 * got / whole, 6)) / 100) if whole else 0

    def remarks(self, record: Record) -> list[str]:
        """Say what a person must still decide."""
        said = [UNKNOWN] if self.policy and self.policy.days_late(record) is None else []
        missing = self.marks.missing(record.student) if self.marks else []
        return said + [f"not marked yet: {', '.join(missing)}, which counts 0 until then"] * bool(missing)

    def account(self, record: Record, core: float, most: float) -> list[str]:
        """Say in the report what the grade is made of."""
        said = [f"core: {number(core):g} of {most:g} points"]
        days = self.policy.days_late(record) if self.policy else 0
        if self.policy and days is None:
            said.append("late by an unknown number of days: nothing deducted")
        elif self.policy and days:
            taken = 100 * (1 - self.policy.kept(record))
            late = f"{count(days, 'day')} late"
            left = f"{late}: {taken:g} % of your core points deducted, {number(self.core(record, core)):g} left"
            said.append(left if taken else f"{late}: nothing deducted")
        return said + ([self.marks.line(record.student)] if self.marks else [])

    def notes(self, students: Sequence[HandedIn]) -> list[str]:
        """Say in the terminal what in the files is about nobody, and what they leave open."""
        said = []
        if strangers := self.policy.strangers(one.student for one in students) if self.policy else []:
            said.append(f"{POLICY} names {', '.join(strangers)}, but no submission has that name")
        if unknown := self.policy.unknown(students) if self.policy else []:
            whom = f"{', '.join(unknown)}: write the days below [days] of {POLICY}"
            said.append(f"late by an unknown number of days, so nothing was deducted: {whom}")
        if waiting := sum(bool(self.marks.missing(one.student)) for one in students) if self.marks else 0:
            whose = f"{waiting} of {len(students)} students have answers"
            said.append(f"{MARKS}: {whose} without a mark, which count 0 until then (the remarks name them)")
        return said


def read_extras(out: Path, students: Sequence[HandedIn], seed: int, parts: Sequence[int]) -> Extras:
    """Read what staff put beside the results; UsageError for what cannot be meant."""
    policy = read_policy(out / POLICY)
    for one in students:
        if policy:
            policy.days_late(one)  # what cannot be counted is said before anything is graded
    marks = read_marks(out / MARKS, [one.student for one in students], seed, parts)
    return Extras(policy, marks if marks and marks.most else None)  # an empty table lowers nobody's grade
