"""The file that a backup is: a gzipped tar file of parts and a manifest, checked whole before any
of it is used.

The manifest says of each part how long it is and its SHA-256. Only files of the expected names are
ever taken out.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import file_digest
from pathlib import Path

from runyard import __version__
from runyard.model.errors import (
    AlreadyExists,
    Fault,
    InvalidSpec,
    NotFound,
    SchemaMismatch,
    StoreFull,
    StoreUnavailable,
)
from runyard.premises import make_folder

FORMAT = 1
MANIFEST = "manifest.json"
CLOUD = "cloud/cloud.db"
RUNS = "runyard.db"
_NAMES = re.compile(r"runyard\.db|cloud/cloud\.db|rows/[a-z_]{1,63}\.copy")
_BESIDE = ("-wal", "-shm")  #: what SQLite keeps beside a database file
_MANIFEST_BYTES_MAX = 256 * 1024
_COMPRESSION = 1  #: rows are text that compresses well; more effort gains little and takes long


@dataclass(frozen=True, slots=True)
class Part:
    """One database in a backup, or one table of `rows` rows with `columns` in their order."""

    name: str
    size_bytes: int
    sha256: str
    schema_version: int
    columns: tuple[str, ...] = ()
    rows: int = 0


@dataclass(frozen=True, slots=True)
class Backup:
    """What a backup says of itself. `database`: where the runs were kept."""

    format: int
    runyard: str
    created_at: str
    parts: tuple[Part, ...]
    database: str = "sqlite"


def pack(backup: Backup, folder: Path, target: Path) -> None:
    """Write the parts in `folder` to `target`, whole or not at all, for its owner only."""
    (folder / MANIFEST).write_text(json.dumps(asdict(backup), indent=1))
    packed = folder / "packed"
    with tarfile.open(packed, "w:gz", compresslevel=_COMPRESSION) as tar:
        for name in (MANIFEST, *(part.name for part in backup.parts)):
            tar.add(folder / name, name)
    packed.chmod(0o600)
    sync(packed)
    os.link(packed, target)
    sync(target.parent)


def new_backup(parts: Sequence[Part], now: datetime, database: str) -> Backup:
    """A backup by this program."""
    return Backup(FORMAT, __version__, now.isoformat(), tuple(parts), database)


def check_target(target: Path) -> None:
    """Raises AlreadyExists when it is there."""
    if target.exists():
        raise AlreadyExists(f"{target} is there already", hint="name another file")


def opened(archive: Path, folder: Path, database: str) -> Backup:
    """The backup's parts in `folder`, each as it was. `database`: where runs are to be kept.

    Raises NotFound, InvalidSpec (no backup, or a damaged one), SchemaMismatch (of another form or
    another database).
    """
    if not archive.is_file():
        raise NotFound(f"there is no file {archive}", hint="name a file that `runyard backup` made")
    backup = unpack(archive, folder)
    if backup.database != database:
        raise SchemaMismatch(
            f"{archive} is a backup of runs that were kept in {backup.database}, and the settings "
            f"say {database}",
            hint="RUNYARD_DATABASE_URL says where runs are kept; empty: in the state folder",
        )
    for part in backup.parts:
        _check(folder / part.name, part, archive)
    return backup


@contextmanager
def workshop(beside: Path) -> Iterator[Path]:
    """A folder on the same disk as the result, gone afterwards."""
    try:
        with tempfile.TemporaryDirectory(prefix=".runyard-", dir=beside) as name:
            for inner in ("cloud", "rows"):
                (Path(name) / inner).mkdir()
            yield Path(name)
    except OSError as error:
        words = f"{beside} cannot be written: {error.strerror}"
        kind = StoreFull if error.errno == 28 else StoreUnavailable  # ENOSPC
        raise kind(words, hint="free some space, or choose another place") from error


def unpack(archive: Path, workshop: Path) -> Backup:
    """The backup's parts in the workshop; only files of the expected names, nothing else."""
    try:
        with tarfile.open(archive, "r:gz") as tar:
            backup = _manifest(tar, archive)
            for part in backup.parts:
                found = tar.extractfile(part.name)
                if found is None:
                    raise damaged(archive, f"{part.name} is no file")
                with (workshop / part.name).open("wb") as copy:
                    shutil.copyfileobj(found, copy)
    except (tarfile.TarError, EOFError, KeyError, UnicodeDecodeError, ValueError) as error:
        raise damaged(archive, str(error)) from error
    return backup


def _manifest(tar: tarfile.TarFile, archive: Path) -> Backup:
    found = tar.extractfile(MANIFEST)
    if found is None:
        raise damaged(archive, f"{MANIFEST} is no file")
    said = json.loads(found.read(_MANIFEST_BYTES_MAX))
    try:
        parts = tuple(
            Part(**part | {"columns": tuple(part.get("columns", ()))}) for part in said["parts"]
        )
        backup = Backup(**said | {"parts": parts})
    except TypeError as error:
        raise damaged(archive, str(error)) from error
    names = {part.name for part in parts}
    if backup.format != FORMAT or not _fit(backup.database, names):
        raise SchemaMismatch(
            f"{archive} is a backup of form {backup.format} by Runyard {backup.runyard}; this "
            f"program knows form {FORMAT}",
            hint="restore it with the Runyard that made it",
        )
    return backup


def _fit(database: str, names: set[str]) -> bool:
    """True when these are the parts of a backup."""
    if database == "sqlite":
        return names == {RUNS, CLOUD}
    return CLOUD in names and RUNS not in names and all(map(_NAMES.fullmatch, names))


def _check(path: Path, part: Part, archive: Path) -> None:
    if path.stat().st_size != part.size_bytes or digest(path) != part.sha256:
        raise damaged(archive, f"{part.name} is not what was backed up")
    path.chmod(0o600)


def check_version(part: Part, known: int) -> None:
    """Raises SchemaMismatch when this program does not know so much."""
    if part.schema_version > known:
        raise SchemaMismatch(
            f"{part.name} has schema version {part.schema_version}, this program knows {known}",
            hint="restore it with the newer Runyard that made it",
        )


def move_away(folder: Path, names: Sequence[str], now: datetime) -> Path | None:
    """Move the databases of these names aside; the folder they are in then, if any was there."""
    found = [
        folder / f"{name}{ending}"
        for name in names
        for ending in ("", *_BESIDE)
        if (folder / f"{name}{ending}").exists()
    ]
    if not found:
        return None
    before = folder / f"before-restore-{now:%Y%m%dT%H%M%S%f}"
    make_folder(before)
    for path in found:
        path.replace(before / path.name)
    return before


def digest(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def sync(path: Path) -> None:
    """Have it on the disk."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def damaged(path: Path, words: str) -> InvalidSpec:
    """What is wrong with a backup."""
    fault = Fault("backup", str(path), "a whole file that `runyard backup` made", words)
    return InvalidSpec(
        f"{path} is no backup, or a damaged one; nothing was changed", faults=(fault,)
    )
