"""A provider and a channel that do nothing and remember everything. They say that they are fakes:
they exist to be told to fail, which a real one cannot be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from runyard.model.errors import PlatformError
from runyard.model.ids import AttemptKey
from runyard.model.notice import Notice
from runyard.provider.port import LaunchOrder, Phase, Progress, Released, Report
from runyard.provider.port_access import Access
from runyard.provider.port_jobs import Deployer
from tests.support.fake_jobs import FakeAccess, FakeJobs


@dataclass(slots=True)
class ScriptedProvider:
    """`fails` is raised by the next calls, one after the other; `reports` answer by key."""

    name: str = "scripted"
    fails: list[PlatformError] = field(default_factory=list)
    reports: dict[AttemptKey, Report] = field(default_factory=dict)
    news: list[Report] = field(default_factory=list)
    calls: list[tuple[str, str]] = field(default_factory=list)
    orders: list[LaunchOrder] = field(default_factory=list)
    bytes_each: int = 0
    jobs: Deployer = field(default_factory=FakeJobs)
    access: Access = field(default_factory=FakeAccess)

    async def start(self) -> None:
        """See `Provider.start`."""
        self._call("start", "")

    async def close(self) -> None:
        """See `Provider.close`."""
        self._call("close", "")

    async def launch(self, order: LaunchOrder) -> Report:
        """See `Provider.launch`."""
        self.orders.append(order)
        self._call("launch", order.key)
        running = Report(order.key, Phase.RUNNING, f"exec-{order.job}", Progress(1, 1))
        return self.reports.setdefault(order.key, running)

    async def stop(self, key: AttemptKey) -> None:
        """See `Provider.stop`."""
        self._call("stop", key)

    async def look(self, keys: Sequence[AttemptKey]) -> list[Report]:
        """See `Provider.look`."""
        self._call("look", ",".join(keys))
        return [self.reports.get(key, Report(key, Phase.UNKNOWN)) for key in keys]

    async def changed(self) -> list[Report]:
        """See `Provider.changed`."""
        self._call("changed", "")
        news, self.news = self.news, []
        return news

    async def release(self, key: AttemptKey) -> Released:
        """See `Provider.release`."""
        self._call("release", key)
        return Released((("folder", 1),))

    async def forget(self, key: AttemptKey) -> None:
        """See `Provider.forget`."""
        self._call("forget", key)

    async def log_bytes(self) -> int:
        """See `Provider.log_bytes`: so much for each attempt reported and not forgotten."""
        return self.bytes_each * (len(self.reports) - len(set(self.called("forget"))))

    def called(self, operation: str) -> list[str]:
        """With what an operation was called."""
        return [key for name, key in self.calls if name == operation]

    def _call(self, operation: str, key: str) -> None:
        self.calls.append((operation, key))
        if self.fails:
            raise self.fails.pop(0)


@dataclass(slots=True)
class KeptNotices:
    """A channel that keeps what it is told; `fails` as above."""

    name: str = "kept"
    fails: list[PlatformError] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)

    async def send(self, notice: Notice) -> None:
        """See `Channel.send`."""
        if self.fails:
            raise self.fails.pop(0)
        self.notices.append(notice)
