"""Late days: what RESULTS/late.toml takes from the core points of those who were late.

free_days = 3                       # of each student, before anything is taken
penalty = 10                        # per cent of the student's own core points, for each day beyond
most = 50                           # per cent at most (default: 100)
deadline = 2026-11-20T23:59:00      # where the platform gives times: a day is begun is a day
[extensions]                        # more free days, by the id of the gradebook
doejane_1234 = 2
[days]                              # days late, where the platform only says late, or nothing
"Jane Doe_4711" = 1
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from coursekit.errors import UsageError
from coursekit.staff.classroom.handed_in import HandedIn
from coursekit.staff.classroom.record import Record

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

POLICY = "late.toml"
DAY = 24 * 60 * 60
TIMES = ("%Y-%m-%d-%H-%M-%S", "%Y-%m-%d %H:%M", "%Y%m%d%H%M%S")  # Blackboard, D2L, ILIAS
UNKNOWN = f"late by an unknown number of days, so nothing is deducted: write the days below [days] of {POLICY}"


@dataclass(frozen=True)
class Policy:
    """What is free, what is taken, and for whom there is an exception."""

    free_days: int
    penalty: float
    most: float = 100.0
    deadline: datetime | None = None
    extensions: Mapping[str, int] = field(default_factory=dict)
    days: Mapping[str, int] = field(default_factory=dict)

    def days_late(self, record: Record | HandedIn) -> int | None:
        """Return by how many begun days a submission is late; None if it is late and nobody knows."""
        if record.student in self.days:
            return self.days[record.student]
        handed_in = _time(record.when)
        if handed_in and self.deadline:
            deadline = self.deadline
            if not handed_in.tzinfo:  # the clock of the platform is that of the deadline
                deadline = deadline.replace(tzinfo=None)
            elif not deadline.tzinfo:
                raise UsageError(
                    f"{POLICY}: {record.platform} gives times in UTC: write the deadline with its offset, +01:00"
                )
            return max(0, math.ceil((handed_in - deadline).total_seconds() / DAY))
        return None if record.late else 0

    def kept(self, record: Record) -> float:
        """Return the share of the core points that a submission keeps."""
        days = self.days_late(record) or 0
        beyond = max(0, days - self.free_days - self.extensions.get(record.student, 0))
        return 1 - min(self.most, self.penalty * beyond) / 100

    def unknown(self, students: Iterable[Record | HandedIn]) -> list[str]:
        """Return who is late by nobody knows how many days."""
        return sorted(one.student for one in students if self.days_late(one) is None)

    def strangers(self, students: Iterable[str]) -> list[str]:
        """Return whom the policy names and who handed in nothing."""
        return sorted({*self.extensions, *self.days} - set(students))


def _time(text: str) -> datetime | None:
    for form in TIMES:
        with suppress(ValueError):
            return datetime.strptime(text, form)
    with suppress(ValueError):
        return datetime.fromisoformat(text) if "-" in text else None
    return None


def read_policy(path: Path) -> Policy | None:
    """Read the policy; None if there is none, UsageError for what cannot be meant."""
    if not path.exists():
        return None
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:  # an error of TOML or of UTF-8 is a ValueError
        raise UsageError(f"{path.name} cannot be read ({' '.join(str(error).split())}): fix it") from None
    unknown = sorted(set(told) - {*Policy.__dataclass_fields__})
    if unknown:
        raise UsageError(
            f"{path.name}: {unknown[0]} is not a setting; there are {', '.join(Policy.__dataclass_fields__)}"
        )
    if "free_days" not in told or "penalty" not in told:
        raise UsageError(f"{path.name}: free_days and penalty are needed, as in free_days = 3 and penalty = 10")
    deadline = told.get("deadline")
    if deadline is not None and not isinstance(deadline, datetime):
        raise UsageError(f"{path.name}: deadline = {deadline} is not a date with a time, as 2026-11-20T23:59:00")
    return Policy(
        _days("free_days", told["free_days"]), _share("penalty", told["penalty"]), _share("most", told.get("most", 100)),
        deadline, _table("extensions", told), _table("days", told),
    )  # fmt: skip


def _table(name: str, told: Mapping[str, Any]) -> dict[str, int]:
    table = told.get(name, {})
    if not isinstance(table, dict):
        raise UsageError(f"{POLICY}: {name} is a table: a line [{name}], and below it student = days")
    return {student: _days(f"{name}, {student}", days) for student, days in table.items()}


def _days(name: str, value: Any) -> int:
    if type(value) is not int or not 0 <= value <= 10_000:  # True is an int
        raise UsageError(f"{POLICY}: {name} = {value} is not a number of days: write 0 or more, without a point")
    return value


def _share(name: str, value: Any) -> float:
    if type(value) not in (int, float) or not 0 <= value <= 100:  # nan is not either
        raise UsageError(f"{POLICY}: {name} = {value} is not a percentage from 0 to 100")
    return float(value)
