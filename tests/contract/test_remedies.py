"""Something done about an incident: once for each key, whole or not at all, on every database."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from runyard.database.port import Tx
from runyard.gate.remedying import Done, PauseTriggers, Remedy, Wanted
from runyard.model.alert import IncidentId
from runyard.model.audit import AuditEntry, Origin
from runyard.model.errors import AlreadyExists, NotFound, Refused
from runyard.model.incident import Incident, IncidentState, Remedied, RemedyAction
from runyard.model.trigger.row import Trigger, TriggerState
from runyard.store.working_set import Needs, WorkingSet
from tests.support.databases import Grounds
from tests.support.gates import Yard, in_yard
from tests.support.watching import ROOT, SLACK, Watch

BOSS = replace(ROOT, origin=Origin("::1", "curl", "tok_1"))
SCHEDULES: dict[str, Any] = {
    "triggers": [
        {"name": "nightly", "schedule": "30 2 * * *"},
        {"name": "hourly", "schedule": "0 * * * *"},
        {"name": "off", "schedule": "0 * * * *", "enabled": False},
    ]
}


async def failing(yard: Yard) -> tuple[Watch, Incident]:
    """A job with an incident."""
    watch = Watch(yard)
    await watch.begin(**SCHEDULES)
    await watch.run(dead=True)
    return watch, (await watch.incidents())[0]


def told(wanted: Wanted, rows: list[Trigger]) -> Remedied | None:
    names, by = tuple(row.name for row in rows), wanted.by.name
    fact = Remedied(by, wanted.action, "paused", wanted.reason, wanted.key, triggers=names)
    return fact if rows else None


def pausing(
    yard: Yard, incident: IncidentId, key: str = "", action: RemedyAction = RemedyAction.PAUSE
) -> Remedy[list[Trigger]]:
    """All its schedules, and one that there is not."""
    wanted = Wanted(incident, action, BOSS, "it fills the disk", key)
    keys = [("shop", "local", "report", name) for name in ("nightly", "hourly", "off", "x")]
    command = PauseTriggers(keys, BOSS, "it fills the disk", yard.now)
    return Remedy(wanted, command, lambda rows: told(wanted, rows), yard.now, ZoneInfo)


async def facts(yard: Yard, incident: IncidentId) -> list[Remedied]:
    port = yard.store.alerts
    return await yard.database.read(lambda tx: port.remedies(tx, incident))


async def rows_of(yard: Yard) -> list[Trigger]:
    """Its schedules, by name."""

    async def work(tx: Tx) -> list[Trigger]:
        return await yard.store.triggers.of_jobs(tx, [("local", "report")])

    return sorted(await yard.database.read(work), key=lambda row: row.name)


async def states(yard: Yard) -> dict[str, TriggerState]:
    return {row.name: row.state for row in await rows_of(yard)}


def test_it_is_done_with_its_fact_and_its_entry(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        watch, incident = await failing(yard)
        done = await yard.gate.ask(pausing(yard, incident.id, "k1"))
        assert [row.name for row in done.answer or ()] == ["nightly", "hourly"]
        assert done.incident.version > incident.version
        assert await facts(yard, incident.id) == [done.fact]
        assert done.fact is not None
        assert done.fact.triggers == ("nightly", "hourly")
        assert set((await states(yard)).values()) == {TriggerState.PAUSED}
        assert await yard.entries("incident.pause") == [
            AuditEntry(
                yard.now, "admin", "incident.pause", f"incident/{incident.id}", "local",
                after={"what": "paused", "triggers": ["nightly", "hourly"]},
                reason="it fills the disk", origin=BOSS.origin,
            )
        ]  # fmt: skip
        for entry in await yard.entries("trigger.pause"):
            assert (entry.at, entry.by, entry.reason) == (yard.now, "admin", "it fills the disk")
            assert (entry.after, entry.origin) == ({"state": "paused"}, BOSS.origin)
        (hourly, nightly, _) = await rows_of(yard)
        for row in (hourly, nightly):
            assert (row.said_by, row.said_at) == ("admin", yard.now)
            assert row.reason == "it fills the disk"
        assert len(await yard.entries("trigger.pause")) == 2
        assert (await watch.kinds(incident))[-1] == "remedied"

    in_yard(scene, grounds)


class Noting:
    """A command that has a job loaded, and does nothing with it."""

    def __init__(self, yard: Yard) -> None:
        self.now = yard.now

    def needs(self, needs: Needs) -> None:
        """See `Command.needs`."""
        needs.jobs.append(("local", "report"))

    async def load(self, work: WorkingSet) -> None:
        """See `Command.load`."""

    def frees(self, work: WorkingSet) -> None:
        """See `Command.frees`."""

    def act(self, work: WorkingSet) -> int:
        """See `Command.act`."""
        return len(work.jobs["local", "report"])


def test_what_came_of_it_is_in_the_log_whatever_it_was(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        _, incident = await failing(yard)
        wanted = Wanted(incident.id, RemedyAction.REPLAY, BOSS)
        came: dict[str, Any] = {"runs": ("run_1", "run_2"), "replay": "rp_1", "operation": "op_1"}
        fact = Remedied("admin", RemedyAction.REPLAY, "replayed", **came)
        remedy = Remedy(wanted, Noting(yard), lambda jobs: fact, yard.now, ZoneInfo)
        done = await yard.gate.ask(remedy)
        assert (done.answer, done.fact) == (1, fact)
        (entry,) = await yard.entries("incident.replay")
        assert entry.after == {"what": "replayed", **came, "runs": ["run_1", "run_2"]}

    in_yard(scene, grounds)


def test_what_is_done_leaves_the_escalation_as_it_is(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        watch = Watch(yard)
        steps = [{"after": "10m", "to": ["lead"]}]
        await watch.begin({"channels": {"lead": SLACK}, "escalation": steps}, **SCHEDULES)
        await watch.run(dead=True)
        (incident,) = await watch.incidents()
        assert incident.due_at == incident.opened_at + timedelta(minutes=10)
        done = await yard.gate.ask(pausing(yard, incident.id))
        assert done.incident.due_at == incident.due_at

    in_yard(scene, grounds)


def test_the_same_key_does_it_once_also_within_one_batch(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        _, incident = await failing(yard)
        asked = [yard.gate.ask(pausing(yard, incident.id, "k1")) for _ in range(3)]
        done: list[Done[list[Trigger]]] = await asyncio.gather(*asked)
        assert sorted(one.answer is None for one in done) == [False, True, True]
        assert len({one.fact for one in done}) == 1
        again = await yard.gate.ask(pausing(yard, incident.id, "k1"))
        assert (again.answer, again.fact) == (None, done[0].fact)
        assert again.incident.id == incident.id
        assert len(await facts(yard, incident.id)) == len(await yard.entries("incident.pause")) == 1
        with pytest.raises(AlreadyExists) as caught:
            await yard.gate.ask(pausing(yard, incident.id, "k1", RemedyAction.ROLLBACK))
        assert caught.value.message == "the idempotency key k1 was used for pause"
        hint = "use a new key for a new request; the same key stands for the same request"
        assert caught.value.hint == hint

    in_yard(scene, grounds)


def test_without_a_key_it_is_done_again(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        _, incident = await failing(yard)
        await yard.gate.ask(pausing(yard, incident.id))
        rows = [row.evolve(state=TriggerState.ENABLED) for row in await rows_of(yard)]
        await yard.database.write(lambda tx: yard.store.triggers.put(tx, rows))
        again = await yard.gate.ask(pausing(yard, incident.id))
        assert len(again.answer or ()) == 3
        assert len(await facts(yard, incident.id)) == 2

    in_yard(scene, grounds)


def test_what_has_ended_is_not_paused(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        _, incident = await failing(yard)
        rows = [row.evolve(state=TriggerState.ENDED) for row in await rows_of(yard)]
        await yard.database.write(lambda tx: yard.store.triggers.put(tx, rows))
        assert (await yard.gate.ask(pausing(yard, incident.id))).answer == []

    in_yard(scene, grounds)


def test_where_there_is_nothing_to_do_nothing_is_told(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        _, incident = await failing(yard)
        await yard.gate.ask(pausing(yard, incident.id))
        again = await yard.gate.ask(pausing(yard, incident.id))
        assert (again.answer, again.fact) == ([], None)
        assert again.incident.id == incident.id
        assert len(await facts(yard, incident.id)) == 1
        with pytest.raises(NotFound, match="no incident inc_x"):
            await yard.gate.ask(pausing(yard, IncidentId("inc_x")))

    in_yard(scene, grounds)


class Refusing:
    """A command that frees something, and refuses."""

    def __init__(self, yard: Yard) -> None:
        self.now = yard.now

    def needs(self, needs: Needs) -> None:
        """See `Command.needs`."""

    async def load(self, work: WorkingSet) -> None:
        """See `Command.load`."""

    def frees(self, work: WorkingSet) -> None:
        """See `Command.frees`."""
        raise AssertionError("a remedy may have been done already")

    def act(self, work: WorkingSet) -> list[Trigger]:
        """See `Command.act`."""
        raise Refused("not now")


def test_what_is_refused_leaves_no_trace(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        _, incident = await failing(yard)
        wanted = Wanted(incident.id, RemedyAction.ROLLBACK, ROOT)
        remedy = Remedy(wanted, Refusing(yard), lambda rows: told(wanted, rows), yard.now, ZoneInfo)
        with pytest.raises(Refused, match="not now"):
            await yard.gate.ask(remedy)
        assert await facts(yard, incident.id) == []
        assert await yard.entries("incident.rollback") == []

    in_yard(scene, grounds)


def test_something_can_be_done_when_it_is_over_too(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        watch, incident = await failing(yard)
        await watch.run(dead=False)
        done = await yard.gate.ask(pausing(yard, incident.id))
        assert done.incident.state is IncidentState.RESOLVED
        assert watch.heard() == ["opened", "resolved"]

    in_yard(scene, grounds)


def test_a_span_of_time_is_read_in_pages_with_what_was_done(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        watch, first = await failing(yard)
        await yard.gate.ask(pausing(yard, first.id))
        await watch.run(dead=False)
        yard.later(3600)
        await watch.run(dead=True)
        _, second = await watch.incidents()
        port, since, until = yard.store.alerts, first.opened_at, second.opened_at

        async def between(after: tuple[datetime, str], until: datetime) -> list[IncidentId]:
            found = await yard.database.read(
                lambda tx: port.incidents_between(tx, "local", after, until, 1)
            )
            return [one.id for one in found]

        later = until + timedelta(seconds=1)
        assert await between((since, ""), later) == [first.id]
        assert await between((since, first.id), later) == [second.id]
        assert await between((since, first.id), until) == []
        assert await between((until, second.id), later) == []

        async def done(job: str, span: tuple[datetime, datetime]) -> list[Remedied]:
            return await yard.database.read(
                lambda tx: port.remedies_between(tx, "local", job, span, 10)
            )

        assert await done("", (since, later)) == await facts(yard, first.id)
        assert await done("report", (since, until)) == await facts(yard, first.id)
        assert await done("other", (since, later)) == await done("", (until, later)) == []

    in_yard(scene, grounds)
