"""Alerts, their incidents and what holds them back, on every kind of database."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from runyard.flow.incident import LOG
from runyard.gate.alert_steps import CHANNEL_RULE
from runyard.gate.alerting import AdvanceAlerts, Observe, TellIncident
from runyard.model.alert import Alert, AlertState, IncidentId, Observation
from runyard.model.errors import NotFound
from runyard.model.incident import (
    Acknowledged,
    Incident,
    IncidentEvent,
    IncidentState,
    Joined,
    Noted,
    NotTold,
    Resolved,
)
from runyard.model.notice import Severity
from tests.support.databases import Grounds
from tests.support.gates import Yard, in_yard
from tests.support.watching import SLACK, Watch, silence

CHANNELS = {"ops": SLACK, "lead": SLACK}


def seen(rule: str = "dead", **changes: Any) -> Observation:
    """That a rule of the job says that something is wrong."""
    usual: dict[str, Any] = {
        "fingerprint": f"job/{changes.get('job', 'report')}/{rule}",
        "group": f"job/{changes.get('job', 'report')}",
        "seen": True,
        "environment": "local",
        "project": "shop",
        "job": "report",
        "rule": rule,
        "severity": Severity.ERROR,
        "title": f"report: {rule}",
    }
    return Observation(**usual | changes)


def over(rule: str = "dead", **changes: Any) -> Observation:
    """That it is not wrong any more."""
    return seen(rule, seen=False, reason="it works", **changes)


async def observe(yard: Yard, *observations: Observation) -> list[Alert]:
    """What rules say is taken in; all alerts, the oldest first."""
    await yard.gate.ask(Observe(observations, yard.now, ZoneInfo))
    return await Watch(yard).alerts()


async def by_rule(yard: Yard) -> dict[str, AlertState]:
    return {one.rule: one.state for one in await Watch(yard).alerts()}


async def tell(yard: Yard, incident: Incident, event: IncidentEvent) -> Incident:
    return await yard.gate.ask(TellIncident(incident.id, event, yard.now, ZoneInfo))


async def watched(yard: Yard, **environment: Any) -> Watch:
    """A job in an environment with two channels."""
    watch = Watch(yard)
    await watch.begin({"channels": CHANNELS, **environment})
    return watch


def test_what_joins_its_incident_says_all_that_is_known(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        watch = await watched(yard)
        (alert,) = await observe(yard, seen(text="exit 1", run="run_1", region="us-central1"))
        (incident,) = await watch.incidents()
        assert (incident.id, incident.previous) == (alert.incident, "")
        (fact,) = await yard.database.read(lambda tx: yard.store.alerts.history(tx, incident.id))
        to = (LOG, "lead", "ops")
        assert fact.fact == Joined(
            alert.id, "dead", Severity.ERROR, "report: dead", "exit 1", "run_1", "us-central1", to
        )

    in_yard(scene, grounds)


def test_routes_are_asked_for_the_job_its_labels_and_the_hour_where_they_say(
    grounds: Grounds,
) -> None:
    async def scene(yard: Yard) -> None:
        hours = {"from": "21:00", "to": "22:00", "timeZone": "Asia/Tokyo"}  # noon in UTC
        fitting = {"jobs": ["report"], "labels": {"team": "a"}, "hours": hours}
        routes = [{"to": ["ops"], **fitting}, {"to": ["lead"], "jobs": ["other"]}]
        watch = await watched(yard, routes=routes)
        await observe(yard, seen(labels=(("team", "a"),)))
        (incident,) = await watch.incidents()
        assert incident.told == (LOG, "ops")

    in_yard(scene, grounds)


def test_where_nothing_was_said_of_an_environment_only_the_log_is_told(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        (alert,) = await observe(yard, seen())
        assert alert.state is AlertState.FIRING
        (incident,) = await Watch(yard).incidents()
        assert incident.told == (LOG,)

    in_yard(scene, grounds)


def test_a_silence_holds_back_the_rule_that_it_names(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        watch = await watched(yard)
        await yard.gate.ask(silence(yard, rule="dead", reason=""))
        found = await observe(yard, seen(), seen("failing"))
        assert {one.rule: (one.state, one.silence) for one in found} == {
            "dead": (AlertState.SILENCED, "silenced by bob"),
            "failing": (AlertState.FIRING, ""),
        }
        (incident,) = await watch.incidents()
        assert [one.rule for one in incident.members] == ["failing"]

    in_yard(scene, grounds)


def test_what_is_not_yet_told_is_silenced_when_it_would_be(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        watch = await watched(yard)
        await yard.gate.ask(silence(yard))
        (alert,) = await observe(yard, seen(hold_seconds=60))
        assert (alert.state, alert.silence) == (AlertState.PENDING, "")
        yard.later(60)
        assert await yard.gate.ask(AdvanceAlerts(yard.now, ZoneInfo)) == 1
        (alert,) = await watch.alerts()
        assert (alert.state, alert.silence) == (AlertState.SILENCED, "silenced by bob: a move")

    in_yard(scene, grounds)


def test_a_weekly_window_of_maintenance_holds_back_its_jobs_in_its_zone(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        sunday = {"from": "sun 20:00", "until": "sun 22:00", "timeZone": "Asia/Tokyo"}
        await watched(yard, maintenance=[{**sunday, "jobs": ["report"]}])
        found = await observe(yard, seen(), seen(job="other"))
        assert {one.job: one.state for one in found} == {
            "report": AlertState.SILENCED,
            "other": AlertState.FIRING,
        }

    in_yard(scene, grounds)


def test_maintenance_of_all_jobs_holds_back_nothing_that_is_about_none(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        begin, end = (yard.now + timedelta(hours=each) for each in (-1, 1))
        window = {"from": begin.isoformat(), "until": end.isoformat()}
        await watched(yard, maintenance=[window])
        (alert,) = await observe(yard, seen(job=""))
        assert alert.state is AlertState.FIRING

    in_yard(scene, grounds)


@pytest.mark.parametrize(
    ("event", "state"),
    [
        (Acknowledged("ann"), AlertState.ACKNOWLEDGED),
        (Resolved("ann"), AlertState.RESOLVED),
    ],
)
def test_what_people_say_of_an_incident_is_for_the_alerts_that_are_in_it(
    grounds: Grounds, event: IncidentEvent, state: AlertState
) -> None:
    async def scene(yard: Yard) -> None:
        watch = await watched(yard)
        await observe(yard, seen(), seen("failing"), seen("slow"))
        await observe(yard, over("slow"))
        await yard.gate.ask(silence(yard, rule="failing"))
        (incident,) = await watch.incidents()
        await tell(yard, incident, event)
        assert await by_rule(yard) == {
            "dead": state,
            "failing": AlertState.SILENCED,
            "slow": AlertState.RESOLVED,
        }

    in_yard(scene, grounds)


def test_one_batch_may_silence_what_it_acknowledges(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        watch = await watched(yard)
        await observe(yard, seen(), seen("failing"))
        (incident,) = await watch.incidents()
        told = TellIncident(incident.id, Acknowledged("ann"), yard.now, ZoneInfo)
        await yard.gate.decide_now([silence(yard, rule="failing"), told])
        assert await by_rule(yard) == {
            "dead": AlertState.ACKNOWLEDGED,
            "failing": AlertState.SILENCED,
        }

    in_yard(scene, grounds)


def test_what_is_less_bad_leaves_the_escalation_as_it_is(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        steps = [{"after": "10m", "to": ["lead"], "severity": "error"}]
        watch = await watched(yard, escalation=steps)
        await observe(yard, seen())
        (before,) = await watch.incidents()
        await observe(yard, seen("slow", severity=Severity.WARNING))
        (after,) = await watch.incidents()
        assert before.due_at == after.due_at == yard.now + timedelta(minutes=10)
        assert after.severity is Severity.ERROR

    in_yard(scene, grounds)


def test_a_note_leaves_the_escalation_as_it_is(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        watch = await watched(yard, escalation=[{"after": "10m", "to": ["lead"]}])
        await observe(yard, seen())
        (before,) = await watch.incidents()
        assert before.due_at == yard.now + timedelta(minutes=10)
        assert (await tell(yard, before, Noted("ann", "it is the disk"))).due_at == before.due_at

    in_yard(scene, grounds)


def test_an_alert_leaves_its_incident_whatever_its_rule_groups_by_now(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        watch = await watched(yard)
        await observe(yard, seen(group="before"))
        (alert,) = await observe(yard, over(group="now"))
        assert alert.state is AlertState.RESOLVED
        (incident,) = await watch.incidents()
        assert (incident.state, incident.reason) == (IncidentState.RESOLVED, "it works")

    in_yard(scene, grounds)


def test_an_alert_whose_incident_is_gone_is_over_all_the_same(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await observe(yard, seen())
        await yard.database.write(lambda tx: tx.execute("DELETE FROM incidents"))
        (alert,) = await observe(yard, over())
        assert alert.state is AlertState.RESOLVED
        assert await Watch(yard).incidents() == []

    in_yard(scene, grounds)


def test_an_incident_that_is_open_is_joined_though_a_clock_was_set_back_since_the_last_one(
    grounds: Grounds,
) -> None:
    async def scene(yard: Yard) -> None:
        watch = await watched(yard)
        await observe(yard, seen())
        await observe(yard, over())
        yard.later(-600)
        await observe(yard, seen())
        await observe(yard, seen("took"))
        found = {one.state: one for one in await watch.incidents()}
        assert set(found) == {IncidentState.RESOLVED, IncidentState.OPEN}
        assert [one.rule for one in found[IncidentState.OPEN].members] == ["dead", "took"]

    in_yard(scene, grounds)


def test_a_channel_that_is_down_is_an_alert_of_its_own_rule(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        watch = await watched(yard)
        await observe(yard, seen())
        (incident,) = await watch.incidents()
        await tell(yard, incident, NotTold("ops", 1, "it is down"))
        (_, down) = await watch.alerts()
        assert (down.rule, down.job, down.text) == (CHANNEL_RULE, "", "it is down")

    in_yard(scene, grounds)


def test_that_a_channel_is_down_is_told_by_the_others_whatever_routes_say(
    grounds: Grounds,
) -> None:
    async def scene(yard: Yard) -> None:
        routes = [{"to": ["ops"]}, {"to": ["lead"], "jobs": ["other"]}]
        watch = await watched(yard, routes=routes)
        await observe(yard, seen())
        (incident,) = await watch.incidents()
        await tell(yard, incident, NotTold("ops", 1, "it is down"))
        (down,) = [one for one in await watch.incidents() if one.id != incident.id]
        assert down.told == (LOG, "lead")

    in_yard(scene, grounds)


def test_an_incident_that_is_not_there_is_said_to_be_missing(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        nobody = TellIncident(IncidentId("inc_9"), Resolved("ann"), yard.now, ZoneInfo)
        with pytest.raises(NotFound, match="there is no incident inc_9") as caught:
            await yard.gate.ask(nobody)
        assert caught.value.hint == "list them with `runyard incidents`"

    in_yard(scene, grounds)
