"""What one server alone has of its machine: the state folder, a port, and the note that says so."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

import orjson

from runyard import __version__
from runyard.model.errors import ServerUnavailable, StoreError, StoreFull, StoreUnavailable

LOCKS = Path("/proc/locks")
_NAME_BYTES_MAX = 200


@contextmanager
def state_folder(folder: Path, *, shared: bool = False) -> Iterator[Path]:
    """The state folder, made if need be, for this process alone, or `shared` by several that keep
    their runs on a database server.

    Raises StoreUnavailable when it cannot be written or another server has it.
    """
    make_folder(folder)
    try:
        lock = (folder / "lock").open("a")
    except OSError as error:
        raise _not_writable(folder, error) from error
    with lock:
        try:
            fcntl.flock(lock, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
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
    commands find it, unless another server that lives stands in it; the file goes when the block
    ends, if it speaks of this process."""
    path = folder / "server.json"
    said = {"url": url, "pid": os.getpid(), "started_at": now, "version": __version__}

    def announce() -> None:
        if _announced_pid(path) not in (None, os.getpid()):
            return
        draft = path.with_name(f".server.json.{os.getpid()}")
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
            if _announced_pid(path) == os.getpid():
                path.unlink(missing_ok=True)


def _announced_pid(path: Path) -> int | None:
    """The process that `server.json` speaks of; None when no process of ours has that number."""
    try:
        pid = int(orjson.loads(path.read_bytes())["pid"])
        words = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return pid if b"runyard" in words else None


class Post:
    """The post at the cloud in `folder`: one process holds it and works, others stand by.

    It is a lock of the kernel, so it is free at the moment that its holder dies, however it dies.
    A holder that hangs keeps it; who stands by may end that one, and the kernel names it: nobody
    else is ever signalled.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / "post"
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def take(self, name: str) -> bool:
        """Take it for the process `name`; False when another one holds it."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, name.encode(), 0)
        return True

    def holder(self) -> str:
        """The name of who took it last."""
        return os.pread(self._file, _NAME_BYTES_MAX, 0).decode(errors="replace")

    def handle(self) -> int | None:
        """A handle of the process that holds it now, to be waited for and closed; None when there
        is none, or the kernel does not tell."""
        for pid in self._pids():
            try:
                handle = os.pidfd_open(pid)
            except OSError:
                continue
            if self._is_holder(pid):  # it is no other's number yet
                return handle
            os.close(handle)
        return None

    def close(self) -> None:
        """Give it up."""
        os.close(self._file)

    def _pids(self) -> list[int]:
        """Who holds a lock on a file of this number, in any filesystem."""
        inode = str(os.fstat(self._file).st_ino)
        found = []
        with suppress(OSError):
            for line in LOCKS.read_text().splitlines():
                words = line.split()
                if words[1:2] == ["FLOCK"] and words[5].rpartition(":")[2] == inode:
                    found.append(int(words[4]))
        return [pid for pid in found if pid > 0]

    def _is_holder(self, pid: int) -> bool:
        with suppress(OSError):  # it has ended, or is another user's
            return pid in self._pids() and self._has_open(pid)
        return False

    def _has_open(self, pid: int) -> bool:
        mine = os.fstat(self._file)
        for entry in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(OSError):
                if os.path.samestat(entry.stat(), mine):
                    return True
        return False


def end_process(handle: int) -> None:
    """End a process for good, whatever it is doing, also when it is stopped."""
    with suppress(ProcessLookupError):
        signal.pidfd_send_signal(handle, signal.SIGKILL)
