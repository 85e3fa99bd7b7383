"""A folder that the tasks' user can reach; pytest's own are closed to other users."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def reachable_folder() -> Iterator[Path]:
    """A fresh folder, open to read for everybody, removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="runyard-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)
