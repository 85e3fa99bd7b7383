"""Is the state folder fit to hold a database that must not lose anything?"""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from runyard.cli.check import Check
from runyard.cli.times import size

_MIB = 1024 * 1024
_DISK_FAIL_BYTES = 100 * _MIB
_DISK_WARN_BYTES = 1024 * _MIB
_COMMITS = 20
_COMMIT_WARN_MILLISECONDS = 50.0
#: RETURNING and UPSERT with it: https://www.sqlite.org/lang_returning.html
_SQLITE_MIN = (3, 35, 0)
_CLOCK_SECONDS_MAX = 2.0


def checks(folder: Path, now: datetime) -> Iterator[Check]:
    """Everything about `folder`, or about the nearest folder above it that is there."""
    present = folder
    while not present.exists() and present != present.parent:
        present = present.parent
    yield _sqlite_version()
    yield _folder(folder, present)
    yield _disk(present)
    try:
        with tempfile.TemporaryDirectory(dir=present, prefix=".runyard-doctor-") as trial:
            yield _database(Path(trial))
            yield _clock(Path(trial), now)
    except OSError as error:
        yield Check(
            "state folder",
            "fail",
            f"{present} cannot be written: {error.strerror}",
            "set RUNYARD_STATE_FOLDER to a folder of yours on a local disk",
        )


def _sqlite_version() -> Check:
    version = sqlite3.sqlite_version
    if sqlite3.sqlite_version_info < _SQLITE_MIN:
        wanted = ".".join(map(str, _SQLITE_MIN))
        return Check("sqlite", "fail", version, f"use a Python with SQLite {wanted} or later")
    return Check("sqlite", "ok", version)


def _folder(folder: Path, present: Path) -> Check:
    if folder != present:
        return Check("state folder", "ok", f"{folder}, made at the first start")
    status = folder.stat()
    if status.st_uid != os.geteuid():
        return Check(
            "state folder", "fail", f"{folder} belongs to user {status.st_uid}", "be that user"
        )
    mode = stat.S_IMODE(status.st_mode)
    if mode & 0o077:
        return Check("state folder", "warn", f"{folder} has mode {mode:04o}", f"chmod 700 {folder}")
    return Check("state folder", "ok", str(folder))


def _disk(folder: Path) -> Check:
    free = shutil.disk_usage(folder).free
    found = f"{size(free)} free"
    if free < _DISK_FAIL_BYTES:
        return Check("disk", "fail", found, "free some; the server stops accepting work when full")
    if free < _DISK_WARN_BYTES:
        return Check(
            "disk", "warn", found, "free some, or keep less (RUNYARD_LOG_RETENTION_SECONDS)"
        )
    return Check("disk", "ok", found)


def _database(folder: Path) -> Check:
    """A write-ahead log, and commits that wait for the disk as the server's do."""
    database = sqlite3.connect(folder / "trial.db", isolation_level=None)
    try:
        (mode,) = database.execute("PRAGMA journal_mode = WAL").fetchone()
        if mode != "wal":
            return Check(
                "write-ahead log",
                "fail",
                f"refused ({mode})",
                "use a local disk, not a network one",
            )
        database.execute("PRAGMA synchronous = FULL")
        database.execute("CREATE TABLE trial (number INTEGER)")
        begun = time.perf_counter()
        for number in range(_COMMITS):
            database.execute("INSERT INTO trial VALUES (?)", (number,))
        milliseconds = (time.perf_counter() - begun) / _COMMITS * 1000
    except sqlite3.Error as error:
        return Check("write-ahead log", "fail", str(error), "use a local disk, not a network one")
    finally:
        database.close()
    found = f"works, {milliseconds:.2f} ms a durable commit"
    if milliseconds > _COMMIT_WARN_MILLISECONDS:
        return Check("write-ahead log", "warn", found, "a faster disk would start runs sooner")
    return Check("write-ahead log", "ok", found)


def _clock(folder: Path, now: datetime) -> Check:
    """The disk's clock beside ours: they differ on network disks, and after a jump."""
    file = folder / "clock"
    file.touch()
    apart = file.stat().st_mtime - now.timestamp()
    # `now` is older than the file by what the checks before took.
    if not -_CLOCK_SECONDS_MAX < apart < _CLOCK_SECONDS_MAX + 60:
        return Check(
            "clock", "warn", f"the disk's clock is {apart:+.0f} s from ours", "synchronise it (NTP)"
        )
    return Check("clock", "ok", now.astimezone().strftime("%Y-%m-%d %H:%M:%S %Z"))
