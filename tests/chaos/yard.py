"""A real server in a folder of its own, and everything that can be killed about it.

Its runs are kept in the folder, by one process, or in a PostgreSQL server that can be killed too:
then the face is a process of its own, and so are two engines, one of which stands by.
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
from random import Random

from tests.chaos.load import AWAY, Api
from tests.support.postgresql import Server

ENGINES = 2
LEASE_SECONDS = 4


@dataclass(slots=True)
class RealYard:
    """One state folder and the processes that belong to it."""

    folder: Path
    database: Server | None = None
    server: subprocess.Popen[bytes] | None = None
    engines: list[subprocess.Popen[bytes]] = field(default_factory=list)
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
        self.start_engines()
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

    def start_engines(self) -> None:
        """Start the engines that are missing, on PostgreSQL."""
        self.engines = [one for one in self.engines if one.poll() is None]
        while self.database is not None and len(self.engines) < ENGINES:
            with (self.folder / "server.log").open("ab") as log:
                words = [*self._serve(), "--role", "engine"]
                self.engines.append(
                    subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
                )

    def kill_engine(self, number: signal.Signals, chance: Random) -> None:
        """Kill or stop one of the engines; one that is stopped is ended by the one that stands
        by, if it was at work."""
        engine = chance.choice(self.engines)
        with suppress(ProcessLookupError):
            engine.send_signal(number)
        if number is signal.SIGKILL:
            engine.wait()
        self._count("engine" if number is signal.SIGKILL else "engine hangs")

    def go_on(self) -> None:
        """Whoever was stopped goes on, if it still lives."""
        for engine in self.engines:
            with suppress(ProcessLookupError):
                engine.send_signal(signal.SIGCONT)

    def _words(self) -> list[str]:
        role = ["--role", "server"] if self.database is not None else []
        return [*self._serve(), "--port", "0", *role]

    def _serve(self) -> list[str]:
        """`env` becomes the server: same process, some variables more."""
        settings = [
            f"RUNYARD_STATE_FOLDER={self.folder}",
            f"RUNYARD_DATABASE_URL={self.url}",
            f"RUNYARD_ENGINE_LEASE_SECONDS={LEASE_SECONDS}",
        ]
        return ["/usr/bin/env", *settings, sys.executable, "-m", "runyard.cli.serve"]

    def wait(self, seconds: float) -> None:
        """Let the world outside go on; it has no signal for a moment."""
        threading.Event().wait(seconds)

    def kill_server(self) -> None:
        """SIGKILL the server: face, engine and cloud in one, or the face alone."""
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
        self.go_on()
        living = [one for one in [self.server, *self.engines] if one and one.poll() is None]
        for process in living:
            process.terminate()
        for process in living:
            process.wait(60)
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
