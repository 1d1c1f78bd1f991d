"""Late days: RESULTS/late.toml says how many per cent of the core points a late student loses.

free_days = 3                       # for each student, before anything is deducted
penalty = 10                        # per cent of the student's core points, for each started day after the free ones
most = 50                           # the largest deduction in per cent (default: 100)
deadline = 2026-11-20T23:59:00      # only for platforms that give times; a started day counts as a day
[extensions]                        # additional free days of single students, by the gradebook's id
doejane_1234 = 2
[days]                              # how many days late, if the platform gives no time
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
    """The free days, the deduction for each further day, and the exceptions for single students."""

    free_days: int
    penalty: float
    most: float = 100.0
    deadline: datetime | None = None
    extensions: Mapping[str, int] = field(default_factory=dict)
    days: Mapping[str, int] = field(default_factory=dict)

    def days_late(self, record: Record | HandedIn) -> int | None:
        """Return the number of started days after the deadline; None if it is late by an unknown number."""
        if record.student in self.days:
            return self.days[record.student]
        handed_in = _time(record.when)
        if handed_in and self.deadline:
            deadline = self.deadline
            if not handed_in.tzinfo:  # a platform without time zone uses the clock of the deadline
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
        charged = max(0, days - self.free_days - self.extensions.get(record.student, 0))
        return 1 - min(self.most, self.penalty * charged) / 100

    def unknown(self, students: Iterable[Record | HandedIn]) -> list[str]:
        """Return the students who are late by an unknown number of days."""
        return sorted(one.student for one in students if self.days_late(one) is None)

    def strangers(self, students: Iterable[str]) -> list[str]:
        """Return the students whom the policy names, but who handed in nothing."""
        return sorted({*self.extensions, *self.days} - set(students))


def _time(text: str) -> datetime | None:
    for form in TIMES:
        with suppress(ValueError):
            return datetime.strptime(text, form)
    with suppress(ValueError):
        return datetime.fromisoformat(text) if "-" in text else None
    return None


def read_policy(path: Path) -> Policy | None:
    """Read the policy. None if there is no file; UsageError if a value is impossible."""
    if not path.exists():
        return None
    try:
        settings = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:  # errors of TOML and of UTF-8 are ValueErrors
        raise UsageError(f"{path.name} cannot be read ({' '.join(str(error).split())}): fix it") from None
    unknown = sorted(set(settings) - {*Policy.__dataclass_fields__})
    if unknown:
        raise UsageError(
            f"{path.name}: {unknown[0]} is not a setting; the settings are {', '.join(Policy.__dataclass_fields__)}"
        )
    if "free_days" not in settings or "penalty" not in settings:
        raise UsageError(f"{path.name}: free_days and penalty are needed, for example free_days = 3 and penalty = 10")
    deadline = settings.get("deadline")
    if deadline is not None and not isinstance(deadline, datetime):
        raise UsageError(
            f"{path.name}: deadline = {deadline} is not a date with a time: write it like 2026-11-20T23:59:00"
        )
    return Policy(
        _days("free_days", settings["free_days"]), _share("penalty", settings["penalty"]), _share("most", settings.get("most", 100)),
        deadline, _table("extensions", settings), _table("days", settings),
    )  # fmt: skip


def _table(name: str, settings: Mapping[str, Any]) -> dict[str, int]:
    table = settings.get(name, {})
    if not isinstance(table, dict):
        raise UsageError(
            f"{POLICY}: {name} is a table: write a line [{name}] and below it lines such as student = days"
        )
    return {student: _days(f"{name}, {student}", days) for student, days in table.items()}


def _days(name: str, value: Any) -> int:
    if type(value) is not int or not 0 <= value <= 10_000:  # type() because isinstance(True, int)
        raise UsageError(f"{POLICY}: {name} = {value} is not a number of days: write a whole number, 0 or more")
    return value


def _share(name: str, value: Any) -> float:
    if type(value) not in (int, float) or not 0 <= value <= 100:  # nan fails this too
        raise UsageError(f"{POLICY}: {name} = {value} is not a percentage from 0 to 100")
    return float(value)
