"""The ground a demo stands on: a folder that is removed, a server of its own, nothing of yours.

FOLDER/state      the state folder of the server, closed to everybody else
FOLDER/files      what tasks read; they may run as another user
FOLDER/exchange   where tasks leave something for later attempts
"""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from runyard.cli import follow, server_process
from runyard.cli.client import Client
from runyard.cli.connect import TOKEN_FILE
from runyard.cli.demo.interpreter import SEARCH_PATH
from runyard.cli.run_ref import path
from runyard.cli.surroundings import pause
from runyard.config import Config
from runyard.model.errors import PlatformError, ServerUnavailable
from runyard.model.run import FINAL
from runyard.setting_sources import PREFIX

_ANYBODY_MAY_LEAVE = 0o1777
_ANYBODY_MAY_READ = 0o755
_STOP_SECONDS_MAX = 30.0


@dataclass(frozen=True, slots=True)
class Ground:
    """A running server and its folder."""

    folder: Path
    url: str

    @property
    def state_folder(self) -> Path:
        """The server's state folder."""
        return self.folder / "state"

    @property
    def files(self) -> Path:
        """What tasks read."""
        return self.folder / "files"

    @property
    def exchange(self) -> Path:
        """Where tasks may make folders."""
        return self.folder / "exchange"

    def connect(self) -> Client:
        """A client of the server, on a connection of its own."""
        return Client(self.url, (self.state_folder / TOKEN_FILE).read_text().strip())


@contextmanager
def prepared(config: Config, *, keep: bool) -> Iterator[Ground]:
    """A server on fresh ground. At the end both go, unless `keep` and all went well so far.

    Of `config`, which is the caller's, only the user of tasks is taken over.
    """
    folder = Path(tempfile.mkdtemp(prefix="runyard-demo-"))
    kept = False
    try:
        _lay_out(folder)
        url = server_process.start(
            folder / "state", "127.0.0.1", 0, _environment(config, folder / "state")
        )
        ground = Ground(folder, url)
        try:
            yield ground
            kept = keep
        finally:
            if not kept:
                with _undisturbed():
                    _stop(ground)
    finally:
        if not kept:
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Ctrl-C a second time does not leave a server behind; what it would cut short is bounded."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _lay_out(folder: Path) -> None:
    folder.chmod(_ANYBODY_MAY_READ)
    (folder / "state").mkdir(mode=0o700)
    (folder / "files").mkdir()
    (folder / "files").chmod(_ANYBODY_MAY_READ)
    (folder / "exchange").mkdir()
    if os.geteuid() == 0:  # else tasks run as us
        (folder / "exchange").chmod(_ANYBODY_MAY_LEAVE)


def _environment(config: Config, state_folder: Path) -> dict[str, str]:
    """The server's whole environment: no setting of the caller's reaches it by accident."""
    return {
        f"{PREFIX}STATE_FOLDER": str(state_folder),
        f"{PREFIX}TASK_USER": config.task_user,
        "PATH": SEARCH_PATH,
        "HOME": str(state_folder),
        "LANG": "C.UTF-8",
    }


def _stop(ground: Ground) -> None:
    """Ends every run, then the server. What is gone already is no fault."""
    with suppress(PlatformError, OSError):
        client = ground.connect()
        live = [run["id"] for run in client.get("/runs")["runs"] if run["state"] not in FINAL]
        _cancel(client, live)
        client.close()
        for run in live:
            for _ in follow.events(ground.connect, run, pause, log=False):
                pass
    found = server_process.running(ground.state_folder)
    if found is not None and not server_process.stop(found, _STOP_SECONDS_MAX):
        raise ServerUnavailable(
            f"the server of the demo (pid {found.pid}) does not end",
            hint=f"kill it, then remove {ground.folder}",
        )


def _cancel(client: Client, runs: Iterable[str]) -> None:
    for run in runs:
        with suppress(PlatformError):  # it has ended by itself meanwhile
            client.post(f"{path(run)}:cancel", {"reason": "the demo ends"}, again=True)
