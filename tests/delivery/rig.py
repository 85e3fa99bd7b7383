"""A runner that runs, a `gcloud` that is none, and the scripts between them."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from tests.support.tree import ROOT

SCRIPTS = ROOT / "deploy" / "runner"
KEY = "a-key-that-nobody-may-see"
TOKEN = "header.claims.signature-that-nobody-may-see"
PATH = "/usr/local/bin:/usr/bin:/bin"


@contextmanager
def runner(settings: Mapping[str, str], log: Path) -> Iterator[str]:
    """A runner with `settings`; its URL. It has ended, by SIGTERM, when the block ends."""
    port = free_port()
    with log.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "runyard_runner"],
            env={"PATH": PATH, "PORT": str(port), "HOST": "127.0.0.1", **settings},
            cwd=log.parent,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        until_it_listens(port, process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        assert process.wait(timeout=20) == 0, log.read_text()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
    return port


def until_it_listens(port: int, process: subprocess.Popen[bytes] | None = None) -> None:
    """Waits until `port` is listened on; fails when `process` ends before."""
    never = Event()
    for _ in range(600):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
        except OSError:
            assert process is None or process.poll() is None, "the runner has ended"
            never.wait(0.05)
        else:
            return
    raise AssertionError("the runner does not listen")


@dataclass(frozen=True, slots=True)
class Cloud:
    """The stand-in of `gcloud`: what it holds, what it was asked, and a way to run a script."""

    folder: Path

    @classmethod
    def made(cls, folder: Path, url: str, candidate_url: str | None = None, **more: Any) -> Cloud:
        """A cloud whose service answers at `url`, its candidate at `candidate_url`."""
        state: dict[str, Any] = {
            "url": url,
            "candidate_url": candidate_url or url,
            "revisions": [],
            "serving": None,
            "tags": {},
            "token": TOKEN,
            "policies": "",
            "refuses": False,
        }
        (folder / "state.json").write_text(json.dumps(state | more))
        program = folder / "bin" / "gcloud"
        program.parent.mkdir()
        fake = Path(__file__).with_name("gcloud.py")
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{fake}" "$@"\n')
        program.chmod(0o755)
        return cls(folder)

    @property
    def state(self) -> dict[str, Any]:
        """What it holds."""
        read: dict[str, Any] = json.loads((self.folder / "state.json").read_text())
        return read

    @property
    def calls(self) -> list[dict[str, Any]]:
        """What it was asked, in order."""
        path = self.folder / "calls"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def asked(self, *words: str) -> list[list[str]]:
        """The calls that begin with `words`."""
        found = [call["words"] for call in self.calls]
        return [each for each in found if each[: len(words)] == list(words)]

    def run(self, script: str, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """Runs a script of deploy/runner."""
        if shutil.which("curl") is None:
            pytest.skip("the scripts need curl: apt-get install curl")
        return subprocess.run(
            ["sh", SCRIPTS / script, *words],
            env={
                "PATH": f"{self.folder / 'bin'}:{PATH}",
                "FAKE_GCLOUD": str(self.folder),
                "SMOKE_TRIES": "1",
                "TMPDIR": str(self.folder),
                **settings,
            },
            capture_output=True,
            text=True,
            check=False,
        )
