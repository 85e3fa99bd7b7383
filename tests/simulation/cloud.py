"""A fake cloud for simulated worlds. It says so: it exists because a real one cannot be made to
answer late, twice, or not at all on demand. It keeps the promises of `provider/port.py` and, as a
real one does, may do the work and not answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from zlib import crc32

from runyard.flow.costing import billed_milliseconds
from runyard.model.errors import ProviderRefused, ProviderTimeout, ProviderUnavailable
from runyard.model.ids import AttemptKey, RunId, split_attempt_key
from runyard.model.outcome import Ending, Outcome, TaskFailure, Usage
from runyard.provider.port import LaunchOrder, Phase, Progress, Released, Report
from runyard.provider.port_access import Access, Identity
from runyard.provider.port_jobs import Deployer
from tests.support.fake_jobs import FakeAccess, FakeJobs

ENDINGS = {
    Ending.SUCCEEDED: 10,
    Ending.FAILED: 6,
    Ending.TIMED_OUT: 3,
    Ending.CANCELLED: 1,
}


@dataclass(slots=True)
class Execution:
    """One attempt in the fake cloud."""

    key: AttemptKey
    job: str
    ends_at: datetime
    ending: Ending
    started_at: datetime
    ended: bool = False
    released: bool = False


@dataclass(slots=True)
class Cloud:
    """What is shared by all engines: executions, and everything that was ever started."""

    random: Random
    now: Callable[[], datetime]
    executions: dict[AttemptKey, Execution] = field(default_factory=dict)
    tombstones: set[AttemptKey] = field(default_factory=set)
    forgotten: set[AttemptKey] = field(default_factory=set)
    refused: set[AttemptKey] = field(default_factory=set)
    news: list[AttemptKey] = field(default_factory=list)
    starts: list[AttemptKey] = field(default_factory=list)
    faults: bool = True
    watchers: list[Callable[[Execution], None]] = field(default_factory=list)

    def start(self, order: LaunchOrder) -> Execution:
        """Begin the work of an order, once."""
        if order.key not in self.executions:
            ending = self.random.choices(list(ENDINGS), list(ENDINGS.values()))[0]
            lasts = timedelta(seconds=self.random.uniform(0, 90))
            one = Execution(order.key, order.job, self.now() + lasts, ending, self.now())
            self.executions[order.key] = one
            if order.key in self.tombstones:
                one.ended, one.ending = True, Ending.CANCELLED
            else:
                self.starts.append(order.key)
                for watcher in self.watchers:
                    watcher(one)
        return self.executions[order.key]

    def end_what_is_over(self) -> None:
        """Executions whose time has come end."""
        for one in self.executions.values():
            if not one.ended and one.ends_at <= self.now():
                self.end(one, one.ending)

    def end(self, one: Execution, ending: Ending) -> None:
        """An execution ends, and there is news."""
        one.ended, one.ending = True, ending
        one.ends_at = self.now()
        self.news.append(one.key)

    def refuses(self, key: AttemptKey) -> bool:
        """Whether it will not have an attempt; once it has said so, it says so for ever."""
        unlucky = self.faults and self.random.random() < 0.02
        if unlucky and key not in self.executions:
            self.refused.add(key)
        return key in self.refused

    def running(self) -> list[Execution]:
        """What runs now."""
        return [one for one in self.executions.values() if not one.ended]

    def lose_one(self) -> None:
        """The cloud forgets a running execution: it is gone, and nobody will ever know."""
        running = self.running()
        if running:
            one = self.random.choice(running)
            one.ended = True
            self.forgotten.add(one.key)

    def report(self, key: AttemptKey) -> Report:
        """How an attempt is."""
        one = self.executions.get(key)
        if key in self.forgotten or (one is None and key not in self.tombstones):
            return Report(key, Phase.UNKNOWN)
        if one is None:
            return Report(key, Phase.ENDED, outcome=Outcome(Ending.CANCELLED, "never started"))
        if not one.ended:
            return Report(key, Phase.RUNNING, f"exec-{key}", Progress(1, 1))
        return Report(key, Phase.ENDED, f"exec-{key}", Progress(1), self._outcome(one))

    def _outcome(self, one: Execution) -> Outcome:
        wall = int((one.ends_at - one.started_at).total_seconds() * 1000)
        usage = Usage(1, wall, billed_milliseconds(wall)) if one.key in self.starts else Usage()
        words = f"the task ended: {one.ending}"
        failures = (_failure(one),) if one.ending is Ending.FAILED else ()
        return Outcome(one.ending, words, started_at=one.started_at, usage=usage, failures=failures)

    def runs_started(self) -> set[RunId]:
        """Every run of which something was ever started."""
        return {split_attempt_key(key)[0] for key in self.starts}


#: What a task wrote last that failed: of each class that something can be waited for.
_LAST_LINES = (
    "ConnectionRefusedError: [Errno 111] Connection refused",
    "429 RESOURCE_EXHAUSTED: Quota exceeded for quota metric",
    "PERMISSION_DENIED: it may not",
    "ValueError: no such column",
)


def _failure(one: Execution) -> TaskFailure:
    """The same for each execution, and for each another."""
    line = _LAST_LINES[crc32(one.key.encode()) % len(_LAST_LINES)]
    return TaskFailure(0, 1, "it failed", 1, last_lines=(line,))


class FlakyAccess(FakeAccess):
    """Lacks something now and then, while there are faults."""

    def __init__(self, cloud: Cloud) -> None:
        super().__init__()
        self._cloud = cloud

    async def missing(self, identity: Identity) -> tuple[str, ...]:
        """See `Access.missing`."""
        lacks = self._cloud.faults and self._cloud.random.random() < 0.5
        return ("it has not what it needs",) if lacks else ()


class FlakyProvider:
    """One engine's hands in the cloud: each call may fail before or after it has worked."""

    name = "simulated"

    def __init__(self, cloud: Cloud, pause: Callable[[str], Awaitable[None]]) -> None:
        self.jobs: Deployer = FakeJobs()
        self.access: Access = FlakyAccess(cloud)
        self._cloud = cloud
        self._pause = pause

    async def start(self) -> None:
        """See `Provider.start`."""

    async def close(self) -> None:
        """See `Provider.close`."""

    async def launch(self, order: LaunchOrder) -> Report:
        """See `Provider.launch`."""
        await self._before("launch")
        if self._cloud.refuses(order.key):
            raise ProviderRefused("this template cannot run here")
        self._cloud.start(order)
        await self._after("launch")
        return self._cloud.report(order.key)

    async def stop(self, key: AttemptKey) -> None:
        """See `Provider.stop`."""
        await self._before("stop")
        one = self._cloud.executions.get(key)
        if one is None:
            self._cloud.tombstones.add(key)
            self._cloud.news.append(key)
        elif not one.ended and self._cloud.random.random() < 0.8:
            self._cloud.end(one, Ending.CANCELLED)
        elif not one.ended:
            one.ends_at = self._cloud.now()  # it ends by itself, with the ending it had coming
        await self._after("stop")

    async def look(self, keys: Sequence[AttemptKey]) -> list[Report]:
        """See `Provider.look`."""
        await self._before("look")
        return [self._cloud.report(key) for key in keys]

    async def changed(self) -> list[Report]:
        """Reports come late, doubled, out of order, or not at all."""
        await self._before("changed")
        cloud = self._cloud
        news, cloud.news = cloud.news, []
        cloud.random.shuffle(news)
        kept = [key for key in news if not cloud.faults or cloud.random.random() < 0.8]
        cloud.news.extend(key for key in news if cloud.random.random() < 0.2)
        return [cloud.report(key) for key in kept]

    async def release(self, key: AttemptKey) -> Released:
        """See `Provider.release`."""
        await self._before("release")
        if key in self._cloud.executions:
            self._cloud.executions[key].released = True
        await self._after("release")
        return Released((("folder", 1),))

    async def log_bytes(self) -> int:
        """See `Provider.log_bytes`."""
        return 0

    async def forget(self, key: AttemptKey) -> None:
        """See `Provider.forget`."""
        await self._before("forget")
        self._cloud.executions.pop(key, None)

    async def _before(self, step: str) -> None:
        await self._pause(f"{step} begins")
        if self._cloud.faults and self._cloud.random.random() < 0.05:
            raise ProviderUnavailable("503", operation=step)

    async def _after(self, step: str) -> None:
        if self._cloud.faults and self._cloud.random.random() < 0.08:
            raise ProviderTimeout("no answer, though the work was done", operation=step)
        await self._pause(f"{step} done")
