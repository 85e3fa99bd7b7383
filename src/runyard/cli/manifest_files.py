"""From what a person names to the manifests it means: files and folders of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from runyard.cli.files import read_bytes, unreadable
from runyard.cli.session import SESSION
from runyard.cli.surroundings import settings
from runyard.model.errors import NotFound
from runyard.model.manifest import Source, decoded

SUFFIXES = (".yaml", ".yml", ".json")
#: Looked for in the current folder when nothing is named: the first that is there.
DEFAULTS = (Path("runyard.yaml"), Path("runyard.yml"), Path("runyard"))


def read(paths: Sequence[Path]) -> list[Source]:
    """The files by name as typed, in a stable order; remembered for showing errors in them.

    Raises `NotFound` when a path, or any manifest in a folder, is missing, and `InvalidSpec` for
    a file that is too long or not UTF-8.
    """
    bytes_max = settings().manifest_bytes_max
    files = dict.fromkeys(file for path in paths or _default() for file in _files(path))
    sources = [decoded(_name(file), read_bytes(file, bytes_max)) for file in files]
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


def _name(file: Path) -> str:
    """As typed; the bytes of a name that are no UTF-8 escaped, since no server would take them."""
    return str(file).encode("utf-8", "backslashreplace").decode()


def _files(path: Path) -> list[Path]:
    try:
        if not path.is_dir():
            return [path]
        every = path.rglob("*")
        found = sorted(file for file in every if file.suffix in SUFFIXES and file.is_file())
    except OSError as error:
        raise unreadable(path, error) from None
    if not found:
        raise NotFound(
            f"the folder {path} has no file {' or '.join(f'*{one}' for one in SUFFIXES)}"
        )
    return found
