"""A folder of the run's own for everything temporary: who holds the results' lock may empty it, for nobody else is alive there."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from coursekit.errors import UsageError


@contextmanager
def scratch_in(folder: Path) -> Iterator[None]:
    """Let this process and all that it starts put temporary files into a folder; what a killed run left in it goes first."""
    before, inherited = tempfile.tempdir, os.environ.get("TMPDIR")
    shutil.rmtree(folder, ignore_errors=True)
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"{folder} cannot be made ({error.strerror}): fix that and run the same command again"
        ) from None
    tempfile.tempdir = os.environ["TMPDIR"] = str(folder.resolve())
    try:
        yield
    finally:
        tempfile.tempdir = before
        if inherited is None:
            del os.environ["TMPDIR"]
        else:
            os.environ["TMPDIR"] = inherited
        shutil.rmtree(folder, ignore_errors=True)


def scratch_of_worker() -> None:
    """In a worker of dask, let temporary files stand in its local directory: dask removes that of a worker that was killed."""
    dask = sys.modules.get("distributed")  # a worker has imported it
    try:
        worker = dask.get_worker() if dask else None
    except ValueError:  # this process has dask, and the thread is none of a worker's
        return
    if worker:
        tempfile.tempdir = os.environ["TMPDIR"] = os.path.abspath(worker.local_directory)
