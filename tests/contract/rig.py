"""What the contract of providers is held with: a started provider and how to wait for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from runyard.model.ids import AttemptKey
from runyard.model.operation import StepKind
from runyard.model.outcome import Outcome
from runyard.model.run import Overrides
from runyard.provider.port import (
    LaunchOrder,
    LogEntry,
    Phase,
    Provider,
    Report,
    Viewer,
)
from runyard.provider.port_access import Access, Identity
from runyard.provider.port_secrets import SecretKeeper

PATIENCE_SECONDS = 60.0


@dataclass
class Rig:
    """A started provider with all that its tests need. `restart` lets go and comes up again.

    `access`: who gives jobs what they may read, where the provider leaves that to others.
    """

    provider: Provider
    viewer: Viewer
    secrets: SecretKeeper
    region: str
    restart: Callable[[], Awaitable[None]]
    news: asyncio.Event = field(default_factory=asyncio.Event)
    access: Access | None = None

    async def grant(self, kind: StepKind, identity: Identity) -> None:
        """Have a job be given what it may do."""
        await (self.access or self.provider.access).do(kind, identity)

    def order(self, key: str, script: str, **how: Any) -> LaunchOrder:
        """An attempt that runs `script`."""
        overrides = how.pop("overrides", Overrides())
        return LaunchOrder(
            key=AttemptKey(key),
            project="shop",
            environment="local",
            region=how.pop("region", self.region),
            job=how.pop("job", "contract"),
            revision=1,
            template=script_template(script, **how),
            overrides=overrides,
        )

    async def ended(self, key: str) -> Outcome:
        """The outcome, once the attempt has ended."""
        outcome = (await self.until(key, lambda report: report.phase is Phase.ENDED)).outcome
        assert outcome is not None
        return outcome

    async def until(self, key: str, ready: Callable[[Report], bool]) -> Report:
        """The report once `ready` holds of it; looked at whenever the provider says so."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                self.news.clear()
                report = (await self.provider.look([AttemptKey(key)]))[0]
                if ready(report):
                    return report
                await self.news.wait()

    async def line(self, key: str, text: str) -> LogEntry:
        """The first log entry of that text, once it is there."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                for entry in await self.entries(key):
                    if entry.text == text:
                        return entry
                await asyncio.sleep(0.01)

    async def entries(self, key: str, **how: Any) -> list[LogEntry]:
        """Every log entry there is now, read in small pages."""
        return [entry async for entry in self._pages(key, **how)]

    async def _pages(self, key: str, **how: Any) -> AsyncIterator[LogEntry]:
        after = 0
        while True:
            page = await self.viewer.log(AttemptKey(key), after=after, limit=7, **how)
            for entry in page.entries:
                assert entry.position > after
                after = entry.position
                yield entry
            if page.ended or (page.after == after and not page.entries):
                return
            after = page.after


def identity_of(order: LaunchOrder) -> Identity:
    """Whose access an attempt has: its job's, as it is launched."""
    document = {"template": order.template}
    return Identity(order.project, order.environment, order.job, document, {})


def script_template(
    script: str, *, tasks: int = 1, retries: int = 0, timeout: str = "60s", **task: Any
) -> dict[str, Any]:
    """An ExecutionTemplate that runs `script` by a shell."""
    container = {
        "image": "busybox",
        "command": ["sh", "-c"],
        "args": [script],
        "env": task.pop("env", []),
        "volumeMounts": task.pop("mounts", []),
    }
    inner = {"containers": [container], "maxRetries": retries, "timeout": timeout, **task}
    return {"taskCount": tasks, "template": inner}


def printed(entries: list[LogEntry]) -> list[str]:
    """What tasks wrote, without the machine's own words."""
    return [entry.text for entry in entries if entry.stream in ("stdout", "stderr")]
