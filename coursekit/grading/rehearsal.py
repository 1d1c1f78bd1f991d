"""Grade a packed submission where there is nothing else, and say what it would lose at the staff's and keeps at home."""

from __future__ import annotations

import io
import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from coursekit.grading.doctor import read_hashes
from coursekit.grading.grade import Progress, grade
from coursekit.grading.launch import Child, fresh_process
from coursekit.grading.only_required import HANDED_IN
from coursekit.grading.results import Verdict, read_manifest
from coursekit.parts import PARTS, ROOT, Part, part_of

GIVEN = ("coursekit", "tests", "pyproject.toml", "requirements.txt", "assignment2/__init__.py")
LEFT_OUT = shutil.ignore_patterns("__pycache__", "staff", "hidden")
SHOWN = 3  # causes


@dataclass(frozen=True)
class Rehearsal:
    """How a submission does by itself: its points, and the checks that it passes at home only."""

    score: float
    max_score: float
    lost: tuple[Verdict, ...] = ()

    def lines(self) -> list[str]:
        """Say what would be lost, each cause once."""
        said = [f"graded from the zip alone: {self.score:g} of {self.max_score:g} points"]
        if self.lost:
            points = sum(verdict.check.points for verdict in self.lost)
            said.append(f"{points:g} points that you have here would be LOST when the staff grade this zip")
            causes = dict.fromkeys(" ".join(verdict.message.split()) for verdict in self.lost)
            said += [f"  {cause[:200]}" for cause in list(causes)[:SHOWN]]
        return said


def rehearse(
    archive: Path, root: Path = ROOT, *, parts: Sequence[Part] = PARTS, progress: Progress = lambda done: None
) -> Rehearsal:
    """Grade what is in a zip of `a2 submit`; what it loses is graded at home too."""
    checks = [c for c in read_manifest(root / "tests" / "manifest.json") if part_of(c.function) in parts]
    with _room(archive, root) as room:

        def launch(arguments: Sequence[str], root_: Path, log: Path) -> AbstractContextManager[Child]:
            hiding = ("-p", "coursekit.grading.only_required", f"--a2-home={root.resolve()}")
            return fresh_process([*hiding, *arguments], root_, log)

        alone = grade(checks, parts, root=room, launch=launch, progress=progress, impatient=True)
    failed = [v for v in alone.verdicts if v.outcome not in ("passed", "todo")]
    here = grade([v.check for v in failed], parts, root=root, impatient=True) if failed else None
    passed = {v.check.id for v in here.verdicts if v.outcome == "passed"} if here else set()
    return Rehearsal(alone.score, alone.max_score, tuple(v for v in failed if v.check.id in passed))


@contextmanager
def _room(archive: Path, root: Path) -> Iterator[Path]:
    """Lend a folder with the edition as it was handed out and, of the student's, the files of the zip."""
    with tempfile.TemporaryDirectory(prefix="a2-rehearsal-") as place:
        room = Path(place).resolve()
        with suppress(OSError, ValueError):  # `a2 doctor` says what is wrong with the data
            for name in read_hashes(root):
                _copy(root / name, room / name)
        for name in GIVEN:
            _copy(root / name, room / name)
        with zipfile.ZipFile(io.BytesIO(archive.read_bytes())) as packed:
            for name in packed.namelist():
                if name.startswith(HANDED_IN):
                    packed.extract(name, room)
        yield room


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, ignore=LEFT_OUT)
    elif source.exists():
        shutil.copyfile(source, target)
