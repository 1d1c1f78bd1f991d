"""What `a2 reference` has stored: outputs of the solution, and how each known mistake fails each check.

Of a mistake only a fingerprint is kept, so that a failing result can be recognised but not turned back into code.
"""

from __future__ import annotations

import functools
import json
import zipfile
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from coursekit.parts import ROOT

PROJECTIONS = 3  # numbers that stand for an array; enough to tell apart the mistakes of one function


@dataclass(frozen=True)
class Failure:
    """How one check failed: at which comparison (site), and with what array or what sentence."""

    site: int
    text: str = ""
    shape: tuple[int, ...] | None = None
    fingerprint: tuple[float, ...] | None = None

    def matches(self, other: Failure) -> bool:
        if self.fingerprint is None or other.fingerprint is None:
            return (self.text, self.fingerprint) == (other.text, other.fingerprint)
        if (self.site, self.shape) != (other.site, other.shape):
            return False
        scale = max(abs(x) for x in (*self.fingerprint, *other.fingerprint, 1e-12))
        return all(abs(a - b) <= 1e-6 * scale for a, b in zip(self.fingerprint, other.fingerprint, strict=True))


@dataclass(frozen=True)
class KnownMistake:
    """A mistake's name and its hint, as shipped."""

    function: str
    name: str
    hint: str
    checks: int  # how many checks it fails


@dataclass(frozen=True)
class Blame:
    """The known mistake that explains most of what failed: how many of the failed checks, and from which one on."""

    mistake: KnownMistake
    explained: int
    failed: int
    first: int  # the first failed check that it explains, counted from 0

    @property
    def certain(self) -> bool:
        """Whether it may be said as a fact: it explains the first failed check, and more agrees with it than does not.

        Against it speaks a failed check that it does not explain, and one that it fails otherwise or should have failed.
        """
        against = (self.failed - self.explained) + (self.mistake.checks - self.explained)
        return self.first == 0 and self.explained > against


def likeliest(recognised: Iterable[Iterable[KnownMistake]]) -> Blame | None:
    """Choose, from what each failed check of a function was recognised as, the mistake that explains the most of it.

    Of equals, the one that explains an earlier check, then the one that fails the fewest other checks. One that explains
    a single check, and not the first that failed, is no answer: something else is wrong, and looks like it there.
    """
    failed = [list(dict.fromkeys(mistakes)) for mistakes in recognised]
    votes = Counter(mistake for mistakes in failed for mistake in mistakes)
    first = {mistake: next(i for i, mistakes in enumerate(failed) if mistake in mistakes) for mistake in votes}
    known = [mistake for mistake in votes if first[mistake] == 0 or votes[mistake] > 1]
    best = min(known, key=lambda m: (-votes[m], first[m], m.checks), default=None)
    return None if best is None else Blame(best, votes[best], len(failed), first[best])


def array_failure(site: int, array: np.ndarray) -> Failure:
    """Describe a wrong array by its shape, its norm and a few fixed projections."""
    flat = np.nan_to_num(np.asarray(array, dtype=np.float64).ravel(), nan=12345.678, posinf=1e9, neginf=-1e9)
    places = np.arange(flat.size)
    numbers = [float(np.sqrt(flat @ flat))]
    # Plain cosines: the same on every machine and in every version of numpy.
    numbers += [float(flat @ np.cos((j + 1) * 0.7548776662466927 * places + j)) for j in range(PROJECTIONS)]
    return Failure(site, shape=tuple(np.shape(array)), fingerprint=tuple(numbers))


class Store:
    """The stored outputs of one module's checks: NAME.npz (right) and NAME.json (wrong, as fingerprints)."""

    def __init__(self, folder: Path, module: str) -> None:
        self.arrays_path = folder / f"{module}.npz"
        self.mistakes_path = folder / f"{module}.json"
        self.arrays: dict[str, np.ndarray] = {}
        self.mistakes: dict[str, list[tuple[KnownMistake, Failure]]] = {}
        # A damaged file knows as little as one that is not there: a check says so where it needs it, and `a2 doctor` does.
        damaged = suppress(OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile)
        with damaged, np.load(self.arrays_path, allow_pickle=False) as stored:
            self.arrays = {key: stored[key] for key in stored.files}
        with damaged:
            self._read_mistakes(json.loads(self.mistakes_path.read_text(encoding="utf-8")))

    def _read_mistakes(self, stored: dict[str, Any]) -> None:
        counts = Counter(key for failures in stored["failures"].values() for key in failures)
        known = {}
        for key, hint in stored["hints"].items():
            function, name = key.split("/", 1)
            known[key] = KnownMistake(function, name, hint, counts[key])
        for check, failures in stored["failures"].items():
            self.mistakes[check] = [(known[key], _failure(value)) for key, value in failures.items()]

    def expected(self, check: str, name: str) -> np.ndarray | None:
        """Return the solution's output at a named place of a check."""
        return self.arrays.get(f"{check}/{name}")

    def recognise(self, check: str, failure: Failure) -> tuple[KnownMistake, ...]:
        """Return the known mistakes that fail this check in the same way."""
        return tuple(mistake for mistake, known in self.mistakes.get(check, ()) if known.matches(failure))


def _failure(record: dict[str, Any]) -> Failure:
    """Read what failure_record made, from JSON."""
    fields: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in record.items()}
    return Failure(**fields)


def failure_record(failure: Failure) -> dict[str, Any]:
    """Return a failure as JSON, without empty fields; numbers with the digits that matching needs."""
    record = {key: value for key, value in asdict(failure).items() if value not in ("", None)}
    if failure.fingerprint is not None:
        record["fingerprint"] = [float(f"{x:.10g}") for x in failure.fingerprint]
    return record


def load_store(folder: Path) -> Store:
    """Return what is stored for a folder of checks: in data/reference/ for the students', tests/hidden/reference/ for hidden ones.

    What was read before is kept, in forks of this process too, until a file changes.
    """
    hidden = folder.parent.name == "hidden"
    place = folder.parent / "reference" if hidden else ROOT / "data" / "reference"
    module = f"hidden_{folder.name}" if hidden else folder.name
    return _store(place, module, *(_stamp(place / f"{module}{ending}") for ending in (".npz", ".json")))


@functools.cache
def _store(place: Path, module: str, *_stamps: tuple[int, int] | None) -> Store:
    return Store(place, module)


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size
