"""Keep from student code what the staff's machine does not have: packages beyond requirements.txt, and files that are not handed in.

`a2 submit` loads this into the process that imports the modules, and as a pytest plugin into the one that grades the unpacked zip. Libraries and
coursekit itself import and open what they like: what counts is who asks, the nearest frame of the folder that is graded.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.metadata
import os
import re
import site
import sys
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from types import FrameType, ModuleType
from typing import TYPE_CHECKING, Any

from coursekit.parts import ROOT

if TYPE_CHECKING:
    import pytest

NOT_REQUIRED = "not in requirements.txt"
HANDED_IN = ("assignment2", "trained")
EVERYWHERE = sys.stdlib_module_names | {"assignment2", "coursekit"}


class Hidden(importlib.abc.MetaPathFinder):
    """Finds nothing, but refuses the modules in a folder a package that no requirement installs."""

    def __init__(self, folder: Path, requirements: str) -> None:
        self.folder, self.requirements = folder, requirements

    @cached_property
    def names(self) -> frozenset[str]:
        """What is hidden. To find out takes half a second; most modules ask for no package that is not loaded yet."""
        wanted = _closure(self.requirements)
        owners = importlib.metadata.packages_distributions()
        return frozenset(name for name, dists in owners.items() if not wanted.intersection(map(_plain, dists)))

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        name = fullname.partition(".")[0]
        if name not in EVERYWHERE and asks(self.folder, sys._getframe(1)) and name in self.names:
            told = f"No module named {name!r}: it is {NOT_REQUIRED}, so the staff do not have it"
            raise ModuleNotFoundError(told, name=name)
        return None


def asks(folder: Path, frame: FrameType | None, *, through_imports: bool = True) -> bool:
    """Return whether the nearest frame in a folder is of its assignment2; without through_imports, an import is nobody's doing."""
    while frame is not None and not frame.f_code.co_filename.startswith(f"{folder}{os.sep}"):
        if not through_imports and frame.f_code.co_filename.startswith("<frozen importlib"):
            return False
        frame = frame.f_back
    return frame is not None and Path(frame.f_code.co_filename).relative_to(folder).parts[0] == "assignment2"


def hide_packages(folder: Path, requirements: str) -> None:
    """From now on let the modules in a folder import only what some requirements install."""
    importlib.import_module("packaging.requirements")  # later, it would count as imported by the module that asks
    sys.meta_path.insert(0, Hidden(folder, requirements))


def hide_files(folder: Path, home: Path) -> None:
    """From now on let the modules in a folder open no file of the assignment's other folders and none below home that is no library's."""
    ours = [str(folder / name) for name in HANDED_IN]
    ours += [sys.prefix, sys.base_prefix, *site.getsitepackages(), site.getusersitepackages()]
    hidden = [str(folder), str(home), str(Path.home())]

    def audit(event: str, arguments: tuple[Any, ...]) -> None:
        if event != "open" or not isinstance(arguments[0], str):
            return
        path = str(Path(arguments[0]).absolute())
        if _below(path, hidden) and not _below(path, ours) and asks(folder, sys._getframe(1), through_imports=False):
            raise FileNotFoundError(2, "this file is not handed in, so the staff do not have it", arguments[0])

    sys.addaudithook(audit)


def _below(path: str, folders: Sequence[str]) -> bool:
    return any(path.startswith(f"{one}{os.sep}") for one in folders)


def required(requirements: str) -> list[str]:
    """Return the lines of a requirements file without its comments."""
    return [line for line in (line.split("#")[0].strip() for line in requirements.splitlines()) if line]


def _closure(requirements: str) -> frozenset[str]:
    """Return the packages that some requirements install, by their plain names, those included that others ask for."""
    from packaging.requirements import Requirement

    waiting, seen = [Requirement(line) for line in required(requirements)], set()
    while waiting:
        one = waiting.pop()
        for extra in ("", *one.extras):
            if (_plain(one.name), extra) in seen:
                continue
            seen.add((_plain(one.name), extra))
            try:
                asked = [Requirement(text) for text in importlib.metadata.requires(one.name) or []]
            except importlib.metadata.PackageNotFoundError:
                continue
            waiting += [r for r in asked if r.marker is None or r.marker.evaluate({"extra": extra})]
    return frozenset(name for name, _ in seen)


def _plain(name: str) -> str:
    return re.sub("[-_.]+", "-", name).lower()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.getgroup("a2").addoption("--a2-home", metavar="FOLDER", help="the edition that a submission was packed in")


def pytest_configure(config: pytest.Config) -> None:
    hide_packages(ROOT, (ROOT / "requirements.txt").read_text(encoding="utf-8"))
    hide_files(ROOT, Path(config.getoption("--a2-home")))
