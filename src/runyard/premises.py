"""What one server alone has of its machine: the state folder, a port, and the note that says so."""

from __future__ import annotations

import errno
import fcntl
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

import orjson

from runyard import __version__
from runyard.model.errors import ServerUnavailable, StoreError, StoreFull, StoreUnavailable


@contextmanager
def state_folder(folder: Path) -> Iterator[Path]:
    """The state folder, made if need be, for this process alone.

    Raises StoreUnavailable when it cannot be written or another server has it.
    """
    make_folder(folder)
    try:
        lock = (folder / "lock").open("w")
    except OSError as error:
        raise _not_writable(folder, error) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise StoreUnavailable(
                f"another server works in the state folder {folder}",
                hint="use that one (`runyard status`), stop it (`runyard down`), or name another "
                "folder with RUNYARD_STATE_FOLDER",
            ) from None
        yield folder


def make_folder(folder: Path) -> None:
    """A folder for this user alone, if it is not there yet. Raises StoreError."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise _not_writable(folder, error) from error


def _not_writable(path: Path, error: OSError) -> StoreError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StoreFull(f"there is no room left for {path}", hint="free some disk space")
    words = "it is a file" if isinstance(error, FileExistsError) else error.strerror
    return StoreUnavailable(
        f"the state folder cannot be written, at {path}: {words}",
        hint="make it writable for this user, or name another with RUNYARD_STATE_FOLDER",
    )


def listening_socket(host: str, port: int) -> socket.socket:
    """A socket bound to the server's address (port 0: a free one).

    Raises ServerUnavailable when that cannot be.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise ServerUnavailable(
            f"cannot listen on {host} port {port}: {error.strerror or error}",
            hint="stop what uses it, or take another port (RUNYARD_PORT, `runyard up --port N`; "
            "0 takes a free one)",
        ) from error


@contextmanager
def announced(folder: Path, url: str, now: datetime) -> Iterator[Callable[[], None]]:
    """Gives a function that writes `server.json` (`now` is when the server started), by which
    commands find it; the file goes when the block ends."""
    path = folder / "server.json"
    said = {"url": url, "pid": os.getpid(), "started_at": now, "version": __version__}

    def announce() -> None:
        draft = path.with_name("server.json.new")
        try:
            draft.write_bytes(orjson.dumps(said))
            draft.chmod(0o600)
            draft.replace(path)
        except OSError as error:
            raise _not_writable(path, error) from error

    try:
        yield announce
    finally:
        with suppress(OSError):
            path.unlink(missing_ok=True)
