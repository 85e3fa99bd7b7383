"""From what a person names to the manifests it means: files and folders of them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from runyard.cli.files import read_bytes, unreadable
from runyard.cli.output import printable
from runyard.cli.session import SESSION
from runyard.cli.surroundings import settings
from runyard.model.errors import NotFound
from runyard.model.manifest import Source, decoded

SUFFIXES = (".yaml", ".yml", ".json")
#: Looked for in the current folder when nothing is named: the first that is there.
DEFAULTS = (Path("runyard.yaml"), Path("runyard.yml"), Path("runyard"))


def read(paths: Sequence[Path]) -> list[Source]:
    """The files by name as typed (made printable), in a stable order; remembered for showing
    errors in them.

    Raises `NotFound` when a path, or any manifest in a folder, is missing, and `InvalidSpec` for
    a file that is too long or not UTF-8.
    """
    bytes_max = settings().manifest_bytes_max
    files = dict.fromkeys(file for path in paths or _default() for file in _files(path))
    sources = [decoded(printable(file), read_bytes(file, bytes_max)) for file in files]
    SESSION.get().sources.update({source.name: source.text for source in sources})
    return sources


def _default() -> Sequence[Path]:
    for path in DEFAULTS:
        if path.exists():
            return (path,)
    raise NotFound(
        "there is no runyard.yaml and no folder runyard here",
        hint="name a manifest, or a folder of them",
    )


def _files(path: Path) -> list[Path]:
    try:
        if not path.is_dir():
            return [path]
        found = sorted(file for file in _within(path) if file.suffix in SUFFIXES and file.is_file())
    except OSError as error:
        raise unreadable(path, error) from None
    if not found:
        raise NotFound(
            f"the folder {path} has no file {' or '.join(f'*{one}' for one in SUFFIXES)}"
        )
    return found


def _within(folder: Path) -> Iterator[Path]:
    """Every file below `folder`. Raises OSError: a part that cannot be read is not left out."""

    def stop(error: OSError) -> None:
        raise error

    for parent, _, names in os.walk(folder, onerror=stop):
        yield from (Path(parent) / name for name in names)
