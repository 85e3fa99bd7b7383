"""Silences, and what alerts and incidents do by themselves, on every kind of database."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from runyard.flow.incident import LOG
from runyard.gate.alerting import AddSilence, AdvanceAlerts, EndSilence, ForgetAlerts, Observe
from runyard.gate.environments import ApplyEnvironments
from runyard.model.alert import Alert, AlertState, Silence, SilenceId
from runyard.model.audit import AuditEntry, Origin
from runyard.model.environment import Environment
from runyard.model.incident import Escalated, Incident
from tests.contract.test_alerts import CHANNELS, by_rule, observe, over, seen, watched
from tests.support.databases import Grounds
from tests.support.gates import Yard, in_yard
from tests.support.watching import ROOT, Watch, silence

HOUR = timedelta(hours=1)
BOSS = replace(ROOT, origin=Origin("::1", "curl", "tok_1"))
ONE = SilenceId("sil_1")


async def end(yard: Yard, which: SilenceId = ONE) -> Silence:
    return await yard.gate.ask(EndSilence(BOSS, which, yard.now, ZoneInfo))


async def advance(yard: Yard, seconds: float = 0) -> int:
    yard.later(seconds)
    return await yard.gate.ask(AdvanceAlerts(yard.now, ZoneInfo))


async def in_environment(yard: Yard, name: str) -> list[AlertState]:
    port = yard.store.alerts
    rows: list[Alert] = await yard.database.read(lambda tx: port.unresolved_in(tx, name))
    return [row.state for row in rows]


async def only(yard: Yard) -> tuple[Alert, list[Incident]]:
    """The alert, and the incidents there were."""
    watch = Watch(yard)
    (alert,) = await watch.alerts()
    return alert, await watch.incidents()


def test_the_log_keeps_who_silenced_what_until_when(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await watched(yard)
        made = silence(yard, rule="dead").silence
        ends_at = yard.now + HOUR
        assert await yard.gate.ask(AddSilence(BOSS, made, yard.now, ZoneInfo)) == made
        yard.later(60)
        done = await end(yard)
        assert done == replace(made, ends_at=yard.now, ended_by="admin")
        added, ended = (await yard.entries())[-2:]
        usual: dict[str, Any] = {"reason": "a move", "origin": BOSS.origin}
        after = {"job": "report", "rule": "dead"}
        assert added == AuditEntry(
            made.begins_at, "admin", "silence.add", "silence/sil_1", "local",
            after={**after, "ends_at": ends_at.isoformat()}, **usual,
        )  # fmt: skip
        assert ended == AuditEntry(
            yard.now, "admin", "silence.end", "silence/sil_1", "local",
            after={**after, "ends_at": yard.now.isoformat()}, **usual,
        )  # fmt: skip

    in_yard(scene, grounds)


def test_a_silence_takes_its_rule_out_and_no_other(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        watch = await watched(yard)
        await observe(yard, seen(), seen("failing"), seen("slow", hold_seconds=60))
        await yard.gate.ask(silence(yard, rule="dead"))
        assert await by_rule(yard) == {
            "dead": AlertState.SILENCED,
            "failing": AlertState.FIRING,
            "slow": AlertState.PENDING,
        }
        (alert, *_) = await watch.alerts("silenced")
        assert (alert.silence, alert.due_at) == ("silenced by bob: a move", yard.now + HOUR)
        (incident,) = await watch.incidents()
        assert [one.rule for one in incident.members if one.is_open] == ["failing"]

    in_yard(scene, grounds)


def test_a_silence_leaves_the_escalation_of_the_others_as_it_is(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        watch = await watched(yard, escalation=[{"after": "10m", "to": ["lead"]}])
        await observe(yard, seen(), seen("failing"))
        (before,) = await watch.incidents()
        yard.later(60)
        await yard.gate.ask(silence(yard, rule="dead"))
        (after,) = await watch.incidents()
        assert after.due_at == before.due_at == before.opened_at + timedelta(minutes=10)

    in_yard(scene, grounds)


def test_the_end_of_a_silence_leaves_alone_what_it_did_not_hold(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await watched(yard)
        await yard.gate.ask(silence(yard, rule="dead"))
        await observe(yard, seen(), seen("failing"))
        await end(yard)
        assert await by_rule(yard) == {"dead": AlertState.FIRING, "failing": AlertState.FIRING}

    in_yard(scene, grounds)


@pytest.mark.parametrize("by", ["itself", "a silence"])
def test_what_stays_away_is_over_at_the_instant_when_nobody_need_be_told(
    grounds: Grounds, by: str
) -> None:
    async def scene(yard: Yard) -> None:
        watch = await watched(yard)
        for one in (seen(), over(), seen(), over()):
            await observe(yard, one)
            yard.later(60)
        (away,) = [one for one in await watch.alerts() if one.resolved_at is None]
        assert away.due_at is not None
        if by == "itself":
            assert await advance(yard, (away.due_at - yard.now).total_seconds()) == 1
        else:
            await yard.gate.ask(silence(yard))
        after = {one.id: one.resolved_at for one in await watch.alerts()}
        assert after[away.id] == yard.now

    in_yard(scene, grounds)


def test_a_silence_that_has_not_begun_holds_nothing_back(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await watched(yard)
        await observe(yard, seen())
        later = silence(yard, begins_at=yard.now + HOUR, ends_at=yard.now + 2 * HOUR)
        await yard.gate.ask(later)
        assert await by_rule(yard) == {"dead": AlertState.FIRING}

    in_yard(scene, grounds)


def test_a_silence_is_of_its_environment_also_within_one_batch(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await watched(yard)
        elsewhere = seen(environment="dev", fingerprint="dev/dead", group="dev")
        both = Observe((seen(), elsewhere), yard.now, ZoneInfo)
        await yard.gate.decide_now([both, silence(yard)])
        assert await in_environment(yard, "local") == [AlertState.SILENCED]
        assert await in_environment(yard, "dev") == [AlertState.FIRING]
        await yard.gate.ask(silence(yard, id=SilenceId("sil_2"), environment="dev"))
        again = Observe((replace(elsewhere, text="still"),), yard.now, ZoneInfo)
        await yard.gate.decide_now([again, EndSilence(BOSS, ONE, yard.now, ZoneInfo)])
        assert await in_environment(yard, "local") == [AlertState.FIRING]
        assert await in_environment(yard, "dev") == [AlertState.SILENCED]

    in_yard(scene, grounds)


def test_what_another_silence_holds_stays_silenced(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await watched(yard)
        await yard.gate.ask(silence(yard))
        await yard.gate.ask(silence(yard, id=SilenceId("sil_2"), reason="and another"))
        await observe(yard, seen())
        await end(yard)
        alert, incidents = await only(yard)
        assert alert.silence == "silenced by bob: and another"
        assert incidents == []

    in_yard(scene, grounds)


def test_a_silence_that_is_over_is_not_ended_again(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await watched(yard)
        made = await yard.gate.ask(silence(yard))
        yard.later(3600)
        assert await end(yard) == made
        assert await yard.entries("silence.end") == []

    in_yard(scene, grounds)


def test_what_fires_again_joins_a_new_incident_that_names_the_one_before(
    grounds: Grounds,
) -> None:
    async def scene(yard: Yard) -> None:
        hours = {"from": "21:00", "to": "22:00", "timeZone": "Asia/Tokyo"}  # noon in UTC
        await watched(yard, routes=[{"to": ["ops"], "hours": hours}])
        await observe(yard, seen())
        await yard.gate.ask(silence(yard))
        yard.later(60)
        await end(yard)
        alert, incidents = await only(yard)
        first, second = incidents
        assert (alert.state, alert.incident, alert.silence) == (AlertState.FIRING, second.id, "")
        assert (first.is_final, second.previous, second.told) == (True, first.id, (LOG, "ops"))

    in_yard(scene, grounds)


def test_what_is_held_for_long_enough_fires_at_its_instant(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        hours = {"from": "21:00", "to": "22:00", "timeZone": "Asia/Tokyo"}
        await watched(yard, routes=[{"to": ["ops"], "hours": hours}])
        await observe(yard, seen(hold_seconds=60))
        assert await advance(yard, 59) == 0
        assert await advance(yard, 1) == 1
        alert, (incident,) = await only(yard)
        assert (alert.state, alert.incident) == (AlertState.FIRING, incident.id)
        assert incident.told == (LOG, "ops")

    in_yard(scene, grounds)


def test_what_another_command_of_the_batch_did_is_not_done_again(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await watched(yard, escalation=[{"after": "10m", "to": ["lead"]}])
        await observe(yard, seen(hold_seconds=600), seen("failing"))
        yard.later(600)
        both = [AdvanceAlerts(yard.now, ZoneInfo) for _ in range(2)]
        assert (await yard.gate.decide_now(both)).answers == (2, 2)
        assert await by_rule(yard) == {"dead": AlertState.FIRING, "failing": AlertState.FIRING}
        (incident,) = await Watch(yard).incidents()
        assert incident.escalated == 1

    in_yard(scene, grounds)


def test_so_many_are_advanced_in_a_turn(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await watched(yard)
        await observe(yard, *(seen(rule, hold_seconds=60) for rule in ("dead", "failing")))
        yard.later(60)
        turn = AdvanceAlerts(yard.now, ZoneInfo, 1)
        assert [await yard.gate.ask(turn) for _ in range(3)] == [1, 1, 0]

    in_yard(scene, grounds)


def test_an_escalation_that_was_taken_away_meanwhile_tells_nobody(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        watch = await watched(yard, escalation=[{"after": "10m", "to": ["lead"]}])
        await observe(yard, seen())
        found = Environment.from_document({"channels": CHANNELS})
        await yard.gate.ask(ApplyEnvironments("shop", {"local": found}, "ann", yard.now))
        assert await advance(yard, 599) == 0
        assert await advance(yard, 1) == 1
        (incident,) = await watch.incidents()
        assert (incident.escalated, incident.due_at) == (1, None)
        facts = await yard.database.read(lambda tx: yard.store.alerts.history(tx, incident.id))
        assert [one.fact for one in facts][1:] == [Escalated(1, ())]

    in_yard(scene, grounds)


def test_each_step_of_an_escalation_is_done_in_its_turn(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        steps = [{"after": "10m", "to": ["lead"]}, {"after": "20m", "to": ["ops", "gone"]}]
        watch = await watched(yard, routes=[{"to": ["ops"]}], escalation=steps[:1])
        found = Environment.from_document({"channels": CHANNELS, "escalation": steps})
        await yard.gate.ask(ApplyEnvironments("shop", {"local": found}, "ann", yard.now))
        await observe(yard, seen())
        for _ in steps:
            assert await advance(yard, 600) == 1
        (incident,) = await watch.incidents()
        facts = await yard.database.read(lambda tx: yard.store.alerts.history(tx, incident.id))
        escalated = [one.fact for one in facts if isinstance(one.fact, Escalated)]
        assert escalated == [Escalated(1, ("lead",)), Escalated(2, ("ops",))]

    in_yard(scene, grounds)


def test_what_was_over_long_ago_is_forgotten(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        watch = await watched(yard)
        await observe(yard, seen(), seen("failing", group="other"))
        await observe(yard, over())
        yard.later(60)
        await yard.gate.ask(ForgetAlerts(yard.now, yard.now))
        assert await by_rule(yard) == {"failing": AlertState.FIRING}
        (incident,) = await watch.incidents()
        assert incident.group == "other"

    in_yard(scene, grounds)
