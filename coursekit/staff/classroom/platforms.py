"""What two platforms say elsewhere than in names: Gradescope's export in a file, clones of GitHub Classroom in what they share."""

from __future__ import annotations

import os.path
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from coursekit.errors import UsageError
from coursekit.staff.classroom.names import Named

METADATA = "submission_metadata.yml"
LARGEST = 20 * 2**20


def gradescope_export(folder: Path) -> list[tuple[Named, Path]]:
    """Return who handed in which folder of Gradescope's export, one pair for each member of a group; nothing for other downloads."""
    path = folder / METADATA
    if not path.is_file():
        return []
    if path.stat().st_size > LARGEST:
        raise UsageError(f"{path} has more than {LARGEST / 2**20:g} MB: export the submissions again")
    import yaml

    try:
        told = yaml.load(path.read_text(encoding="utf-8"), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        pairs = [(_submitter(one, entry), name) for name, entry in told.items() for one in entry[":submitters"]]
    except (yaml.YAMLError, ValueError, KeyError, TypeError, AttributeError) as error:
        reason = " ".join(str(error).split())[:80]
        raise UsageError(f"{path} is not as Gradescope writes it ({reason}): export the submissions again") from None
    return [(named, folder / name) for named, name in pairs if Path(name).name == name and (folder / name).is_dir()]


def _submitter(one: dict[str, Any], entry: dict[str, Any]) -> Named:
    sid, email, name = (str(one.get(key) or "") for key in (":sid", ":email", ":name"))
    return Named(sid or email or name, "Gradescope", number=email, when=str(entry.get(":created_at") or ""))


def github_names(folders: Sequence[Path]) -> dict[str, str]:
    """Return folder -> user for clones of GitHub Classroom, which are called assignment-user."""
    clones = [folder.name for folder in folders if (folder / ".git").is_dir()]
    shared = os.path.commonprefix(clones).rpartition("-") if len(clones) > 1 else ("", "", "")  # noqa: RUF071 (letters)
    return {name: name[len(shared[0]) + len(shared[1]) :] or name for name in clones}
