"""Triggers of the jobs in force, and what became of their instants."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from runyard.database.port import Row, Tx, Value
from runyard.model.ids import RunId
from runyard.model.instants import from_micros, to_micros
from runyard.model.run import TriggerKind
from runyard.model.trigger.instant import Fate, Instant, Unrun
from runyard.model.trigger.row import Trigger, TriggerKey, TriggerState
from runyard.store.documents import VERSION, dumps, loads
from runyard.store.documents import instant as instant_of
from runyard.store.run_rows import instant, micros


@dataclass(frozen=True, slots=True)
class Follower:
    """A trigger (its path) that is told of the end of runs. A schedule is told of its own only."""

    trigger: str
    kind: TriggerKind


class Triggers:
    """The triggers' port to the database."""

    def __init__(self, queries: Mapping[str, str]) -> None:
        self._q = queries

    async def of_jobs(self, tx: Tx, jobs: Iterable[tuple[str, str]]) -> list[Trigger]:
        """The triggers of jobs (environment, name) in all projects, by project, job and name."""
        found: list[Trigger] = []
        for environment, name in jobs:
            rows = await tx.fetch(self._q["triggers_of_job"], (environment, name))
            found += map(_trigger, rows)
        return found

    async def page(
        self, tx: Tx, environment: str, after: tuple[str, str, str], limit: int
    ) -> list[Trigger]:
        """Triggers by job, project and name, after a (job, project, name)."""
        rows = await tx.fetch(self._q["triggers_page"], (environment, *after, limit))
        return [_trigger(row) for row in rows]

    async def of_kind(self, tx: Tx, environment: str, kind: TriggerKind) -> list[Trigger]:
        """The triggers of a kind other than schedules in an environment, by job, project and
        name."""
        rows = await tx.fetch(self._q["triggers_of_kind"], (environment, kind))
        return [_trigger(row) for row in rows]

    async def every_of_kind(self, tx: Tx, kind: TriggerKind) -> list[Trigger]:
        """The triggers of a kind other than schedules in all environments."""
        return [_trigger(row) for row in await tx.fetch(self._q["triggers_every_of_kind"], (kind,))]

    async def in_environment(self, tx: Tx, environment: str) -> list[Trigger]:
        """All triggers of an environment, by job, project and name."""
        rows = await tx.fetch(self._q["triggers_of_environment"], (environment,))
        return [_trigger(row) for row in rows]

    async def schedules(
        self, tx: Tx, state: TriggerState, after: tuple[str, str, str, str], limit: int
    ) -> list[Trigger]:
        """Schedules in a state, of all environments, after an (environment, job, project, name)."""
        rows = await tx.fetch(self._q["triggers_schedules"], (state, *after, limit))
        return [_trigger(row) for row in rows]

    async def without_instant(self, tx: Tx, limit: int) -> list[Trigger]:
        """Schedules that are enabled and that nobody would ever look at: there are none."""
        rows = await tx.fetch(self._q["triggers_without_instant"], (limit,))
        return [_trigger(row) for row in rows]

    async def due(self, tx: Tx, now: datetime, limit: int) -> list[Trigger]:
        """Triggers that have to be looked at, the longest due first."""
        rows = await tx.fetch(self._q["triggers_due"], (to_micros(now), limit))
        return [_trigger(row) for row in rows]

    async def next_at(self, tx: Tx) -> datetime | None:
        """When the next one has to be looked at."""
        return instant((await tx.fetch(self._q["triggers_next"]))[0][0])

    async def put(self, tx: Tx, triggers: Sequence[Trigger]) -> None:
        """Write triggers, new or known."""
        await tx.execute_many(self._q["trigger_upsert"], [_params(one) for one in triggers])

    async def drop(self, tx: Tx, keys: Sequence[TriggerKey]) -> None:
        """These are in force no more; what became of their instants stays."""
        rows = [(environment, job, project, name) for project, environment, job, name in keys]
        await tx.execute_many(self._q["trigger_delete"], rows)

    async def followers(self, tx: Tx, sources: Iterable[str]) -> dict[str, list[Follower]]:
        """What follows the runs of jobs (`project/environment/job`), by the job."""
        found: dict[str, list[Follower]] = {}
        for row in await tx.fetch(self._q["trigger_followers"], (dumps(list(sources)),)):
            found.setdefault(row[0], []).append(Follower(row[1], TriggerKind(row[2])))
        return found

    async def follow(
        self, tx: Tx, sources: Mapping[str, tuple[TriggerKind, Sequence[str]]]
    ) -> None:
        """Have triggers (their paths) follow exactly these jobs."""
        await tx.execute_many(self._q["trigger_sources_delete"], [(path,) for path in sources])
        rows = [
            (job, path, kind) for path, (kind, jobs) in sources.items() for job in sorted(set(jobs))
        ]
        await tx.execute_many(self._q["trigger_source_insert"], rows)

    async def record(self, tx: Tx, instants: Sequence[Instant]) -> None:
        """Keep what became of instants, for ever as it is."""
        rows: list[tuple[Value, ...]] = [
            (
                one.trigger,
                to_micros(one.at),
                one.origin,
                to_micros(one.end),
                one.count,
                one.fate,
                one.reason,
                dumps(one.runs),
                to_micros(one.decided_at),
            )
            for one in instants
        ]
        await tx.execute_many(self._q["instant_insert"], rows)

    async def instants(self, tx: Tx, trigger: str, before: datetime, limit: int) -> list[Instant]:
        """The latest instants of a trigger (its `path`) before one, latest first."""
        params = (trigger, to_micros(before), limit)
        return [_instant(row) for row in await tx.fetch(self._q["instants_of_trigger"], params)]

    async def instants_with_runs(
        self, tx: Tx, trigger: str, since: datetime, until: datetime
    ) -> set[datetime]:
        """The instants of a trigger from `since` to before `until` that became runs."""
        params = (trigger, to_micros(since), to_micros(until))
        rows = await tx.fetch(self._q["instants_with_runs"], params)
        return {from_micros(row[0]) for row in rows}

    async def unrun(self, tx: Tx, triggers: Sequence[str], since: datetime) -> list[Unrun]:
        """The instants of triggers (their paths) that became no run, decided on since one."""
        rows = await tx.fetch(self._q["instants_unrun"], (dumps(list(triggers)), to_micros(since)))
        return [Unrun(Fate(row[0]), row[1], from_micros(row[2])) for row in rows]

    async def forget_instants(self, tx: Tx, before: datetime) -> None:
        """Forget what was decided before an instant."""
        await tx.execute(self._q["instants_delete"], (to_micros(before),))


