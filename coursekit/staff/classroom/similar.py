"""`a2 similar RESULTS`: pairs of submissions that agree beyond what the exercise forces, side by side. A person judges; no point changes."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path

from coursekit.grading.report import template
from coursekit.parts import PARTS, part_of
from coursekit.staff.classroom.cells import count
from coursekit.staff.classroom.fingerprints import functions_in, given, grams, winnow
from coursekit.staff.classroom.finished import finished
from coursekit.staff.classroom.record import write_whole

COMMON = 0.1  # what more of the class shares is what the lecture said
FEW = 4  # students; so many may share something in any class
SHARED = 4  # fingerprints of one function that make a pair worth a line
MOST = 40  # pairs
LINES = 200  # of a function side by side
PAGE = "similar.html"


@dataclass(frozen=True)
class Agreement:
    """One function that two students share: how many of the fingerprints that are not ours."""

    function: str
    shared: int
    of: int
    sides: tuple[tuple[tuple[str, bool], ...], ...] = ()  # for each student lines, and whether they are shared

    @property
    def percent(self) -> int:
        return 100 * self.shared // self.of


@dataclass(frozen=True)
class Pair:
    """Two students, and what they share."""

    students: tuple[str, str]
    agreements: tuple[Agreement, ...]

    @property
    def shared(self) -> int:
        return sum(one.shared for one in self.agreements)


Texts = Mapping[str, Mapping[str, str]]  # student -> function -> text


def similar(out: Path) -> list[str]:
    """Write RESULTS/similar.html; return what to say about it."""
    texts = {}
    for record, taken in finished(out).submissions():
        modules = [(part, taken.files.get(part.module_path.as_posix())) for part in PARTS]
        found = [functions_in(source, part.functions) for part, source in modules if source]
        texts[record.student] = {name: text for functions in found for name, text in functions.items()}
    pairs = pairs_of(texts)
    shown = [replace(p, agreements=tuple(_side_by_side(one, p, texts) for one in p.agreements)) for p in pairs[:MOST]]
    page = template(PAGE, Path(__file__).parent).render(pairs=shown, count=len(pairs), students=len(texts))
    write_whole(out / PAGE, page)
    told = f"{count(len(pairs), 'pair')} of {count(len(texts), 'student')} agree{'s' * (len(pairs) == 1)}"
    return [f"{out / PAGE}: {told} beyond what the exercise forces"]


def pairs_of(texts: Texts) -> list[Pair]:
    """Return the pairs, those that share most first."""
    prints: dict[str, dict[str, set[int]]] = defaultdict(dict)  # function -> student -> fingerprints that are not ours
    for part in PARTS:
        for name in part.functions:
            for student, functions in texts.items():
                own = winnow([h for h, _ in grams(functions.get(name, "")) if h not in given(part)])
                if len(own) >= SHARED:
                    prints[name][student] = own
    found: dict[tuple[str, str], list[Agreement]] = defaultdict(list)
    allowed = max(FEW, int(COMMON * len(texts)))
    for name, owners in prints.items():
        counts = Counter(h for own in owners.values() for h in own)
        rare = {student: {h for h in own if counts[h] <= allowed} for student, own in owners.items()}
        holders: dict[int, list[str]] = defaultdict(list)
        for student in sorted(rare):
            for h in rare[student]:
                holders[h].append(student)
        shared = Counter(pair for students in holders.values() for pair in combinations(students, 2))
        for (a, b), number in shared.items():
            if number >= SHARED:
                found[a, b].append(Agreement(name, number, max(number, min(len(owners[a]), len(owners[b])))))
    pairs = [Pair(students, tuple(sorted(ones, key=lambda one: -one.shared))) for students, ones in found.items()]
    return sorted(pairs, key=lambda pair: (-pair.shared, pair.students))


def _side_by_side(one: Agreement, pair: Pair, texts: Texts) -> Agreement:
    """Return an agreement with both texts; a line is marked if a run of tokens on it is in both and is not ours."""
    ours = given(part_of(one.function))
    runs = [[run for run in grams(texts[student][one.function]) if run[0] not in ours] for student in pair.students]
    both = {h for h, _ in runs[0]} & {h for h, _ in runs[1]}
    sides = []
    for student, own in zip(pair.students, runs, strict=True):
        marked = {line for h, where in own if h in both for line in where}
        lines = texts[student][one.function].splitlines()[:LINES]
        sides.append(tuple((line, number in marked) for number, line in enumerate(lines)))
    return replace(one, sides=tuple(sides))
