"""Engine processes on one PostgreSQL and one witnessed cloud, and what they say."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import Any

import orjson

from tests.support.engine_process import Orders
from tests.support.tree import ROOT

PATIENCE_SECONDS = 60


@dataclass
class Engines:
    """The processes, and what they said."""

    url: str
    cloud_url: str
    seed: int
    jobs: list[str]
    region_runs_max: int
    poll_seconds: float = 0.25
    processes: dict[str, asyncio.subprocess.Process] = field(default_factory=dict)
    readers: list[asyncio.Task[None]] = field(default_factory=list)
    said: list[dict[str, Any]] = field(default_factory=list)
    news: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def start(self, name: str, *, skew_seconds: float, requests: int) -> None:
        """Start one, with clients that ask for so many runs each."""
        orders = Orders(
            name,
            self.url,
            self.cloud_url,
            seed=self.seed * 100 + len(self.processes),
            skew_seconds=skew_seconds,
            requests=requests,
            callers=5,
            jobs=self.jobs,
            keys=40,
            region_runs_max=self.region_runs_max,
            lease_seconds=1.5,
            hang_seconds=0.5,
            poll_seconds=self.poll_seconds,
        )
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.support.engine_process",
            orjson.dumps(asdict(orders)).decode(),
            cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
        )
        self.processes[name] = process
        self.readers.append(asyncio.create_task(self._read(process)))

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        while line := await process.stdout.readline():
            if line.endswith(b"\n"):  # a line that a kill cut in two was told to nobody
                async with self.news:
                    self.said.append(orjson.loads(line))
                    self.news.notify_all()

    async def until(self, count: int, what: str) -> None:
        """Wait until so many lines of a kind were said."""
        async with asyncio.timeout(PATIENCE_SECONDS), self.news:
            await self.news.wait_for(lambda: sum(what in one for one in self.said) >= count)

    def send(self, name: str, number: signal.Signals) -> None:
        """A signal for one of them."""
        os.kill(self.processes[name].pid, number)

    async def stop(self) -> None:
        """All down; those that were not killed must say that all went well."""
        for process in self.processes.values():
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGCONT)
                process.terminate()
        ends = [await process.wait() for process in self.processes.values()]
        await asyncio.gather(*self.readers)
        assert set(ends) <= {0, -signal.SIGKILL}
