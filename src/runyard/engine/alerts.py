"""ALERTS: judges jobs by their rules, and has done what alerts and incidents do by themselves.

Jobs with runs that wait are judged as a wait begins, changes and ends, and at the instant at which
it has lasted too long; the rows say who waits, so a process that begins anew knows it, too.

What is read here is read beside the gate, and may be old by the time it is decided on: rules look
at how things are, so the next look finds what this one missed. The gate is asked only where
something changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache

import orjson

from runyard.database.port import Database, Tx
from runyard.engine.subjects import Measures, Subjects, Watched
from runyard.engine.waiters import Waiters, Waiting
from runyard.flow.freezing import Zones
from runyard.flow.rule_subject import Subject
from runyard.flow.rules import judge, of_success, of_time, over, quiet_until
from runyard.flow.waiting import wait_too_long_at
from runyard.gate.alerting import AdvanceAlerts, Observe
from runyard.gate.door import Gate
from runyard.model.alert import Alert, Observation
from runyard.model.alert_rules import AlertRule, WaitingRule, named
from runyard.model.job import JobSpec
from runyard.model.run import Run, State
from runyard.model.trigger.row import Trigger
from runyard.store.jobs import JobRow
from runyard.store.memory import Store

BATCH = 100  #: alerts and incidents advanced, jobs read, observations told by one step
EVERY = timedelta(seconds=30)  #: how often every job is looked at
QUIET_MAX = timedelta(minutes=20)  #: how long a job is not looked at of which nothing is heard
OPEN_MAX = 100_000  #: alerts that are open at once; more is no help to anybody
_KEPT = 20_000  #: specs kept, of some kilobytes each
Key = tuple[str, str, str]  #: (project, environment, job)


class AlertsLoop:
    """One tick: jobs whose runs ended since the last one, every job from time to time, and what is
    due."""

    def __init__(
        self,
        gate: Gate,
        database: Database,
        store: Store,
        zones: Zones,
        measures: Measures | None = None,
    ) -> None:
        self._gate = gate
        self._database = database
        self._store = store
        self._zones = zones
        self._subjects = Subjects(database, store, zones, measures)
        self._ended: dict[Key, bool] = {}  #: jobs whose runs ended; True: one of them died
        self._wanted: set[Key] = set()  #: jobs of which a success is news, as of the last tick
        self._took: set[Key] = set()  #: jobs with rules about runs that succeeded
        self._look_at: datetime | None = None
        self._quiet: dict[Key, tuple[int, datetime]] = {}  #: (revision, until when), by job
        self._waiters = Waiters(database, store)

    def ended(self, runs: Iterable[Run]) -> bool:
        """Take note of runs that ended, or began or ceased to wait; True when one of them may be
        news to a rule."""
        is_news = False
        for run in runs:
            is_news = self._waiters.noted(run) or is_news
            if run.is_final:
                key, died = (run.project, run.environment, run.job), run.state is State.DEAD
                self._ended[key] = self._ended.get(key, False) or died
                is_news = is_news or died or key in self._wanted
        return is_news

    def changed(self, triggers: Iterable[Trigger]) -> None:
        """Take note of triggers that changed: their jobs may be overdue earlier than was known."""
        for trigger in triggers:
            self._quiet.pop((trigger.project, trigger.environment, trigger.job), None)

    async def tick(self, now: datetime) -> datetime | None:
        """Judge, then advance; when the next look is due."""
        ended, self._ended = self._ended, {}
        try:
            await self._judge(now, ended)
        except BaseException:
            self._ended = ended | self._ended
            raise
        next_instant = self._store.alerts.next_instant
        next_at = await self._database.read(next_instant)
        while next_at is not None and next_at <= now:
            if await self._gate.ask(AdvanceAlerts(now, self._zones, BATCH)) == 0:
                break  # another engine did it
            next_at = await self._database.read(next_instant)
        instants = (self._look_at or now, next_at, self._waiters.next_at)
        return min(at for at in instants if at is not None)

    async def _judge(self, now: datetime, ended: Mapping[Key, bool]) -> None:
        alerts = await self._open()
        every = self._look_at is None or now >= self._look_at
        self._wanted = self._took | alerts.keys()
        waiting = await self._waiters.look(now)
        news = {key for key, died in ended.items() if died or key in self._wanted}
        watched = await self._watched(None if every else news | waiting.turned)
        found: list[Observation] = []
        if every:
            known = {one.row.key for one in watched}
            self._took = {one.row.key for one in watched if of_success(one.rules)}
            gone = (alert for key, rows in alerts.items() if key not in known for alert in rows)
            found += [over(alert, "its job is gone") for alert in gone]
            self._quiet = {key: quiet for key, quiet in self._quiet.items() if key in known}
        chosen = [
            one
            for one in watched
            if one.row.key in waiting.turned
            or (every and one.row.key in waiting.by_job)
            or _is_chosen(one, alerts, ended, every=every and not self._is_quiet(one, now))
        ]
        too_long_at: dict[Key, datetime | None] = dict.fromkeys(waiting.turned)
        for first in range(0, len(chosen), BATCH):
            page = chosen[first : first + BATCH]
            for one, subject in await self._asked(page, waiting, now):
                mine = {alert.fingerprint: alert for alert in alerts.get(one.row.key, ())}
                found += judge(subject, mine, now)
                too_long_at[one.row.key] = wait_too_long_at(subject, one.rules, now)
                if every:
                    self._calm(one, subject, now)
        for first in range(0, len(found), BATCH):
            some = tuple(found[first : first + BATCH])
            await self._gate.ask(Observe(some, now, self._zones))
        self._waiters.judged(waiting, too_long_at, _unsettled(chosen, alerts, waiting))
        if every:
            self._look_at = now + EVERY

    async def _asked(
        self, page: Sequence[Watched], waiting: Waiting, now: datetime
    ) -> list[tuple[Watched, Subject]]:
        """Jobs with what their rules are asked about."""
        subjects = await self._subjects.of(page, now)
        return [
            (one, replace(subject, waits=waits) if waits else subject)
            for one, subject in zip(page, subjects, strict=True)
            for waits in (waiting.by_job.get(one.row.key, ()),)
        ]

    def _is_quiet(self, one: Watched, now: datetime) -> bool:
        """True when it is known that time alone makes nothing of a job wrong by now."""
        revision, until = self._quiet.get(one.row.key, (0, now))
        return revision == one.row.revision and now < until

    def _calm(self, one: Watched, subject: Subject, now: datetime) -> None:
        """Remember until when a job need not be looked at; not long, since others change it too."""
        until = quiet_until(subject, one.rules)
        if until is not None:
            self._quiet[one.row.key] = (one.row.revision, min(until, now + QUIET_MAX))

    async def _open(self) -> dict[Key, list[Alert]]:
        """The alerts of jobs that are not resolved."""
        rows = await self._database.read(lambda tx: self._store.alerts.unresolved(tx, OPEN_MAX))
        found: dict[Key, list[Alert]] = {}
        for row in rows:
            if row.job:
                found.setdefault((row.project, row.environment, row.job), []).append(row)
        return found

    async def _watched(self, keys: set[Key] | None) -> list[Watched]:
        """The jobs with these keys; None: all there are."""
        if keys is not None and not keys:
            return []

        async def work(tx: Tx) -> list[JobRow]:
            if keys is None:
                return await self._store.jobs.every(tx)
            places = sorted({(environment, name) for _, environment, name in keys})
            return [row for place in places for row in await self._store.jobs.named(tx, *place)]

        rows = await self._database.read(work)
        return [
            Watched(row, *_rules(row.key, row.revision, orjson.dumps(row.document)))
            for row in rows
            if keys is None or row.key in keys
        ]


@lru_cache(maxsize=_KEPT)
def _rules(key: Key, revision: int, document: bytes) -> tuple[JobSpec, Mapping[str, AlertRule]]:
    spec = JobSpec.from_document(orjson.loads(document))
    return spec, named(spec.alerts)


def _unsettled(
    judged: Sequence[Watched], alerts: Mapping[Key, Sequence[Alert]], waiting: Waiting
) -> list[Key]:
    """Jobs without waits that had an alert of one when they were judged: they are looked at once
    more, since the death of a run that waited may have to be told first."""
    return [
        one.row.key
        for one in judged
        if one.row.key not in waiting.by_job
        and any(
            isinstance(one.rules.get(alert.rule), WaitingRule) and alert.cleared_at is None
            for alert in alerts.get(one.row.key, ())
        )
    ]


def _is_chosen(
    one: Watched, alerts: Mapping[Key, object], ended: Mapping[Key, bool], *, every: bool
) -> bool:
    key = one.row.key
    if key in alerts or ended.get(key):
        return True
    if key in ended and of_success(one.rules):
        return True
    return every and of_time(one.rules, scheduled=bool(one.spec.triggers))
