"""Backups of a state folder: taken while a server works, and put back while none does.

A backup is a gzipped tar file: both databases and a manifest that says of each how long it is and
its SHA-256. Each database is copied in one read transaction (SQLite's VACUUM INTO), the engine's
before the cloud's: whatever the first says was launched, the second has heard of. Sealed secrets
are in it, the key that opens them is not, nor is the token, nor are logs.

What was running when a backup was taken is, after a restore, an attempt that the cloud finds lost,
and goes on by its job's policy.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import file_digest
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from runyard import __version__
from runyard.database.migrations import migrations
from runyard.database.sqlite import relabelled
from runyard.model.errors import (
    AlreadyExists,
    Fault,
    InvalidSpec,
    NotFound,
    SchemaMismatch,
    StoreFull,
    StoreUnavailable,
)
from runyard.premises import make_folder, state_folder

FORMAT = 1
MANIFEST = "manifest.json"
DATABASES: dict[str, Traversable] = {
    "runyard.db": files("runyard.store.migrations"),
    "cloud/cloud.db": files("runyard.localcloud") / "migrations",
}
_BESIDE = ("-wal", "-shm")  #: what SQLite keeps beside a database file
_MANIFEST_BYTES_MAX = 64 * 1024
_COMPRESSION = 1  #: rows are text that compresses well; more effort gains little and takes long


@dataclass(frozen=True, slots=True)
class Part:
    """One database in a backup."""

    name: str
    size_bytes: int
    sha256: str
    schema_version: int


@dataclass(frozen=True, slots=True)
class Backup:
    """What a backup says of itself."""

    format: int
    runyard: str
    created_at: str
    parts: tuple[Part, ...]


def back_up(folder: Path, target: Path, now: datetime) -> Backup:
    """Write a backup of the state folder to `target`, whole or not at all, for its owner only.

    Raises NotFound (there is nothing to back up), AlreadyExists (`target`), StoreError.
    """
    if not (folder / "runyard.db").exists():
        raise NotFound(f"there is no database in {folder}", hint="a first `runyard up` makes it")
    if target.exists():
        raise AlreadyExists(f"{target} is there already", hint="name another file")
    with _workshop(target.parent) as workshop:
        parts = tuple(_copy(folder, name, workshop) for name in DATABASES)
        backup = Backup(FORMAT, __version__, now.isoformat(), parts)
        (workshop / MANIFEST).write_text(json.dumps(asdict(backup), indent=1))
        packed = workshop / "packed"
        with tarfile.open(packed, "w:gz", compresslevel=_COMPRESSION) as tar:
            for name in (MANIFEST, *DATABASES):
                tar.add(workshop / name, name)
        packed.chmod(0o600)
        _sync(packed)
        os.link(packed, target)
        _sync(target.parent)
    return backup


def restore(archive: Path, folder: Path, now: datetime) -> tuple[Backup, Path | None]:
    """Put a backup into the state folder. What was there is moved into a folder beside, which is
    returned, or None when nothing was there.

    The backup is read and checked whole before anything is moved. Raises NotFound, InvalidSpec
    (no backup, or a damaged one), SchemaMismatch (of a newer Runyard), StoreUnavailable (a server
    works in the folder).
    """
    if not archive.is_file():
        raise NotFound(f"there is no file {archive}", hint="name a file that `runyard backup` made")
    with state_folder(folder), _workshop(folder) as workshop:
        backup = _unpack(archive, workshop)
        for part in backup.parts:
            _check(workshop / part.name, part, archive)
        before = _move_away(folder, now)
        for part in backup.parts:
            make_folder((folder / part.name).parent)
            (workshop / part.name).replace(folder / part.name)
        _sync(folder)
    return backup, before


@contextmanager
def _workshop(beside: Path) -> Iterator[Path]:
    """A folder on the same disk as the result, gone afterwards."""
    try:
        with tempfile.TemporaryDirectory(prefix=".runyard-", dir=beside) as name:
            (Path(name) / "cloud").mkdir()
            yield Path(name)
    except OSError as error:
        words = f"{beside} cannot be written: {error.strerror}"
        kind = StoreFull if error.errno == 28 else StoreUnavailable  # ENOSPC
        raise kind(words, hint="free some space, or choose another place") from error


def _copy(folder: Path, name: str, workshop: Path) -> Part:
    copy = workshop / name
    try:
        with closing(sqlite3.connect(f"file:{folder / name}?mode=ro", uri=True)) as connection:
            connection.execute("VACUUM INTO ?", (str(copy),))
        with closing(sqlite3.connect(copy)) as connection:
            query = "SELECT max(version) FROM schema_versions"
            version = int(connection.execute(query).fetchone()[0])
    except sqlite3.Error as error:
        raise relabelled(error, str(folder / name)) from error
    return Part(name, copy.stat().st_size, _digest(copy), version)


def _unpack(archive: Path, workshop: Path) -> Backup:
    """The backup's parts in the workshop; only files of the expected names, nothing else."""
    try:
        with tarfile.open(archive, "r:gz") as tar:
            backup = _manifest(tar, archive)
            for part in backup.parts:
                found = tar.extractfile(part.name)
                if found is None:
                    raise _damaged(archive, f"{part.name} is no file")
                with (workshop / part.name).open("wb") as copy:
                    shutil.copyfileobj(found, copy)
    except (tarfile.TarError, EOFError, KeyError, UnicodeDecodeError, ValueError) as error:
        raise _damaged(archive, str(error)) from error
    return backup


def _manifest(tar: tarfile.TarFile, archive: Path) -> Backup:
    found = tar.extractfile(MANIFEST)
    if found is None:
        raise _damaged(archive, f"{MANIFEST} is no file")
    said = json.loads(found.read(_MANIFEST_BYTES_MAX))
    try:
        parts = tuple(Part(**part) for part in said["parts"])
        backup = Backup(**said | {"parts": parts})
    except TypeError as error:
        raise _damaged(archive, str(error)) from error
    if backup.format != FORMAT or {part.name for part in parts} != DATABASES.keys():
        raise SchemaMismatch(
            f"{archive} is a backup of form {backup.format} by Runyard {backup.runyard}; this "
            f"program knows form {FORMAT}",
            hint="restore it with the Runyard that made it",
        )
    return backup


def _check(path: Path, part: Part, archive: Path) -> None:
    if path.stat().st_size != part.size_bytes or _digest(path) != part.sha256:
        raise _damaged(archive, f"{part.name} is not what was backed up")
    path.chmod(0o600)
    known = len(migrations(DATABASES[part.name], "sqlite"))
    if part.schema_version > known:
        raise SchemaMismatch(
            f"{part.name} has schema version {part.schema_version}, this program knows {known}",
            hint="restore it with the newer Runyard that made it",
        )


def _move_away(folder: Path, now: datetime) -> Path | None:
    found = [
        folder / f"{name}{ending}"
        for name in DATABASES
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


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _damaged(path: Path, words: str) -> InvalidSpec:
    fault = Fault("backup", str(path), "a whole file that `runyard backup` made", words)
    return InvalidSpec(
        f"{path} is no backup, or a damaged one; nothing was changed", faults=(fault,)
    )
