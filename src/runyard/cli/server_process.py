"""The server as a process of this machine: how it is started, and which one it is."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from runyard.cli import remote_errors
from runyard.cli.connect import ServerFile, server_file
from runyard.model.errors import PermissionDenied, ServerUnavailable

SERVE_MODULE = "runyard.cli.serve"
LOG_FILE = "server.log"
START_SECONDS_MAX = 60.0
_LOG_LINES_SHOWN = 15
_LOG_BYTES_MAX = 8 * 2**20
_SAID_BYTES_MAX = 65_536  #: what a pipe holds (pipe(7))


def command(
    host: str | None, port: int | None, ready_fd: int | None = None, **more: str | int | None
) -> list[str]:
    """The command line of a server process. No secret is ever part of it."""
    options = {"host": host, "port": port, "ready-fd": ready_fd}
    options |= {name.replace("_", "-"): value for name, value in more.items()}
    given = [
        text
        for name, value in options.items()
        if value is not None
        for text in (f"--{name}", str(value))
    ]
    # -P: a json.py in the folder where someone types this is not a part of Python.
    return [sys.executable, "-P", "-m", SERVE_MODULE, *given]


def start(
    folder: Path,
    host: str | None,
    port: int | None,
    environ: Mapping[str, str] | None = None,
    *,
    google_api: int | None = None,
) -> str:
    """Starts a server in a session of its own, waits until it is ready, and returns its URL.

    `environ` is its whole environment, ours by default. Raises what the server says when it does
    not come up, `ServerUnavailable` with the end of its log when it says nothing, and
    `PermissionDenied` when the folder cannot be written.
    """
    reader, writer = os.pipe()
    with _log(folder) as log:
        begun = log.tell()
        process = subprocess.Popen(  # noqa: S603  # this program itself, and checked options
            command(host, port, writer, google_api=google_api),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            pass_fds=(writer,),
            cwd=folder,
            env=environ,
        )
    os.close(writer)
    with os.fdopen(reader, "rb", buffering=0) as told, _ended_if_interrupted(process):
        ready, _, _ = select.select([told], [], [], START_SECONDS_MAX)
        said = told.read(_SAID_BYTES_MAX).decode() if ready else ""
    if not said:
        raise _failed(process, folder / LOG_FILE, begun, ended=bool(ready))
    if not said.startswith("http"):
        process.wait()
        raise remote_errors.from_reply(0, json.loads(said))
    process.returncode = 0  # it is not ours to wait for, and Popen need not warn of that
    return said


@contextmanager
def _ended_if_interrupted(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Who does not wait for a server's address does not want the server either."""
    try:
        yield
    except BaseException:
        process.terminate()
        process.wait()
        raise


def _log(folder: Path) -> BinaryIO:
    """The server's log file, readable by its owner only. It is added to: the server that is said
    to be gone may still be there. A long one is put aside."""
    path = folder / LOG_FILE
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if path.exists() and path.stat().st_size > _LOG_BYTES_MAX:
            path.replace(folder / f"{LOG_FILE}.old")
        return open(path, "ab", opener=_private)
    except OSError as error:
        raise PermissionDenied(
            f"{folder} cannot be written: {error.strerror}",
            hint="set RUNYARD_STATE_FOLDER to a folder of yours",
        ) from None


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _failed(
    process: subprocess.Popen[bytes], log: Path, begun: int, *, ended: bool
) -> ServerUnavailable:
    if not ended:
        process.terminate()
    process.wait()
    said = log.read_bytes()[begun:].decode(errors="replace")
    lines = said.splitlines()[-_LOG_LINES_SHOWN:]
    why = "ended" if ended else f"was not ready within {START_SECONDS_MAX:.0f} s"
    return ServerUnavailable(
        "\n".join([f"the server {why}; the end of {log}:", *(f"  {line}" for line in lines)]),
        hint="`runyard doctor` checks this machine",
    )


def running(folder: Path) -> ServerFile | None:
    """The server of this state folder, None when its process is not there any more."""
    found = server_file(folder)
    if found is None:
        return None
    with _handle(found.pid) as handle:
        return found if handle is not None else None


def stop(found: ServerFile, timeout_seconds: float) -> bool:
    """Sends SIGTERM and waits for the end. False when it has not ended in time."""
    with _handle(found.pid) as handle:
        if handle is None:
            return True
        try:
            signal.pidfd_send_signal(handle, signal.SIGTERM)
        except ProcessLookupError:
            return True
        except PermissionError:
            raise PermissionDenied(
                f"the server (pid {found.pid}) belongs to another user",
                hint="stop it as the user who started it",
            ) from None
        ended, _, _ = select.select([handle], [], [], timeout_seconds)
        return bool(ended)


@contextmanager
def _handle(pid: int) -> Iterator[int | None]:
    """A handle of the process, None unless it is a server of ours.

    The handle is taken before the look at the command line, so that a pid which the kernel gives
    to another process in between is never signalled.
    """
    try:
        handle = os.pidfd_open(pid)
    except (OSError, OverflowError):  # no such process, or no such number
        yield None
        return
    try:
        yield handle if _is_server(pid) else None
    finally:
        os.close(handle)


def _is_server(pid: int) -> bool:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return SERVE_MODULE.encode() in words
