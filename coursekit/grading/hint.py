"""`a2 hint FUNCTION`: a ladder of hints, one more at each call, the last a line of mathematics, never code."""

from __future__ import annotations

import json
from pathlib import Path

from coursekit.errors import UsageError
from coursekit.parts import ROOT, part_of

LADDERS = Path("data") / "hints.json"  # written by `a2 reference`


def ladder(function: str) -> tuple[str, ...]:
    """Return all hints of a function, from the gentlest to the line of mathematics."""
    part_of(function)  # a misspelt name is told so, whatever the file holds
    try:
        return tuple(json.loads((ROOT / LADDERS).read_text(encoding="utf-8")).get(function, ()))
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise UsageError(f"{LADDERS.as_posix()} cannot be read ({error}): `a2 doctor` says how to restore it") from None


def next_hint(function: str, *, root: Path = ROOT) -> str:
    """Return one hint more than last time, with all before it; how far one has come is remembered between calls."""
    hints = ladder(function)
    if not hints:
        raise UsageError(f"{function} has no hints: write HINTS in its record, then run `a2 reference`")
    seen = _read(root)
    seen[function] = min(seen.get(function, 0) + 1, len(hints))
    _write(root, seen)
    lines = [f"{i} of {len(hints)}: {hint}" for i, hint in enumerate(hints[: seen[function]], 1)]
    if seen[function] == len(hints):
        lines.append("That was the last hint; --reset begins again. If you are still stuck, ask a person.")
    return "\n".join(lines)


def reset_hints(function: str, *, root: Path = ROOT) -> None:
    """Forget which hints of a function were shown."""
    seen = _read(root)
    seen.pop(function, None)
    _write(root, seen)


def _path(root: Path) -> Path:
    return root / ".a2" / "hints.json"


def _read(root: Path) -> dict[str, int]:
    try:
        seen = dict(json.loads(_path(root).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return {}  # a lost memory costs a call or two, no more
    return {name: count for name, count in seen.items() if type(count) is int and count > 0}


def _write(root: Path, seen: dict[str, int]) -> None:
    try:
        _path(root).parent.mkdir(exist_ok=True)
        _path(root).write_text(json.dumps(seen), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{_path(root)} cannot be written ({error.strerror}): fix or remove it") from None