def _params(one: Trigger) -> tuple[Value, ...]:
    body = {
        "v": VERSION,
        "since": one.since,
        "next_instant": one.next_instant,
        "last_instant": one.last_instant,
        "failures": one.failures,
        "ended": one.ended,
        "said_by": one.said_by,
        "said_at": one.said_at,
        "reason": one.reason,
    }
    return (
        one.environment,
        one.job,
        one.project,
        one.name,
        one.kind,
        one.state,
        micros(one.next_at),
        one.version,
        dumps(one.document),
        dumps(body),
    )


def _trigger(row: Row) -> Trigger:
    body = loads(row[9])
    return Trigger(
        project=row[2],
        environment=row[0],
        job=row[1],
        name=row[3],
        kind=TriggerKind(row[4]),
        document=loads(row[8]),
        since=datetime.fromisoformat(body["since"]),
        state=TriggerState(row[5]),
        next_at=instant(row[6]),
        next_instant=instant_of(body["next_instant"]),
        last_instant=instant_of(body["last_instant"]),
        failures=body["failures"],
        ended=tuple((job, RunId(run)) for job, run in body.get("ended", ())),
        said_by=body["said_by"],
        said_at=instant_of(body["said_at"]),
        reason=body["reason"],
        version=row[7],
    )


def _instant(row: Row) -> Instant:
    at, last_at = from_micros(row[1]), from_micros(row[3])
    return Instant(
        trigger=row[0],
        at=at,
        fate=Fate(row[5]),
        decided_at=from_micros(row[8]),
        reason=row[6],
        runs=tuple(map(RunId, loads(row[7]))),
        origin=row[2],
        last_at=None if at == last_at else last_at,
        count=row[4],
    )
