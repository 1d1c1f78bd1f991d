"""Submissions that know what must become of them: right, untouched, mistaken, hostile, broken."""

from __future__ import annotations

import os
import re
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from coursekit.grading.submit import submit
from coursekit.parts import PARTS, ROOT, Part, part_of
from coursekit.staff.classroom.record import Record
from coursekit.staff.edits import RESTS_ON, Edit, callers
from coursekit.staff.exercises import mistakes_of, variants_of
from coursekit.staff.isolation import checks_of
from coursekit.staff.markers import cut
from tests.staff.attacks import test_reading, test_reported, test_resources, test_verdicts
from tests.staff.attacks.conftest import CHECK, Grader
from tests.staff.test_intake import BROKEN, GOOD, NOTHING, REMARKS
from tests.staff.test_transports import replace_function
from tests.staff.zips import MODULE, with_false_size, zeros, zipped

SALIENCY = PARTS[0]
CHECKS = checks_of(hidden=True)
LEAK = "import os\ndef leak(what):\n    raise RuntimeError('LEAK ' + what)\n"


@dataclass(frozen=True)
class Submission:
    """A zip, and what must become of it: the functions that earn everything, those that lose, the check that earns nothing."""

    kind: str
    name: str
    content: bytes | Callable[[Path], object]  # or what puts it at its path
    full: frozenset[str] = frozenset()
    loses: str = ""  # a function that must lose points
    nothing: str = ""  # the end of a check's id that must earn nothing
    score: float | None = None  # the whole score, where it is known
    says: str = ""  # a regular expression of its log and remarks
    status: str = "graded"
    chance: bool = False  # what it does to itself, and so its own verdict, is not the same every time
    mistake: str = ""  # a name that the recognised mistake of `loses` should have

    @property
    def student(self) -> str:
        return f"{self.kind} {self.name}"

    def judge(self, record: Record, log: str) -> list[str]:
        """Return every sentence about this submission that is not what it should be."""
        points, most, problems = Counter[str](), Counter[str](), []
        for check in CHECKS:
            points[check.function] += record.outcome.points.get(check.id, 0.0)
            most[check.function] += check.points
            if self.nothing and check.id.endswith(self.nothing) and record.outcome.points[check.id]:
                problems.append(f"{check.id} earned {record.outcome.points[check.id]}")
        problems += [
            f"{name} earned {points[name]:g} of {most[name]:g}" for name in self.full if points[name] < most[name]
        ]
        if self.loses and points[self.loses] == most[self.loses]:
            problems.append(f"{self.loses} earned everything")
        if self.mistake and (self.loses, self.mistake) not in record.outcome.mistakes:
            problems.append(f"taken for {dict(record.outcome.mistakes).get(self.loses)}, not {self.mistake}")
        if self.score is not None and record.score != self.score:
            problems.append(f"the score is {record.score:g}, not {self.score:g}")
        if record.status != self.status:
            problems.append(f"{record.status}, not {self.status}")
        told = "\n".join((*record.remarks, log))
        if not re.search(self.says, told, re.DOTALL):
            problems.append(f"nothing says {self.says!r}")
        return problems + ["something leaked"] * ("LEAK" in told)


def points_of(parts: Sequence[Part]) -> float:
    return sum(check.points for check in CHECKS if part_of(check.function) in parts)


def packed(part: Part, text: str) -> bytes:
    """A zip of one module and the weights that belong to it."""
    weights = [(name, (ROOT / name).read_bytes()) for name in part.trained]
    return zipped((part.module_path.as_posix(), text.encode("utf-8", "surrogateescape")), *weights)


def text_of(part: Part) -> str:
    return (ROOT / part.module_path).read_text(encoding="utf-8")


