"""The services that `benchmarks.runner` measures: the runner as it is deployed, and the reference.

The reference stands in an environment of its own, `.peers/runner`, made from its lock at need. Both
get one processor of their own where there are two, and both write their logs to nobody.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

ROOT = Path(__file__).parents[1]
PEERS = ROOT / ".peers" / "runner"
LOCK = ROOT / "benchmarks" / "reference" / "requirements.lock"
KEY = "the-key-of-the-benchmark"
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Rival:
    """A way to start a service: its name, its command, its environment."""

    name: str
    command: tuple[str, ...]
    environment: dict[str, str]

    @contextmanager
    def running(self, processors: set[int]) -> Iterator[Service]:
        """The service on `processors`, once it has answered that it is alive."""
        port = free_port()
        began = perf_counter()
        process = subprocess.Popen(
            [word.replace("PORT", str(port)) for word in self.command],
            env={"PATH": "/usr/local/bin:/usr/bin:/bin", "PORT": str(port)} | self.environment,
            cwd=ROOT / "benchmarks" / "reference",
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            os.sched_setaffinity(process.pid, processors)
            _until_alive(port, process)
            yield Service(process, port, perf_counter() - began)
        finally:
            process.terminate()
            process.wait(timeout=30)


@dataclass(frozen=True, slots=True)
class Service:
    """A service that runs; `start_seconds` from its process's start to its first 200."""

    process: subprocess.Popen[bytes]
    port: int
    start_seconds: float

    @property
    def processor_seconds(self) -> float:
        """Processor time used so far, by the process and its children."""
        return sum(_ticks(pid) for pid in self._processes()) / _TICKS

    @property
    def rss_mib(self) -> float:
        """Memory in use now, of the process and its children (what they share counts each time)."""
        pages = 0
        for pid in self._processes():
            pages += int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    def _processes(self) -> list[int]:
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [self.process.pid, *map(int, path.read_text().split())]


def _ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def ours() -> Rival:
    """The runner with all its safety on: a key, an allow-list, bounds, checked addresses."""
    environment = {
        "API_KEY": KEY,
        "HOST": "127.0.0.1",
        "ALLOW_PRIVATE_NETWORKS": "true",  # the targets are on this machine
        "ALLOWED_HOSTS": "127.0.0.1",
        "EXAMPLE_TASKS": "false",
    }
    return Rival("runner", (sys.executable, "-m", "runyard_runner"), environment)


def reference() -> Rival:
    """The reference design under gunicorn, one worker with eight threads."""
    command = (
        str(PEERS / "bin" / "python"), "-m", "gunicorn", "--bind", "127.0.0.1:PORT", "--workers",
        "1", "--threads", "8", "--timeout", "0", "--log-level", "error", "app:app",
    )  # fmt: skip
    return Rival("reference", command, {})


def install_reference() -> None:
    """Makes the reference's environment from its lock, if it is not there."""
    if (PEERS / "bin" / "gunicorn").exists():
        return
    subprocess.run([sys.executable, "-m", "venv", "--clear", PEERS], check=True)
    subprocess.run(
        [PEERS / "bin" / "python", "-m", "pip", "install", "--quiet", "--require-hashes",
         "--no-deps", "--disable-pip-version-check", "--requirement", LOCK],
        check=True,
    )  # fmt: skip


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
    return port


def _until_alive(port: int, process: subprocess.Popen[bytes]) -> None:
    """Asks for /health until it is answered with 200."""
    while process.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
                connection.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                if connection.recv(65536).startswith(b"HTTP/1.1 200"):
                    return
        except OSError:
            os.sched_yield()
    raise RuntimeError("the service ended before it answered")


@contextmanager
def target(delay_milliseconds: int, processors: set[int]) -> Iterator[int]:
    """A target that answers after a delay; its port."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks._wire", str(delay_milliseconds)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        os.sched_setaffinity(process.pid, processors)
        yield int(process.stdout.readline())
    finally:
        process.stdin.close()
        process.stdout.close()
        process.wait(timeout=30)
