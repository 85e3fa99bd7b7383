"""Command lines in this process, and in one of their own."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from runyard.cli.main import main
from runyard.cli.surroundings import SURROUNDINGS, Surroundings
from runyard.config import Config
from tests.support.no_google import NO_GOOGLE

NOW = datetime(2026, 1, 1, 0, 1, tzinfo=UTC)
_PROGRAM = (sys.executable, "-m", "runyard")


@dataclass(frozen=True, slots=True)
class Result:
    """What a command line did."""

    status: int
    out: str
    err: str

    def document(self) -> Any:
        """stdout as one JSON document."""
        return json.loads(self.out)

    def lines(self) -> list[Any]:
        """stdout as JSON lines."""
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass(slots=True)
class CommandLine:
    """`runyard …` with a state folder of its own. Pauses are noted, not waited for."""

    folder: Path
    environ: dict[str, str] = field(default_factory=dict)
    pauses: list[float] = field(default_factory=list)

    def __call__(self, *words: str) -> Result:
        """Runs in this process, with output that is no terminal."""
        surroundings = Surroundings(
            load=lambda: Config.load(self.environment()),
            clock=lambda: NOW,
            pause=self.pauses.append,
        )
        before = SURROUNDINGS.set(surroundings)
        out, err = io.StringIO(), io.StringIO()
        try:
            with redirect_stdout(out), redirect_stderr(err):
                status = main(list(words))
        finally:
            SURROUNDINGS.reset(before)
        return Result(status, out.getvalue(), err.getvalue())

    def process(self, *words: str, stdin: bytes = b"") -> Result:
        """Runs in a process of its own."""
        done = subprocess.run(
            [*_PROGRAM, *words],
            input=stdin,
            capture_output=True,
            env=self.environment(),
            timeout=60,
            check=False,
        )
        return Result(done.returncode, done.stdout.decode(), done.stderr.decode())

    def program(self, words: Sequence[str]) -> list[str]:
        """The command line for a process that the test starts itself."""
        return [*_PROGRAM, *words]

    def interruptible(self, words: Sequence[str]) -> list[str]:
        """The same for one that SIGINT ends, also where the tests were started by what ignores it
        (`make test &`): who ignores a signal hands that on."""
        return ["env", "--default-signal=INT", *self.program(words)]

    def environment(self) -> dict[str, str]:
        """What the process finds as its environment."""
        usual = {
            "RUNYARD_STATE_FOLDER": str(self.folder),
            "PATH": "/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "TZ": "UTC",
            **NO_GOOGLE,
        }
        return usual | self.environ


def settled(state: Path, database_url: str = "") -> CommandLine:
    """`runyard …` with a new state folder, whose settings take a free port and name the database:
    its URL is on no command line."""
    state.mkdir(mode=0o700, parents=True)
    lines = ["port = 0"] + ([f'database_url = "{database_url}"'] if database_url else [])
    settings = state / "config.toml"
    settings.write_text("\n".join(lines) + "\n")
    settings.chmod(0o600)
    return CommandLine(state)
