"""A real server in a folder of its own, and everything that can be killed about it.

Its runs are kept in the folder, or in a PostgreSQL server that can be killed too.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.chaos.load import AWAY, Api
from tests.support.postgresql import Server


@dataclass(slots=True)
class RealYard:
    """One state folder and the processes that belong to it."""

    folder: Path
    database: Server | None = None
    server: subprocess.Popen[bytes] | None = None
    kills: dict[str, int] = field(default_factory=dict)
    url: str = ""

    def prepare(self) -> None:
        """Make the folder, and the database if it is on a server."""
        self.folder.mkdir(mode=0o700)
        if self.database is not None:
            self.url = self.database.database()

    @property
    def api(self) -> Api:
        """Its API."""
        return Api(self.folder)

    def start(self) -> None:
        """Start a server, and wait until it serves or has failed."""
        reader, writer = os.pipe()
        with (self.folder / "server.log").open("ab") as log:
            self.server = subprocess.Popen(
                [*self._words(), "--ready-fd", str(writer)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(writer,),
            )
        os.close(writer)
        with os.fdopen(reader, "rb") as told:
            assert told.read(), f"the server did not come up: {self.log_end()}"

    def start_only(self) -> None:
        """Start a server and do not wait for it."""
        with (self.folder / "server.log").open("ab") as log:
            self.server = subprocess.Popen(
                self._words(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def _words(self) -> list[str]:
        """`env` becomes the server: same process, one variable more."""
        settings = [f"RUNYARD_STATE_FOLDER={self.folder}", f"RUNYARD_DATABASE_URL={self.url}"]
        serve = [sys.executable, "-m", "runyard.cli.serve", "--port", "0"]
        return ["/usr/bin/env", *settings, *serve]

    def wait(self, seconds: float) -> None:
        """Let the world outside go on; it has no signal for a moment."""
        threading.Event().wait(seconds)

    def kill_server(self) -> None:
        """SIGKILL the server: face, engine and cloud in one."""
        assert self.server is not None
        self.server.kill()
        self.server.wait()
        self._count("server")

    def kill_database(self) -> None:
        """What a power cut is to PostgreSQL: no process of it says good-bye."""
        assert self.database is not None
        self.database.stop("immediate")
        self._count("postgresql")

    def start_database(self) -> None:
        """Start PostgreSQL again: it recovers what it had acknowledged."""
        assert self.database is not None
        self.database.start()

    def kill_spawner(self) -> bool:
        """SIGKILL the spawner, if there is one."""
        killed = False
        for pid in self.spawners():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                killed = True
        if killed:
            self._count("spawner")
        return killed

    def _count(self, what: str) -> None:
        self.kills[what] = self.kills.get(what, 0) + 1

    def spawners(self) -> list[int]:
        """The spawners of this folder."""
        mine = f'"folder": "{self.folder}/cloud/spawner"'.encode()
        return [pid for pid, words in command_lines() if mine in words]

    def tasks(self, evidence: Path) -> list[int]:
        """Processes of our jobs, known by their environment."""
        mine = f"EVIDENCE={evidence}".encode()
        return [pid for pid, _ in command_lines() if mine in environment(pid)]

    def is_up(self) -> bool:
        """True while the server's process lives."""
        return self.server is not None and self.server.poll() is None

    def is_ready(self) -> bool:
        """True when the server answers that it is."""
        try:
            return self.api.call("GET", "/ready")[0] == 200
        except AWAY:
            return False

    def end(self) -> None:
        """Stop the server and the spawner."""
        if self.server is not None and self.server.poll() is None:
            self.server.terminate()
            self.server.wait(30)
        for pid in self.spawners():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)

    def log_end(self) -> str:
        """The last lines of the server's log."""
        return "\n".join((self.folder / "server.log").read_text().splitlines()[-20:])

    def faults_logged(self) -> list[str]:
        """Lines of the log that speak of a fault of the program."""
        lines = (self.folder / "server.log").read_text().splitlines()
        return [line for line in lines if "fault of the program" in line or "Traceback" in line]


def command_lines() -> list[tuple[int, bytes]]:
    """Every process and its command line."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            found.append((int(folder.name), (folder / "cmdline").read_bytes()))
    return found


def environment(pid: int) -> list[bytes]:
    """A process's environment, empty when it is gone."""
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return []
