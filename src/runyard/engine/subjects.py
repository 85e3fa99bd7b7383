"""Reads what rules ask for: of each job its runs, its schedules, what it cost, what was measured.

All of it is read beside the gate, and may be old by the time it is decided on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from runyard.database.port import Database, Tx
from runyard.flow.freezing import Zones
from runyard.flow.measured import AHEAD, Wants, wants
from runyard.flow.rule_subject import Subject
from runyard.flow.rules import window_of
from runyard.flow.schedule.compiling import Compiled, compiled
from runyard.flow.schedule.timing import Timing
from runyard.model.alert_rules import RUNS_MAX, AlertRule
from runyard.model.job import JobSpec
from runyard.model.log_pattern import LogPattern
from runyard.model.metric import Point
from runyard.model.run import State
from runyard.model.trigger.row import Trigger, TriggerState
from runyard.store.jobs import JobRow
from runyard.store.memory import Store
from runyard.telemetry.series import Question


class Measures(Protocol):
    """Where what was measured is read."""

    async def read_each(self, questions: Sequence[Question], now: datetime) -> list[list[Point]]:
        """The points that each question asks for. Raises StoreError."""

    async def patterns_of(self, keys: Sequence[tuple[str, str, str]]) -> list[list[LogPattern]]:
        """What error lines of jobs have in common. Raises StoreError."""


class NothingMeasured:
    """Where nobody measures."""

    async def read_each(self, questions: Sequence[Question], now: datetime) -> list[list[Point]]:
        """See `Measures.read_each`."""
        return [[] for _ in questions]

    async def patterns_of(self, keys: Sequence[tuple[str, str, str]]) -> list[list[LogPattern]]:
        """See `Measures.patterns_of`."""
        return [[] for _ in keys]


@dataclass(frozen=True, slots=True)
class Watched:
    """A job with its rules."""

    row: JobRow
    spec: JobSpec
    rules: Mapping[str, AlertRule]


class Subjects:
    """Makes a job in force what rules are asked about."""

    def __init__(
        self, database: Database, store: Store, zones: Zones, measures: Measures | None = None
    ) -> None:
        self._database = database
        self._store = store
        self._zones = zones
        self._measures = measures or NothingMeasured()

    async def of(self, page: Sequence[Watched], now: datetime) -> list[Subject]:
        """The subjects of some jobs, in their order. Raises StoreError."""
        asked = [wants(one.rules.values(), now) for one in page]

        async def work(tx: Tx) -> list[Subject]:
            return [
                await self._subject(tx, one, wanted, now)
                for one, wanted in zip(page, asked, strict=True)
            ]

        subjects = await self._database.read(work)
        questions = {
            place: Question(
                one.environment, one.spec.project, one.spec.name, since, now + AHEAD, metrics
            )
            for place, one in enumerate(subjects)
            if (since := asked[place].points_since) and (metrics := asked[place].metrics)
        }
        if questions:
            found = await self._measures.read_each(list(questions.values()), now)
            for place, points in zip(questions, found, strict=True):
                subjects[place] = replace(subjects[place], points=points)
        await self._add_patterns(subjects, asked)
        return subjects

    async def _add_patterns(self, subjects: list[Subject], asked: Sequence[Wants]) -> None:
        places = [place for place, wanted in enumerate(asked) if wanted.patterns]
        if not places:
            return
        keys = [
            (one.spec.project, one.environment, one.spec.name)
            for one in (subjects[place] for place in places)
        ]
        found = await self._measures.patterns_of(keys)
        for place, patterns in zip(places, found, strict=True):
            subjects[place] = replace(subjects[place], patterns=patterns)

    async def _subject(self, tx: Tx, one: Watched, wanted: Wants, now: datetime) -> Subject:
        key, since = one.row.key, now - window_of(one.rules)
        runs = await self._store.runs.recent_of(tx, key, since, RUNS_MAX)
        succeeded = [run.ended_at for run in runs if run.state is State.SUCCEEDED]
        at = max((each for each in succeeded if each is not None), default=None)
        if at is None:
            ids = await self._store.runs.succeeded_of(tx, key, 1)
            at = next((run.ended_at for run in await self._store.runs.get(tx, ids)), None)
        ledger, triggers = self._store.ledger, self._store.triggers
        spent = {per: await ledger.spent(tx, key, begun) for per, begun in wanted.spent_since}
        rows = await self._schedules(tx, one) if one.spec.triggers else []
        paths = [row.path for row in rows]
        unrun = (
            await triggers.unrun(tx, paths, wanted.unrun_since)
            if paths and wanted.unrun_since
            else ()
        )
        timings = self._timings(rows)
        return Subject(
            one.row.environment, one.spec, one.row.applied_at, runs, at, timings, spent, (), unrun
        )

    async def _schedules(self, tx: Tx, one: Watched) -> list[Trigger]:
        rows = await self._store.triggers.of_jobs(tx, [(one.row.environment, one.row.name)])
        return [row for row in rows if row.key[:3] == one.row.key and row.kind == "schedule"]

    def _timings(self, rows: Sequence[Trigger]) -> list[Timing]:
        """When the schedules of a job are due that nobody paused."""
        made = [compiled(row, self._zones) for row in rows if row.state is TriggerState.ENABLED]
        return [each.schedule.timing for each in made if isinstance(each, Compiled)]
