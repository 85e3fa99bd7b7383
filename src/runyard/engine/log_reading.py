"""LOG READING: reads what tasks print, as it comes, for what a job measures of it.

It stands beside the gate, as all measuring does: nothing waits for it. Each attempt's log is read
once, from its launch until it has ended and is read to its end. How far it is read is kept after
what was seen of it, so that a kill has some lines counted twice, and none missed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from runyard.database.port import Database, Tx
from runyard.engine.log_errors import Errors
from runyard.flow.log_reading import (
    OWN_KEY,
    REFUSED_MANY,
    Use,
    measured,
    tells_of_error,
    uses_of,
)
from runyard.model.event import AttemptEnded, Launched
from runyard.model.ids import AttemptKey, split_attempt_key
from runyard.model.job import JobSpec
from runyard.model.log_metrics import SERIES_MAX, Sample
from runyard.model.log_pattern import LogExample
from runyard.model.metric import OWN, Labels, Series
from runyard.model.run import Run
from runyard.provider.port import LogEntry, LogPlace, LogWanted, Viewer
from runyard.store.memory import Store
from runyard.telemetry.log_places import LogPlaces
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
    """A log that is not read to its end: whose it is, how far it is read, what is wanted of it."""

    key: JobKey
    region: str
    after: int
    uses: tuple[Use, ...]
    wanted: tuple[LogWanted, ...]


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
        self._new: dict[AttemptKey, tuple[Run, int]] = {}
        self._own: dict[JobKey, set[tuple[str, Labels]]] = {}
        self._errors = Errors(measures)
        self._is_begun = False
        self.wake: Callable[[], None] = lambda: None

    def observe(self, facts: Facts) -> None:
        """Take note of attempts that were launched, or that ended."""
        for run, fact, _ in facts:
            key = run.attempt_key
            if isinstance(fact, Launched) and key not in self._open:
                self._new.setdefault(key, (run, 0))
            if isinstance(fact, Launched | AttemptEnded):
                self.wake()

    async def tick(self, now: datetime) -> datetime | None:
        """Read on; when to look again, None while no log is open. Raises StoreError or
        ProviderError; then it is read later."""
        if not self._is_begun:
            await self._begin()
            self._is_begun = True
        await self._take_up()
        is_behind = False
        keys = list(self._open)
        for first in range(0, len(keys), PLACES_MAX):
            is_behind |= await self._read(keys[first : first + PLACES_MAX], now)
        if not self._open:
            return None
        return now + (BEHIND if is_behind else EVERY)

    async def _begin(self) -> None:
        """Find again what was open before this process: what has a place, and what is out."""
        places = await self._measures.database.read(self._port.every)

        async def work(tx: Tx) -> list[Run]:
            ids = {split_attempt_key(key)[0] for key in places}
            ids.update(await self._store.runs.out(tx))
            return await self._store.runs.get(tx, sorted(ids))

        runs = await self._database.read(work)
        by_id = {run.id: run for run in runs}
        for key, after in places.items():
            run = by_id.get(split_attempt_key(key)[0])
            if run is not None:
                self._new[key] = (run, after)
        for run in runs:
            if run.is_out and run.attempt_key not in places:
                self._new[run.attempt_key] = (run, 0)
        gone = [key for key in places if key not in self._new]
        await self._measures.database.write(lambda tx: self._port.drop(tx, gone))

    async def _take_up(self) -> None:
        """Open the logs of attempts that are new."""
        new = dict(self._new)
        runs = [run for run, _ in new.values()]

        async def work(tx: Tx) -> list[Mapping[str, object] | None]:
            return [
                await self._store.jobs.document(
                    tx, run.project, run.environment, run.job, run.revision
                )
                for run in runs
            ]

        documents = await self._database.read(work) if runs else []
        for (key, (run, after)), document in zip(new.items(), documents, strict=True):
            del self._new[key]
            if document is not None:
                uses = uses_of(JobSpec.from_document(document))
                job = (run.project, run.environment, run.job)
                wanted = tuple(_wanted(use) for use in uses)
                self._open[key] = Open(job, run.region, after, uses, wanted)

    async def _read(self, keys: Sequence[AttemptKey], now: datetime) -> bool:
        """Read a part of some logs; True when there is more of one of them."""
        places = [LogPlace(key, self._open[key].after, self._open[key].wanted) for key in keys]
        found = await self._viewer.sift(places)
        moved: dict[AttemptKey, int] = {}
        over: list[AttemptKey] = []
        for key, part in zip(keys, found, strict=True):
            log = self._open[key]
            for entry, numbers in part.found:
                await self._measure(key, log, entry, [log.uses[number] for number in numbers])
            self._open[key] = replace(log, after=part.after)
            if part.ended:
                over.append(key)
            elif part.after != log.after:
                moved[key] = part.after
        await self._measures.flush(now)
        await self._errors.flush()
        if moved or over:
            await self._measures.database.write(partial(self._keep, moved, over))
        for key in over:
            del self._open[key]
        return any(not part.complete for part in found)

    async def _keep(
        self, moved: Mapping[AttemptKey, int], over: Sequence[AttemptKey], tx: Tx
    ) -> None:
        await self._port.put(tx, moved)
        await self._port.drop(tx, over)

    async def _measure(
        self, attempt: AttemptKey, log: Open, entry: LogEntry, uses: Sequence[Use]
    ) -> None:
        samples = measured(uses, entry.text, entry.fields)
        if tells_of_error(uses, entry.severity, entry.text):
            line = LogExample(entry.at, attempt, entry.text)
            samples += await self._errors.add(log.key, line)
        for sample in samples:
            metric, labels, value = await self._admitted(log.key, sample)
            project, environment, job = log.key
            series = Series(environment, project, job, log.region, metric, labels)
            self._measures.add(entry.at, series, value)
            if metric.startswith(OWN):
                self._seen(series, value)

    async def _admitted(self, key: JobKey, sample: Sample) -> Sample:
        """The sample, or that there are too many series of the job already."""
        metric, labels, _ = sample
        if not metric.startswith(OWN):
            return sample
        known = self._own.get(key)
        if known is None:
            if len(self._own) >= JOBS_KEPT:
                self._own.clear()
            known = self._own[key] = await self._measures.own_of(key)
        if (metric, labels) not in known:
            if len(known) >= SERIES_MAX:
                return REFUSED_MANY
            known.add((metric, labels))
        return sample


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
