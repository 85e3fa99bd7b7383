"""LOG READING: reads what tasks print, as it comes, for what a job measures of it.

It stands beside the gate, as all measuring does: nothing waits for it. Each attempt's log is read
once, from its launch until it has ended and is read to its end. How far it is read is written along
with what was seen of it, so that a kill has no line counted twice, and none missed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from runyard.database.port import Database, Tx
from runyard.engine.log_errors import Errors
from runyard.engine.log_finding import Over, Unread, begun, find_unread
from runyard.flow.log_reading import (
    OWN_KEY,
    REFUSED_MANY,
    Use,
    measured,
    tells_of_error,
    uses_of,
)
from runyard.model.event import AttemptEnded, Launched
from runyard.model.ids import AttemptKey
from runyard.model.job import JobSpec
from runyard.model.log_metrics import SERIES_MAX, Sample
from runyard.model.log_pattern import LogExample
from runyard.model.metric import OWN, Labels, Series
from runyard.provider.port import LogPlace, LogSifted, LogWanted, Viewer
from runyard.store.memory import Store
from runyard.telemetry.log_places import LogPlaces, Place
from runyard.telemetry.recorder import Facts, Recorder

EVERY = timedelta(seconds=5)  #: how often logs are looked at that grow
BEHIND = timedelta(milliseconds=100)  #: how soon again where more is there than was read
PLACES_MAX = 20  #: logs read by one call; then others have their turn
JOBS_KEPT = 10_000  #: whose series are remembered
JobKey = tuple[str, str, str]  #: (project, environment, job)
Seen = Callable[[Series, float], None]


def nobody(series: Series, value: float) -> None:
    """Nobody else wants to hear of it."""


@dataclass(frozen=True, slots=True)
class Open:
    """A log that is not read to its end: whose it is, how far it is read, what is wanted of it.
    `ended_at`: when its attempt ended. `rests`: nothing comes before more is told of it."""

    key: JobKey
    region: str
    after: int
    ended_at: datetime | None
    uses: tuple[Use, ...]
    wanted: tuple[LogWanted, ...]
    rests: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """What a line is measured as, and that it tells of an error."""

    log: Open
    at: datetime
    samples: Sequence[Sample]
    error: LogExample | None


class LogReading:
    """One tick: a part of each log that is open. `seen` hears of what jobs measure themselves."""

    def __init__(
        self,
        database: Database,
        store: Store,
        viewer: Viewer,
        measures: Recorder,
        seen: Seen = nobody,
    ) -> None:
        self._database = database
        self._store = store
        self._viewer = viewer
        self._measures = measures
        self._seen = seen
        self._port = LogPlaces(measures.database.dialect)
        self._open: dict[AttemptKey, Open] = {}
        self._new: dict[AttemptKey, Unread] = {}
        self._unplaced: dict[AttemptKey, Place] = {}  #: written with what is seen next
        self._over: Over | None = None  # not known before the first tick
        self._own: dict[JobKey, set[tuple[str, Labels]]] = {}
        self._errors = Errors(measures)
        self.wake: Callable[[], None] = lambda: None

    def observe(self, facts: Facts) -> None:
        """Take note of attempts that were launched, or that ended: some end before their launch
        is told."""
        for run, fact, at in facts:
            if not isinstance(fact, Launched | AttemptEnded):
                continue
            key, ended_at = run.attempt_key, at if isinstance(fact, AttemptEnded) else None
            if key in self._open:
                self._open[key] = replace(self._open[key], ended_at=ended_at, rests=False)
            elif self._over is None or key not in self._over:
                known = self._new.get(key, Unread(run))
                self._new[key] = replace(known, ended_at=ended_at)
            self.wake()

    async def tick(self, now: datetime) -> datetime | None:
        """Read on; when to look again, None while no log is open. Raises StoreError or
        ProviderError; then it is read later."""
        if self._measures.is_behind:
            await self._measures.flush(now)
        over = self._over or await self._begin(now)
        await self._take_up()
        is_behind = False
        keys = [key for key, log in self._open.items() if not log.rests]
        for first in range(0, len(keys), PLACES_MAX):
            is_behind |= await self._read(keys[first : first + PLACES_MAX], over, now)
        if all(log.rests for log in self._open.values()):
            return None
        return now + (BEHIND if is_behind else EVERY)

    async def _begin(self, now: datetime) -> Over:
        """Find again what was not read to its end before this process."""
        places = await self._measures.database.read(self._port.every)
        ends = {key: one.ended_at for key, one in places.items() if one.ended_at is not None}
        first = begun(min([now, *_ends(self._new.values())])) if not ends else {}
        over = Over(ends or first)
        found = await find_unread(self._database, self._store, places, over.since)
        gone = places.keys() - found.keys() - ends.keys()

        async def work(tx: Tx) -> None:
            await self._port.put(tx, {key: Place(0, at) for key, at in first.items()})
            await self._port.drop(tx, gone)

        await self._measures.database.write(work)
        for key, heard in self._new.items():
            if key in found:
                ended_at = heard.ended_at or found[key].ended_at
                found[key] = replace(found[key], ended_at=ended_at)
            elif key not in over:
                found[key] = heard
        self._new, self._over = found, over
        return over

    async def _take_up(self) -> None:
        """Open the logs of attempts that are new; of a job that is forgotten nothing is wanted."""
        new = list(self._new.items())

        async def work(tx: Tx) -> list[Mapping[str, object] | None]:
            return [
                await self._store.jobs.document(
                    tx, run.project, run.environment, run.job, run.revision
                )
                for run in (one.run for _, one in new)
            ]

        documents = await self._database.read(work) if new else []
        for (key, _), document in zip(new, documents, strict=True):
            one = self._new.pop(key)  # as it is by now: its attempt may have ended meanwhile
            run = one.run
            uses = () if document is None else uses_of(JobSpec.from_document(document))
            job = (run.project, run.environment, run.job)
            wanted = tuple(_wanted(use) for use in uses)
            self._open[key] = Open(job, run.region, one.after, one.ended_at, uses, wanted)
            if not one.is_placed:
                self._unplaced[key] = Place(one.after)

    async def _read(self, keys: Sequence[AttemptKey], over: Over, now: datetime) -> bool:
        """Read a part of some logs; True when there is more of one of them."""
        logs = {key: self._open[key] for key in keys}
        places = [LogPlace(key, log.after, log.wanted) for key, log in logs.items()]
        found = dict(zip(keys, await self._viewer.sift(places), strict=True))
        lines = [line for key, log in logs.items() for line in _lines(key, log, found[key])]
        await self._errors.ready(line.log.key for line in lines if line.error is not None)
        await self._know_own(lines)
        # Nothing is waited for from here on until the places stand beside what was seen.
        for line in lines:
            self._measure(line)
        old, moved = over.old(now), self._unplaced | self._moved(logs, found, over)
        self._unplaced = {}
        if moved or old:
            self._write_along(moved, old)
            await self._measures.flush(now)
        return any(not part.complete for part in found.values())

    def _moved(
        self,
        logs: Mapping[AttemptKey, Open],
        found: Mapping[AttemptKey, LogSifted],
        over: Over,
    ) -> dict[AttemptKey, Place]:
        """The places that are not what they were. A log is over when it was read to its end after
        its attempt had ended; before, it may be of one that is not known yet, and rests."""
        moved: dict[AttemptKey, Place] = {}
        for key, log in logs.items():
            part = found[key]
            if part.ended and log.ended_at is not None:
                moved[key] = Place(part.after, log.ended_at)
                over.add(key, log.ended_at)
                del self._open[key]
                continue
            if part.after != log.after:
                moved[key] = Place(part.after)
            heard = self._open[key]  # of what was told meanwhile, too
            rests = part.ended and heard == log
            self._open[key] = replace(heard, after=part.after, rests=rests)
        return moved

    def _write_along(self, moved: Mapping[AttemptKey, Place], old: Sequence[AttemptKey]) -> None:
        """Have places and patterns written with what was seen; old places make room."""
        patterns = self._errors.taken()

        async def work(tx: Tx) -> None:
            await patterns(tx)
            await self._port.put(tx, moved)
            await self._port.drop(tx, old)

        self._measures.along(work)

    def _measure(self, line: Line) -> None:
        samples = [*line.samples]
        if line.error is not None:
            samples += self._errors.add(line.log.key, line.error)
        for sample in samples:
            metric, labels, value = self._admitted(line.log.key, sample)
            project, environment, job = line.log.key
            series = Series(environment, project, job, line.log.region, metric, labels)
            self._measures.add(line.at, series, value)
            if metric.startswith(OWN):
                self._seen(series, value)

    async def _know_own(self, lines: Iterable[Line]) -> None:
        """Know the series of the jobs that measure something. Raises StoreError."""
        keys = {line.log.key for line in lines if any(_is_own(one) for one in line.samples)}
        if len(self._own) + len(keys) > JOBS_KEPT:
            self._own.clear()
        for key in keys - self._own.keys():
            self._own[key] = await self._measures.own_of(key)

    def _admitted(self, key: JobKey, sample: Sample) -> Sample:
        """The sample, or that there are too many series of the job already."""
        if not _is_own(sample):
            return sample
        metric, labels, _ = sample
        known = self._own[key]
        if (metric, labels) not in known:
            if len(known) >= SERIES_MAX:
                return REFUSED_MANY
            known.add((metric, labels))
        return sample


def _lines(key: AttemptKey, log: Open, part: LogSifted) -> Iterable[Line]:
    """What was found in a part of a log."""
    for entry, numbers in part.found:
        uses = [log.uses[number] for number in numbers]
        is_error = tells_of_error(uses, entry.severity, entry.text)
        error = LogExample(entry.at, key, entry.text) if is_error else None
        yield Line(log, entry.at, measured(uses, entry.text, entry.fields), error)


def _ends(unread: Iterable[Unread]) -> list[datetime]:
    """When attempts ended, of those that did."""
    return [one.ended_at for one in unread if one.ended_at is not None]


def _is_own(sample: Sample) -> bool:
    return sample[0].startswith(OWN)


def _wanted(use: Use) -> LogWanted:
    """As a provider is asked."""
    if use.lines is None:
        return LogWanted(has=OWN_KEY)
    lines = use.lines
    return LogWanted(
        text=lines.text or "",
        pattern=lines.pattern or "",
        severities=() if lines.severity is None else tuple(map(str, lines.severity.or_worse)),
    )
