"""Somebody is told of a run that waits, at the right instant, on every kind of database."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from runyard.engine.alerts import EVERY, AlertsLoop
from runyard.flow.incident import LOG
from runyard.gate.resuming import GoOn
from runyard.model.event import CancelRequested, Ended, Looked
from runyard.model.incident import IncidentState
from runyard.model.notice import Severity
from runyard.model.run import Run, State
from tests.contract.test_waits import DECLARED, failed
from tests.support.databases import Grounds
from tests.support.gates import Yard, in_yard
from tests.support.runs import make_spec
from tests.support.watching import Watch


async def waiting(watch: Watch, state: State) -> Run:
    """A run of the job that waits; the loop hears of it."""
    yard = watch.yard
    run = await yard.tell(await yard.request(), Ended(1, failed(state)))
    assert run.state is state
    assert watch.loop.ended([run])
    assert not watch.loop.ended([run])
    return run


def heir(yard: Yard) -> AlertsLoop:
    """The loop of a process that begins anew."""
    return AlertsLoop(yard.gate, yard.database, yard.store, ZoneInfo)


@pytest.mark.parametrize("state", [State.AWAITING_PERMISSION, State.AWAITING_FIX])
def test_what_waits_for_a_person_is_told_once_and_at_once(grounds: Grounds, state: State) -> None:
    async def scene(yard: Yard) -> None:
        watch = Watch(yard)
        await watch.begin(recovery=DECLARED)
        run = await waiting(watch, state)
        await watch.look(0)
        (alert,) = await watch.alerts("firing")
        assert (alert.rule, alert.run, alert.severity) == ("stuck", run.id, Severity.WARNING)
        await watch.look(EVERY.total_seconds())
        yard.later(1)
        looked = await yard.tell(run, Looked(1, "no binding"))
        assert not watch.loop.ended([looked])
        await watch.look()
        assert watch.heard() == ["opened"]
        on = await yard.gate.ask(GoOn(run.id, yard.now, "it is there", by="ann"))
        assert watch.loop.ended([on])
        await watch.look(0)
        assert await watch.alerts("firing") == []
        assert watch.heard() == ["opened", "resolved"]
        assert not watch.loop.ended([on])

    in_yard(scene, grounds)


def test_what_may_come_by_itself_is_told_at_the_instant_at_which_it_lasted_too_long(
    grounds: Grounds,
) -> None:
    async def scene(yard: Yard) -> None:
        watch = Watch(yard)
        await watch.begin(recovery=DECLARED)
        yard.later(7)
        run = await waiting(watch, State.AWAITING_CAPACITY)
        assert run.awaiting is not None
        late_at = run.awaiting.since + timedelta(minutes=15)
        await watch.look(0)
        passed = 0
        while yard.now < late_at - EVERY:
            await watch.look(EVERY.total_seconds())
            passed += 1
        assert (await watch.alerts(), passed) == ([], 29)
        wanted = await watch.look(((late_at - yard.now) - timedelta(seconds=1)).total_seconds())
        assert wanted == late_at
        assert await watch.alerts() == []
        watch.loop = heir(yard)  # killed, and another one begins
        assert await watch.look(0.5) == late_at
        assert await watch.look(0.5) > late_at
        (alert,) = await watch.alerts("firing")
        assert (alert.run, alert.opened_at) == (run.id, late_at)
        watch.loop = heir(yard)
        await watch.look()
        assert len(watch.heard()) == 1

    in_yard(scene, grounds)


def test_a_wait_that_is_cancelled_is_over_also_for_who_was_not_there(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        watch = Watch(yard)
        await watch.begin(recovery=DECLARED)
        run = await waiting(watch, State.AWAITING_FIX)
        await watch.look()
        assert len(await watch.alerts("firing")) == 1
        watch.loop = heir(yard)
        await yard.tell(run, CancelRequested("ann"))
        await watch.look()
        assert await watch.alerts("firing") == []

    in_yard(scene, grounds)


def test_a_wait_of_another_process_is_seen_by_whatever_look_is_next(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        watch = Watch(yard)
        await watch.begin(recovery=DECLARED)
        run = await yard.tell(await yard.request(), Ended(1, failed(State.AWAITING_FIX)))
        await watch.look()
        assert [one.run for one in await watch.alerts("firing")] == [run.id]
        await yard.gate.ask(GoOn(run.id, yard.now, "mended", by="ann"))
        await watch.look()
        assert await watch.alerts("firing") == []

    in_yard(scene, grounds)


def test_a_death_at_the_end_of_a_wait_makes_its_incident_worse(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        watch = Watch(yard)
        await watch.begin(recovery=DECLARED)
        run = await waiting(watch, State.AWAITING_PERMISSION)
        await watch.look()
        yard.later(600)
        dead = await yard.tell(run, Looked(1, "no binding"))
        assert dead.state is State.DEAD
        assert watch.loop.ended([dead])
        await watch.loop.tick(yard.now)  # before the death is told
        assert [one.rule for one in await watch.alerts("firing")] == ["stuck"]
        await watch.carry()
        await watch.look()
        await watch.look()
        assert [one.rule for one in await watch.alerts("firing")] == ["dead"]
        (incident,) = await watch.incidents()
        assert (incident.state, incident.severity) == (IncidentState.OPEN, Severity.ERROR)
        assert incident.told == (LOG, "lead", "ops")
        assert watch.heard()[0] == "opened"
        assert "resolved" not in watch.heard()

    in_yard(scene, grounds)


def test_a_rule_that_became_stricter_is_seen_by_the_next_look_at_all(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        watch = Watch(yard)
        await watch.begin(recovery=DECLARED)
        await waiting(watch, State.AWAITING_NETWORK)
        await watch.look(120)
        assert await watch.alerts() == []
        stricter = [{"name": "stuck", "waiting": {"network": "1m"}}]
        await yard.apply(make_spec(recovery=DECLARED, alerts=stricter))
        await watch.look(EVERY.total_seconds())
        assert [one.rule for one in await watch.alerts("firing")] == ["stuck"]

    in_yard(scene, grounds)


def test_nobody_is_told_where_the_rule_is_off(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        watch = Watch(yard)
        await watch.begin(
            recovery=DECLARED,
            alerts=[{"name": "stuck", "waiting": {"network": "1m"}, "enabled": False}],
        )
        await waiting(watch, State.AWAITING_PERMISSION)
        await watch.look()
        assert await watch.alerts() == []
        assert await watch.look() > yard.now

    in_yard(scene, grounds)
