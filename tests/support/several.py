"""Servers and engines as processes of their own, on one PostgreSQL and one state folder."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.support.command_line import CommandLine
from tests.support.postgresql import Server
from tests.support.real_server import end_all

PATIENCE_SECONDS = 60.0
LEASE_SECONDS = 6  #: longer than a busy machine keeps one that lives from saying so


@dataclass
class Member:
    """One process, and the lines that it says."""

    process: subprocess.Popen[str]
    lines: queue.Queue[str] = field(default_factory=queue.Queue)

    def __post_init__(self) -> None:
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.put(line)

    def says(self) -> dict[str, Any]:
        """The next thing that it says."""
        found: dict[str, Any] = json.loads(self.lines.get(timeout=PATIENCE_SECONDS))
        return found

    def send(self, number: signal.Signals) -> None:
        """A signal for it."""
        os.kill(self.process.pid, number)

    def stop(self) -> int:
        """Ask it to end; how it ended."""
        with suppress(ProcessLookupError):
            self.process.terminate()
        return self.process.wait(PATIENCE_SECONDS)


@dataclass
class Several:
    """Them all. `runyard` is the command line of their state folder."""

    runyard: CommandLine
    members: list[Member] = field(default_factory=list)

    def start(self, *words: str) -> Member:
        """Start one and return at once; it says how it goes in JSON lines."""
        with (self.runyard.folder / "several.log").open("ab") as log:
            process = subprocess.Popen(
                self.runyard.program([*words, "--json"]),
                env=self.runyard.environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self.members.append(Member(process))
        return self.members[-1]

    @property
    def log(self) -> str:
        """What they said on standard error."""
        return (self.runyard.folder / "several.log").read_text()

    def processes(self) -> dict[str, tuple[bool, bool]]:
        """By name: is it at work, is it alive."""
        told = self.runyard.process("status", "--json").document()["processes"]
        return {one["name"]: (one["working"], one["alive"]) for one in told}


@contextmanager
def several(server: Server, **settings: str) -> Iterator[Several]:
    """A state folder on a new database; all that was started in it is ended."""
    with TemporaryDirectory(prefix="runyard-test-") as name:
        Path(name).chmod(0o711)
        state = Path(name) / "state"
        state.mkdir(mode=0o700)
        environ = {
            "RUNYARD_DATABASE_URL": server.database(),
            "RUNYARD_PORT": "0",
            "RUNYARD_ENGINE_LEASE_SECONDS": str(LEASE_SECONDS),
        }
        environ |= {f"RUNYARD_{key.upper()}": value for key, value in settings.items()}
        them = Several(CommandLine(state, environ))
        try:
            yield them
        finally:
            for member in them.members:
                with suppress(ProcessLookupError):
                    member.process.kill()
                member.process.wait()
                assert member.process.stdout is not None
                member.process.stdout.close()
            end_all(Path(name))
        log = them.log if state.exists() else ""
        assert "Traceback" not in log, log[-4000:]
