"""Watches attempts that are out: Google tells nobody, so it is asked, often at first, then less."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from runyard.database.signals import Listener
from runyard.model.errors import PlatformError
from runyard.model.ids import AttemptKey
from runyard.provider.port import Phase, Report

LOGGER = logging.getLogger("runyard.provider.gcp")
See = Callable[[Sequence[AttemptKey]], Awaitable[list[Report]]]


@dataclass(frozen=True, slots=True)
class Pace:
    """How long after a launch an attempt is looked at first, in seconds; by how much longer after
    each look; and at most."""

    first_seconds: float = 1.0
    factor: float = 1.5
    longest_seconds: float = 30.0


@dataclass(slots=True)
class _Open:
    due: float
    pause: float
    report: Report | None


class Watching:
    """`see` says how attempts are, `wake` is called when one of them is otherwise than before."""

    def __init__(self, see: See, wake: Callable[[], None], pace: Pace) -> None:
        self._see = see
        self._wake = wake
        self._pace = pace
        self._open: dict[AttemptKey, _Open] = {}
        self._news: dict[AttemptKey, Report] = {}
        self._listener = Listener()

    def add(self, report: Report, now: float) -> None:
        """Watch an attempt from `now` on, unless it has ended or is watched already."""
        if report.phase not in (Phase.PENDING, Phase.RUNNING) or report.key in self._open:
            return
        pause = self._pace.first_seconds
        self._open[report.key] = _Open(now + pause, pause, report)
        self._listener.wake()

    def soon(self, key: AttemptKey, now: float) -> None:
        """Look at an attempt that is watched as early as at one that was just launched."""
        one = self._open.get(key)
        if one is not None:
            one.pause = self._pace.first_seconds
            one.due = min(one.due, now + one.pause)
            self._listener.wake()

    def drop(self, key: AttemptKey) -> None:
        """Watch an attempt no more."""
        self._open.pop(key, None)

    def take(self) -> list[Report]:
        """What is new since the last call."""
        news, self._news = list(self._news.values()), {}
        return news

    async def run(self, time: Callable[[], float]) -> None:
        """Look for ever, as `time` (in seconds) goes by; ends by cancellation."""
        while True:
            due = await self.tick(time())
            pause = self._pace.longest_seconds if due is None else max(0.0, due - time())
            await self._listener.wait(pause)

    async def tick(self, now: float) -> float | None:
        """Look at what is due; when to look again, None while nothing is out."""
        due = [key for key, one in self._open.items() if one.due <= now]
        if due:
            await self._look(due, now)
        return min((one.due for one in self._open.values()), default=None)

    async def _look(self, due: Sequence[AttemptKey], now: float) -> None:
        for key in due:
            one = self._open[key]
            one.pause = min(one.pause * self._pace.factor, self._pace.longest_seconds)
            one.due = now + one.pause
        try:
            reports = await self._see(due)
        except PlatformError as error:
            LOGGER.warning("%d attempts could not be looked at: %s", len(due), error.message)
            return
        news = [report for report in reports if self._is_news(report)]
        self._news |= {report.key: report for report in news}
        if news:
            self._wake()

    def _is_news(self, report: Report) -> bool:
        """True for what is otherwise than it was; what has ended is watched no more."""
        one = self._open.get(report.key)
        if one is None:
            return False
        before, one.report = one.report, report
        if report.phase in (Phase.ENDED, Phase.UNKNOWN):
            del self._open[report.key]
        return report != before
