"""Backups of a state folder: taken while a server works, and put back while none does.

A backup is a gzipped tar file: both databases and a manifest that says of each how long it is and
its SHA-256. Each database is copied in one read transaction (SQLite's VACUUM INTO), the engine's
before the cloud's: whatever the first says was launched, the second has heard of. Sealed secrets
are in it, the key that opens them is not, nor is the token, nor are logs.

What was running when a backup was taken is, after a restore, an attempt that the cloud finds lost,
and goes on by its job's policy.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path

from runyard.database.migrations import migrations
from runyard.database.sqlite import relabelled
from runyard.model.errors import NotFound
from runyard.premises import make_folder, state_folder
from runyard.upkeep.archive import (
    CLOUD,
    RUNS,
    Backup,
    Part,
    check_target,
    check_version,
    digest,
    move_away,
    new_backup,
    opened,
    pack,
    sync,
    workshop,
)
from runyard.upkeep.schema import CLOUD_STEPS, RUN_STEPS

_STEPS = {RUNS: RUN_STEPS, CLOUD: CLOUD_STEPS}


def back_up(folder: Path, target: Path, now: datetime) -> Backup:
    """Write a backup of the state folder to `target`, whole or not at all, for its owner only.

    Raises NotFound (there is nothing to back up), AlreadyExists (`target`), StoreError.
    """
    if not (folder / RUNS).exists():
        raise NotFound(f"there is no database in {folder}", hint="a first `runyard up` makes it")
    check_target(target)
    with workshop(target.parent) as shop:
        parts = [copy_database(folder, name, shop) for name in _STEPS]
        backup = new_backup(parts, now, "sqlite")
        pack(backup, shop, target)
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
    with state_folder(folder), workshop(folder) as shop:
        backup = opened(archive, shop, "sqlite")
        for part in backup.parts:
            check_version(part, len(migrations(_STEPS[part.name], "sqlite")))
        before = move_away(folder, list(_STEPS), now)
        for part in backup.parts:
            put_database(folder, part, shop)
        sync(folder)
    return backup, before


def put_database(folder: Path, part: Part, shop: Path) -> None:
    """Put a database of a backup into its place."""
    make_folder((folder / part.name).parent)
    (shop / part.name).replace(folder / part.name)


def copy_database(folder: Path, name: str, workshop: Path) -> Part:
    """A copy of one SQLite database, taken in one read transaction."""
    copy = workshop / name
    try:
        with closing(sqlite3.connect(f"file:{folder / name}?mode=ro", uri=True)) as connection:
            connection.execute("VACUUM INTO ?", (str(copy),))
        with closing(sqlite3.connect(copy)) as connection:
            query = "SELECT max(version) FROM schema_versions"
            version = int(connection.execute(query).fetchone()[0])
    except sqlite3.Error as error:
        raise relabelled(error, str(folder / name)) from error
    return Part(name, copy.stat().st_size, digest(copy), version)
