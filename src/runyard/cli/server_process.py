"""The server as a process of this machine: how it is started, and which one it is."""

from __future__ import annotations

import os
import select
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from runyard.cli.connect import ServerFile, server_file
from runyard.model.errors import PermissionDenied

SERVE_MODULE = "runyard.cli.serve"
LOG_FILE = "server.log"


def command(host: str | None, port: int | None, ready_fd: int | None = None) -> list[str]:
    """The command line of a server process. No secret is ever part of it."""
    options = (("--host", host), ("--port", port), ("--ready-fd", ready_fd))
    given = [text for name, value in options if value is not None for text in (name, str(value))]
    # -P: a json.py in the folder where someone types this is not a part of Python.
    return [sys.executable, "-P", "-m", SERVE_MODULE, *given]


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
    except OSError:  # no such process, or no such number
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
