"""A real server of its own, met as the world meets it: by the command line and by its port."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

from tests.chaos.yard import command_lines, environment
from tests.support.command_line import CommandLine, Result

PATIENCE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer. `status` 0: the connection ended without one."""

    status: int
    head: str
    body: bytes

    @property
    def document(self) -> Any:
        """Its JSON."""
        return json.loads(self.body)

    @property
    def error(self) -> dict[str, Any]:
        """The error in it, of the one shape."""
        found: dict[str, Any] = self.document["error"]
        assert set(found) == {"code", "status", "message", "hint", "details"}
        assert found["code"] == self.status
        return found


@dataclass(slots=True)
class RealServer:
    """One state folder, and the server in it."""

    runyard: CommandLine

    @property
    def folder(self) -> Path:
        """The state folder."""
        return self.runyard.folder

    @property
    def said(self) -> dict[str, Any]:
        """What the server says of itself in server.json."""
        found: dict[str, Any] = json.loads((self.folder / "server.json").read_bytes())
        return found

    @property
    def token(self) -> str:
        """The admin's token."""
        return (self.folder / "token").read_text().strip()

    @property
    def log(self) -> str:
        """All that the server logged."""
        return (self.folder / "server.log").read_text(errors="replace")

    def up(self) -> None:
        """Start it."""
        begun = self.runyard.process("up", "-d")
        assert begun.status == 0, begun.err

    def connect(self) -> socket.socket:
        """A connection to its port."""
        address = urlsplit(self.said["url"])
        return socket.create_connection((address.hostname, address.port), timeout=PATIENCE_SECONDS)

    def memory_bytes(self, what: str = "VmRSS") -> int:
        """The server's resident memory."""
        lines = Path(f"/proc/{self.said['pid']}/status").read_text().splitlines()
        (line,) = (line for line in lines if line.startswith(f"{what}:"))
        return int(line.split()[1]) * 1024

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        """One request below /api/v1; `body` is bytes or becomes JSON."""
        connection = HTTPConnection(urlsplit(self.said["url"]).netloc, timeout=PATIENCE_SECONDS)
        usual = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        content = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        try:
            connection.request(method, f"/api/v1{path}", content, usual | headers)
            answer = connection.getresponse()
            return Reply(answer.status, str(answer.msg), answer.read())
        finally:
            connection.close()

    def raw(self, *lines: str, body: bytes = b"", bearer: bool = True) -> Reply:
        """What comes back for a request as it is written here, until the connection ends."""
        usual = [f"Authorization: Bearer {self.token}"] if bearer else []
        head = "\r\n".join([*lines, *usual, "Connection: close", "", ""])
        with self.connect() as connection:
            connection.sendall(head.encode("utf-8", "surrogateescape") + body)
            return received(connection)

    def apply(self, jobs: dict[str, Any], project: str = "shop") -> Reply:
        """Bring jobs into force."""
        text = json.dumps({"project": project, "jobs": jobs})
        return self.ask("POST", "/jobs:apply", {"files": [{"name": "runyard.yaml", "text": text}]})

    def jobs(self) -> list[str]:
        """The names of the jobs in force."""
        answer = self.ask("GET", "/jobs?page_size=1000")
        return [job["name"] for job in answer.document["jobs"]]

    def run(self, job: str, *words: str) -> Result:
        """Run a job to its end, by the command line."""
        return self.runyard("run", job, "--wait", *words)

    def last_run(self, job: str) -> dict[str, Any]:
        """The newest run of a job, with its attempts."""
        listed = self.ask("GET", f"/runs?job={job}&page_size=1").document["runs"]
        found: dict[str, Any] = self.ask("GET", f"/runs/{listed[0]['id']}").document
        return found


def received(connection: socket.socket) -> Reply:
    """All that comes until the connection ends, as an HTTP answer."""
    content = b""
    try:
        while part := connection.recv(65536):
            content += part
    except ConnectionError:
        pass
    head, _, body = content.partition(b"\r\n\r\n")
    words = head.split(b" ", 2)
    return Reply(int(words[1]) if len(words) > 1 else 0, head.decode("latin-1"), body)


def eventually(true: Callable[[], bool], seconds: float = PATIENCE_SECONDS) -> bool:
    """Looks until it is true, and gives up after `seconds`."""
    until = time.monotonic() + seconds
    while not true():
        if time.monotonic() > until:
            return False
        threading.Event().wait(0.05)  # the world outside sends no signal
    return True


def job(*command: str, **container: Any) -> dict[str, Any]:
    """A job of one task without retries; `timeout` goes to the task."""
    template = {"maxRetries": 0, "serviceAccount": "tester", "timeout": "60s"}
    template |= {"timeout": container.pop("timeout", "60s")}
    one = {"image": "example.com/any", "command": list(command), **container}
    return {"template": {"template": template | {"containers": [one]}}}


def shell(script: str, **container: Any) -> dict[str, Any]:
    """A job of one task, a shell's script."""
    return job("/bin/sh", "-c", script, **container)


def end_all(folder: Path) -> None:
    """End what is left of servers and spawners of state folders below `folder`: a spawner whose
    server went first waits a while for the next one, and a test that failed ended neither."""
    mine, ours = os.fsencode(folder), (b"runyard.cli.serve", b"runyard.localcloud.spawner")
    for pid, words in command_lines():
        named = any(mine in text for text in (words, *environment(pid)))
        if named and any(one in words for one in ours):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)


@contextmanager
def real_server(**settings: str) -> Iterator[RealServer]:
    """A server on a free port, in a state folder that tasks of another user can pass through.

    In the end its log must know of no fault of the program.
    """
    with TemporaryDirectory(prefix="runyard-test-") as name:
        Path(name).chmod(0o711)
        environ = {f"RUNYARD_{name.upper()}": value for name, value in settings.items()}
        server = RealServer(CommandLine(Path(name) / "state", {"RUNYARD_PORT": "0"} | environ))
        server.up()
        try:
            yield server
        finally:
            ended = server.runyard.process("down", "--stop-runs")
            log = server.log
            end_all(Path(name))
        assert ended.status == 0, ended.err
        assert "Traceback" not in log, log[-4000:]
        assert "should not have happened" not in log
