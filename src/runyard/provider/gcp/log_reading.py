"""Reads the log of an attempt at Google, a page at a time, for all who look at it in this process.

Entries come late and out of order. So a log is told up to so long ago as they may be late, and
whatever comes within that time has its place in it: nobody who reads on is told a line twice, or
not at all. Once the attempt has ended for so long, all that is there is told, and the log is over.

Those who look again and again at the end of a log share what is read there, and it is read less
and less often while nothing comes.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from runyard.model.errors import ProviderUnavailable
from runyard.provider.gcp.log_lines import Question, filter_of, lines, start_of, told
from runyard.provider.gcp.log_reads import BUSY, SPARE, LogReads
from runyard.provider.gcp.log_wire import SIZE_MAX, EntriesAsked
from runyard.provider.gcp.turns import Turns
from runyard.provider.port import LogEntry, LogPage
from runyard.provider.remembering import remember

PAGE_BYTES_MAX = 512 * 1024  #: a page is not much longer, as on this machine; in characters
PAGES_KEPT, TAILS_KEPT = 16, 2_000
TOKEN_SECONDS = 3600.0  #: Google keeps one for a day
SKIPPED_PAGES_MAX = 5  #: of one call: entries that are told already, or that are nobody's lines


@dataclass(frozen=True, slots=True)
class LogPace:
    """In seconds: how late an entry may come and still be in its place; after which time the end
    of a log is read again, by how much longer each time while nothing comes, and at most; how long
    one waits for a turn to read."""

    late: float = 10.0
    first: float = 3.0
    factor: float = 1.5
    longest: float = 10.0
    patience: float = 20.0


@dataclass(frozen=True, slots=True)
class Turn:
    """How long one waits for a turn to read, in seconds, and how many turns are left to others."""

    patience: float
    spare: int


@dataclass(frozen=True, slots=True)
class _Place:
    """From where on a log is read; `is_over`: when it is told to its end."""

    execution: str
    task: int | None
    after: int
    is_over: bool


@dataclass(frozen=True, slots=True)
class _Kept:
    page: LogPage
    until: float
    pause: float


@dataclass(frozen=True, slots=True)
class _GoingOn:
    """How Google is asked: by a filter, and from its begin on or from a token of then on. `counted`
    is the position of the last line before."""

    filter: str
    token: str
    counted: int
    at: float


class LogReading:
    """Made in the event loop. `clock` is the time of day, which Google's should be too; `late` is
    how long after it was written a line may come."""

    def __init__(
        self, reads: LogReads, clock: Callable[[], datetime], pace: LogPace | None = None
    ) -> None:
        self._reads = reads
        self.clock = clock
        self._pace = pace or LogPace()
        self.late = timedelta(seconds=self._pace.late)
        self._turns = Turns()
        self._pages: OrderedDict[tuple[_Place, int], _Kept] = OrderedDict()
        self._tails: OrderedDict[_Place, _Kept] = OrderedDict()
        self._going_on: OrderedDict[_Place, _GoingOn] = OrderedDict()
        self._time = asyncio.get_running_loop().time

    async def page(
        self,
        asked: Question,
        ended_at: datetime | None,
        after: int,
        limit: int,
        turn: Turn | None = None,
    ) -> LogPage:
        """Up to `limit` lines after a position, of an attempt that ended then, or goes on (None).

        Raises ProviderError.
        """
        now = self.clock()
        is_over = ended_at is not None and now >= ended_at + self.late
        place = _Place(asked.execution, asked.task, max(0, after), is_over)
        async with self._turns.of(f"{asked.execution}/{asked.task}"):
            kept = self._tails.get(place) or self._pages.get((place, limit))
            if kept is not None and self._time() < kept.until:
                return kept.page
            try:
                until = None if is_over else now - self.late
                page, is_end = await self._read(asked, place, limit, until, turn)
            except ProviderUnavailable as error:
                if error.reason == BUSY and place in self._tails:
                    return LogPage((), after, ended=False)  # whoever waits for more goes on waiting
                raise
            self._keep(place, limit, page, is_end=is_end)
            return page

    async def _read(
        self,
        asked: Question,
        place: _Place,
        limit: int,
        until: datetime | None,
        turn: Turn | None,
    ) -> tuple[LogPage, bool]:
        """A page, and whether there is nothing after it now."""
        begun = self._begin(asked, place, until)
        token, counted = begun.token, begun.counted
        size = min(SIZE_MAX, limit if token else limit + told(place.after))
        if turn is None:
            turn = Turn(0.0 if place in self._tails else self._pace.patience, SPARE)
        for _ in range(SKIPPED_PAGES_MAX):
            question = EntriesAsked(asked.google_project, begun.filter, size, token)
            got = await self._reads.read(question, turn.patience, turn.spare)
            found, counted = lines(asked, got.entries, counted, place.after)
            token = got.token
            if found or not token:
                break
        self._going_on.pop(place, None)
        kept = _bounded(found, limit)
        is_whole = len(kept) == len(found)
        last = kept[-1].position if kept else place.after
        if token and is_whole:
            end = replace(place, after=last)
            going_on = _GoingOn(begun.filter, token, counted, self._time())
            remember(self._going_on, end, going_on, TAILS_KEPT)
        is_end = is_whole and not token
        return LogPage(tuple(kept), last, ended=place.is_over and is_end), is_end

    def _begin(self, asked: Question, place: _Place, until: datetime | None) -> _GoingOn:
        """How to read on: by the token of the page before, else from the begin of a millisecond."""
        going_on = self._going_on.get(place)
        if going_on is not None and self._time() - going_on.at < TOKEN_SECONDS:
            return going_on
        text = filter_of(asked, place.after, until)
        return _GoingOn(text, "", start_of(place.after), self._time())

    def _keep(self, place: _Place, limit: int, page: LogPage, *, is_end: bool) -> None:
        """Remember a page for others, and the end of the log as a place where nothing is."""
        now, pace = self._time(), self._pace
        if page.entries:
            remember(self._pages, (place, limit), _Kept(page, now + pace.first, 0.0), PAGES_KEPT)
        if is_end:
            end = replace(place, after=page.after)
            before = self._tails.get(end)
            pause = pace.first if before is None else min(before.pause * pace.factor, pace.longest)
            nothing = LogPage((), page.after, page.ended)
            remember(self._tails, end, _Kept(nothing, now + pause, pause), TAILS_KEPT)


def _bounded(found: list[LogEntry], limit: int) -> list[LogEntry]:
    """The first `limit` lines, or fewer of long ones."""
    characters = 0
    for number, line in enumerate(found[:limit], start=1):
        characters += len(line.text)
        if characters >= PAGE_BYTES_MAX:
            return found[:number]
    return found[:limit]