def honest(every: int) -> Iterator[Submission]:
    """Whole submissions, as many as there are students who did everything or nothing, and right variants of one module."""
    nothing = {part: cut(text_of(part), part.module_path) for part in PARTS}
    for number in range(1 + 2 // every):
        yield Submission(
            "solution", f"whole {number}", lambda path: submit(ROOT, path), score=points_of(PARTS), says="sandbox"
        )
        texts = [(part.module_path.as_posix(), nothing[part]) for part in PARTS]
        yield Submission("untouched", f"whole {number}", zipped(*texts), score=0.0)
    for number in sorted({part.number for part in PARTS})[:: (every + 2) // 3]:
        own = [part for part in PARTS if part.number == number]
        texts = [(p.module_path.as_posix(), text_of(p) if p in own else nothing[p]) for p in PARTS]
        weights = [(name, (ROOT / name).read_bytes()) for part in own for name in part.trained]
        yield Submission("solution", f"part {number}", zipped(*texts, *weights), score=points_of(own))
    for part in PARTS:
        for edit in _sample(variants_of(part), 16 * every):
            yield Submission(
                "variant", _name(edit), packed(part, replace_function(text_of(part), edit)), score=points_of([part])
            )


def mistaken(every: int) -> Iterator[Submission]:
    """Known mistakes: a module with one of them loses there and nowhere else."""
    for part in PARTS:
        for edit in _sample(mistakes_of(part), 14 * every):
            others = {f for f in part.functions if f != edit.function and RESTS_ON.get(f) != edit.function}
            yield Submission(
                "mistake", _name(edit), packed(part, replace_function(text_of(part), edit)), frozenset(others),
                edit.function, mistake=edit.name, says="line|values|shape|is|the",
            )  # fmt: skip


def hostile(every: int) -> Iterator[Submission]:
    """The attacks of tests/staff/attacks that are submissions: all of them want the points of one check."""
    untouched = frozenset(SALIENCY.functions) - callers("saliency_map")
    with tempfile.TemporaryDirectory() as folder:
        grader = Grader(None, Path(folder))  # type: ignore[arg-type]

        def attack(name: str, body: str, before: str = "", says: str = "", chance: bool = False) -> Submission:
            content = (grader.write(body=body, before=before) / MODULE).read_text(encoding="utf-8")
            full = frozenset() if chance or before else untouched
            return Submission(
                "attack",
                name,
                packed(SALIENCY, content),
                full,
                "saliency_map",
                CHECK,
                says=says.replace("6 sec", "20 sec"),
                chance=chance,
            )

        attacks = [attack(name, body, before, says) for name, (body, before, says) in test_verdicts.ATTACKS.items()]
        for name, (body, says) in test_resources.ATTACKS.items():
            attacks.append(attack(name, body, says=says, chance=name in test_resources.OWN_LOSS))
        for name, body in test_reading.READ.items():
            attacks.append(
                attack(
                    f"reads {name}",
                    LEAK + body.format(root=str(ROOT), port=22) + "\nreturn None",
                    says="the result is None",
                )
            )
        for name, (leave, look) in test_reading.LEFT_BEHIND.items():
            chance = "process" in name  # its own processes fill the worker of its own later checks
            body = f"import os\n{leave}\nreturn None"
            attacks.append(attack(f"leaves {name}", body, says="the result is None", chance=chance))
            attacks.append(
                attack(
                    f"finds {name}",
                    f"import os\nif {look}:\n    raise RuntimeError('LEAK')\nreturn None",
                    says="the result is None",
                )
            )
        for name, text in test_reported.TEXTS.items():
            attacks.append(attack(f"says {name}", f"raise ValueError({text!r})", says="ValueError"))
        for name, (code, says) in test_resources.IMPORTS.items():
            grader.write(before=code, body="return None")
            content = (grader.folder / MODULE).read_text(encoding="utf-8")
            attacks.append(Submission("attack", f"import {name}", packed(SALIENCY, content), score=0.0, says=says))
    planted = [(name, text) for name, text in test_reading.PLANTED.items()]
    attacks.append(Submission("attack", "plants files", zipped((MODULE, GOOD), *planted), score=points_of([SALIENCY])))
    yield from attacks[::every]


def broken(every: int) -> Iterator[Submission]:
    """Zips that cannot be taken, or only in part."""
    found = [
        Submission("zip", name, content, score=0.0, says=re.escape(says), status="no submission")
        for name, (content, says) in NOTHING.items()
    ]
    found += [
        Submission("zip", name, content, score=0.0, says=re.escape(says)) for name, (content, says) in BROKEN.items()
    ]
    for name, (files, says) in REMARKS.items():
        found.append(
            Submission("zip", name, zipped((MODULE, GOOD), *files), score=points_of([SALIENCY]), says=re.escape(says))
        )
    lying = with_false_size(zeros(MODULE, 2**32 - 2**20), 1000) if every == 1 else b"PK"
    found.append(
        Submission(
            "zip",
            "4 GB of zeros",
            lying,
            score=0.0,
            says="damaged|too large",
            status="graded" if every == 1 else "no submission",
        )
    )
    found.append(
        Submission(
            "zip",
            "that is a folder",
            lambda path: path.mkdir(),
            score=0.0,
            says="is a folder, not a zip",
            status="no submission",
        )
    )
    found.append(
        Submission(
            "zip",
            "that is a pipe",
            lambda path: os.mkfifo(path),
            score=0.0,
            says="is not a file",
            status="no submission",
        )
    )
    found.append(
        Submission(
            "zip",
            "that is a link to nowhere",
            lambda path: path.symlink_to("nowhere"),
            score=0.0,
            says="cannot be read",
            status="no submission",
        )
    )
    found.append(
        Submission("zip", "<img src=x onerror=alert(1)>", b"PK", score=0.0, says="damaged", status="no submission")
    )
    yield from found[::every]


def _sample(edits: Sequence[Edit], every: int) -> Sequence[Edit]:
    return edits[::every]


def _name(edit: Edit) -> str:
    return f"{edit.function} {edit.name}".replace("_", " ")


def hand_in(zips: Path, every: int) -> dict[str, Submission]:
    """Write the class; return what must become of whom."""
    zips.mkdir(parents=True)
    made = {}
    for one in (*honest(every), *mistaken(every), *hostile(every), *broken(every)):
        student = re.sub(r"[/_]", "-", one.student)
        if student in made:
            raise ValueError(f"two submissions are called {student}: rename one")
        path = zips / f"{student}.zip"
        if callable(one.content):
            one.content(path)
        else:
            path.write_bytes(one.content)
        made[student] = one
    return made
