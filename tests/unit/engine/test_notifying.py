"""A death is taken into its alert, and channels are told what happened to the incident."""

from __future__ import annotations

import logging
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from runyard.engine.alerts import EVERY
from runyard.engine.notifying import TRIES_MAX
from runyard.flow.incident import LOG
from runyard.gate.alerting import EndSilence, TellIncident
from runyard.gate.environments import ApplyEnvironments
from runyard.model.alert import AlertState, SilenceId
from runyard.model.effect import Notify, Pending
from runyard.model.environment import Environment
from runyard.model.errors import ChannelError, ChannelRefused, NotFound
from runyard.model.event import Ended
from runyard.model.incident import Acknowledged, IncidentState, NotTold, Resolved
from runyard.model.outcome import Ending
from runyard.model.principal import ADMIN
from tests.support.gates import Yard, in_yard
from tests.support.notifying import make_notifier
from tests.support.runs import make_outcome, make_spec
from tests.support.watching import DOWN, ROOT, SLACK, Watch, silence


def test_deaths_are_one_alert_and_one_incident_until_a_success() -> None:
    async def scene(yard: Yard) -> None:
        watch = Watch(yard)
        await watch.begin()
        first = await watch.run(dead=True)
        second = await watch.run(dead=True)
        (alert,) = await watch.alerts()
        assert (alert.rule, alert.state, alert.seen_count) == ("dead", AlertState.FIRING, 2)
        assert (alert.run, alert.title) == (second.id, "report is dead")
        (incident,) = await watch.incidents()
        assert (incident.state, incident.told) == (IncidentState.OPEN, (LOG, "lead", "ops"))
        assert watch.heard() == watch.heard("lead") == ["opened"]
        notice = watch.ears.voices.by("ops")[0]
        assert (notice.run, notice.text) == (first.id, first.reason)
        assert [one.key for one in watch.ears.log.notices] == [f"{incident.id}/1"]
        good = await watch.run(dead=False)
        (alert,) = await watch.alerts()
        assert (alert.state, alert.reason) == (AlertState.RESOLVED, f"{good.id} succeeded")
        (incident,) = await watch.incidents()
        assert (incident.state, incident.resolved_by) == (IncidentState.RESOLVED, "")
        assert watch.heard() == ["opened", "resolved"]
        assert watch.ears.voices.by("ops")[1].thread == notice.thread == incident.id
        assert await watch.kinds(incident) == ["joined", "left"]
        assert await watch.claimed() == []

    in_yard(scene)


def test_three_deaths_in_a_row_are_critical_and_join_the_incident() -> None:
    async def scene(yard: Yard) -> None:
        watch = Watch(yard)
        routes = [{"to": ["ops"]}, {"to": ["lead"], "severity": "critical"}]
        await watch.begin({"channels": {"ops": SLACK, "lead": SLACK}, "routes": routes})
        for _ in range(3):
            await watch.run(dead=True)
        assert [one.rule for one in await watch.alerts()] == ["dead", "failing"]
        (incident,) = await watch.incidents()
        assert incident.severity == "critical"
        assert (watch.heard(), watch.heard("lead")) == (["opened", "worsened"], ["worsened"])
        await watch.run(dead=False)
        (incident,) = await watch.incidents()
        assert incident.state is IncidentState.RESOLVED
        assert (watch.heard()[2:], watch.heard("lead")[1:]) == (["resolved"], ["resolved"])

    in_yard(scene)


def test_what_comes_back_soon_must_stay_away_longer_and_nobody_hears_of_it_meanwhile() -> None:
    async def scene(yard: Yard) -> None:
        watch = Watch(yard)
        await watch.begin()
        await watch.run(dead=True)
        await watch.run(dead=False)
        await watch.run(dead=True)  # it flaps
        second = (await watch.incidents())[1]
        assert second.previous == (await watch.incidents())[0].id
        for _ in range(3):
            await watch.run(dead=False)
            await watch.run(dead=True)
        assert watch.heard() == ["opened", "resolved", "opened"]
        await watch.run(dead=False)
        alert = (await watch.alerts())[1]
        assert (alert.state, alert.flaps, alert.seen_count) == (AlertState.FIRING, 1, 4)
        await watch.look(299)
        assert watch.heard() == ["opened", "resolved", "opened"]
        await watch.look(2)
        assert watch.heard() == ["opened", "resolved", "opened", "resolved"]

    in_yard(scene)


def test_who_acknowledges_ends_the_escalation_and_all_are_told() -> None:
    async def scene(yard: Yard) -> None:
        watch = Watch(yard)
        steps = [{"after": "10m", "to": ["lead", "gone"]}, {"after": "20m", "to": ["lead"]}]
        routes = [{"to": ["ops"]}]
        await watch.begin(
            {"channels": {"ops": SLACK, "lead": SLACK}, "routes": routes, "escalation": steps}
        )
        await watch.run(dead=True)
        assert watch.heard("lead") == []
        next_at = await watch.look(60)
        assert next_at == yard.now + EVERY
        await watch.look(600)
        assert watch.heard("lead") == ["escalated"]
        assert "Nobody acknowledged it" in watch.ears.voices.by("lead")[0].text
        (incident,) = await watch.incidents()
        event = Acknowledged("bob", "on it")
        told = TellIncident(incident.id, event, yard.now, ZoneInfo)
        row = await yard.gate.ask(told)
        assert (row.acknowledged_by, row.assignee, row.due_at) == ("bob", "bob", None)
        await watch.carry()
        await watch.look(7200)
        assert (watch.heard(), watch.heard("lead")) == (
            ["opened", "acknowledged"], ["escalated", "acknowledged"],
        )  # fmt: skip
        (alert,) = await watch.alerts()
        assert alert.state is AlertState.ACKNOWLEDGED
        assert watch.ears.voices.by("ops")[1].title == "bob has it: report is dead"

    in_yard(scene)


def test_an_incident_is_resolved_by_hand_and_its_alerts_with_it() -> None:
    async def scene(yard: Yard) -> None:
        watch = Watch(yard)
        await watch.begin()
        await watch.run(dead=True)
        (incident,) = await watch.incidents()
        event = Resolved("bob", "the disk was full")
        await yard.gate.ask(TellIncident(incident.id, event, yard.now, ZoneInfo))
        await watch.carry()
        (alert,) = await watch.alerts()
        assert alert.reason == "resolved by bob: the disk was full"
        assert watch.heard() == ["opened", "resolved"]
        assert "the disk was full" in watch.ears.voices.by("ops")[1].text
        await watch.look(40)
        assert len(await watch.alerts()) == 1
        await watch.run(dead=True)
        assert len(await watch.incidents()) == 2
        missing = TellIncident(incident.id[:-1] + "x", event, yard.now, ZoneInfo)  # type: ignore[arg-type]
        with pytest.raises(NotFound):
            await yard.gate.ask(missing)

    in_yard(scene)


def test_a_channel_that_is_down_is_an_incident_on_the_others() -> None:
    async def scene(yard: Yard) -> None:
        watch = Watch(yard)
        await watch.begin()
        watch.ears.voices.fails["ops"] = [DOWN] * 4
        await watch.run(dead=True)
        for tries in (1, 2, 3):
            (pending,) = await watch.claimed()
            assert pending.tries == tries
            if tries < 3:
                assert len(await watch.incidents()) == 1
                await watch.again(pending)
        down = (await watch.incidents())[1]
        assert (down.title, down.group) == (
            "Channel ops of local is down", "channel/shop/local/ops",
        )  # fmt: skip
        assert watch.heard("lead") == ["opened", "opened"]
        assert watch.ears.voices.by("lead")[1].text == "it is down (look at it)"
        await watch.again(pending)
        (pending,) = await watch.claimed()
        await watch.again(pending)
        assert watch.heard() == ["opened"]
        assert watch.heard("lead") == ["opened", "opened", "resolved"]
        assert (await watch.incidents())[1].reason == "it works again"
        assert await watch.claimed() == []

    in_yard(scene)


def test_a_channel_hears_in_order_whatever_waits() -> None:
    async def scene(yard: Yard) -> None:
        watch = Watch(yard)
        await watch.begin()
        watch.ears.voices.fails["ops"] = [DOWN]
        await watch.run(dead=True)
        await watch.run(dead=False)
        assert (watch.heard(), watch.heard("lead")) == ([], ["opened", "resolved"])
        (pending,) = await watch.claimed()
        await watch.again(pending)
        assert watch.heard() == ["opened", "resolved"]

    in_yard(scene)


def test_what_is_refused_is_noted_and_not_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    async def scene(yard: Yard) -> None:
        watch = Watch(yard)
        await watch.begin()
        watch.ears.voices.fails["ops"] = [ChannelRefused("400 invalid_blocks")]
        with caplog.at_level(logging.CRITICAL):
            await watch.run(dead=True)
        first, down = await watch.incidents()
        assert await watch.kinds(first) == ["joined", "not_told"]
        assert down.title == "Channel ops of local is down"
        assert await watch.claimed() == []

    in_yard(scene)


def test_a_channel_that_is_given_up_or_gone_is_noted(caplog: pytest.LogCaptureFixture) -> None:
    async def scene(yard: Yard) -> None:
        watch = Watch(yard)
        await watch.begin()
        watch.ears.voices.fails["ops"] = [DOWN, DOWN, DOWN]
        watch.ears.voices.fails["lead"] = [DOWN]
        await watch.run(dead=True)
        nobody = ApplyEnvironments(
            "shop",
            {"local": Environment.from_document({"channels": {"ops": SLACK}})},
            "x",
            yard.now,
        )
        await yard.gate.ask(nobody)
        lead, ops = sorted(await watch.claimed(), key=lambda one: one.effect.channel)  # type: ignore[union-attr]
        with caplog.at_level(logging.CRITICAL):
            await watch.again(lead)
            await watch.again(Pending(ops.id, ops.run, ops.effect, ops.due_at, TRIES_MAX - 1))
        first, down = await watch.incidents()
        port = yard.store.alerts
        facts = await yard.database.read(lambda tx: port.history(tx, first.id))
        errors = {f.fact.channel: f.fact.error for f in facts if isinstance(f.fact, NotTold)}
        assert errors["lead"] == "it is not declared any more"
        assert errors["ops"].startswith(f"given up after {TRIES_MAX} tries: it is down")
        assert down.job == ""
        assert await watch.claimed() == []

    in_yard(scene)


def test_a_pause_that_a_channel_asks_for_is_given() -> None:
    async def scene(yard: Yard) -> None:
        watch = Watch(yard)
        await watch.begin()
        watch.ears.voices.fails["ops"] = [ChannelError("429", again_seconds=30)]
        await watch.run(dead=True, tick=False)
        rows = await yard.database.read(lambda tx: tx.fetch("SELECT due_at FROM outbox"))
        waits = max(row[0] for row in rows) / 1e6 - yard.now.timestamp()
        assert waits == 30

    in_yard(scene)


def test_nobody_is_told_of_what_is_silenced_until_it_is_not() -> None:
    async def scene(yard: Yard) -> None:
        watch = Watch(yard)
        await watch.begin()
        await yard.gate.ask(silence(yard))
        await watch.run(dead=True)
        (alert,) = await watch.alerts()
        assert (alert.state, alert.silence) == (AlertState.SILENCED, "silenced by bob: a move")
        assert await watch.incidents() == []
        await watch.look(3700)
        assert watch.heard() == ["opened"]
        assert [one.action for one in await yard.entries()] == ["environment.apply", "silence.add"]

    in_yard(scene)


def test_a_silence_takes_what_fires_out_of_its_incident_and_gives_it_back() -> None:
    async def scene(yard: Yard) -> None:
        watch = Watch(yard)
        await watch.begin()
        await watch.run(dead=True)
        await yard.gate.ask(silence(yard, job="other"))
        assert [one.state for one in await watch.alerts()] == [AlertState.FIRING]
        await yard.gate.ask(silence(yard, id=SilenceId("sil_2")))
        await watch.carry()
        assert watch.heard() == ["opened", "resolved"]
        assert "silenced by bob: a move" in watch.ears.voices.by("ops")[1].text
        await watch.run(dead=True)
        (alert,) = await watch.alerts("silenced")
        assert alert.seen_count == 2
        end = EndSilence(ROOT, SilenceId("sil_2"), yard.now, ZoneInfo)
        assert (await yard.gate.ask(end)).ended_by == ADMIN
        assert (await yard.gate.ask(end)).ended_by == ADMIN
        await watch.carry()
        assert watch.heard() == ["opened", "resolved", "opened"]
        with pytest.raises(NotFound):
            await yard.gate.ask(EndSilence(ROOT, SilenceId("sil_9"), yard.now, ZoneInfo))

    in_yard(scene)


def test_a_window_of_maintenance_holds_back_until_it_is_over() -> None:
    async def scene(yard: Yard) -> None:
        watch = Watch(yard)
        begins, ends = ((yard.now + timedelta(minutes=each)).isoformat() for each in (-5, 5))
        window = {"from": begins, "until": ends, "reason": "a new disk"}
        await watch.begin({"channels": {"ops": SLACK}, "maintenance": [window]})
        await watch.run(dead=True)
        (alert,) = await watch.alerts()
        assert (alert.state, alert.silence) == (AlertState.SILENCED, "a new disk")
        for _ in range(3):
            await watch.look(61)
            assert watch.heard() == []
        await watch.look(240)
        assert watch.heard() == ["opened"]

    in_yard(scene)


def test_a_rule_that_is_switched_off_or_gone_says_nothing_any_more() -> None:
    async def scene(yard: Yard) -> None:
        watch = Watch(yard)
        await watch.begin()
        await watch.run(dead=True)
        await yard.apply(make_spec(alerts=[{"name": "dead", "dead": {}, "enabled": False}]))
        await watch.look(31)
        (alert,) = await watch.alerts()
        assert alert.reason == "its rule is gone"
        await watch.run(dead=True)
        assert len(await watch.alerts()) == 1
        assert await yard.outbox() == 4  # launches and releases, which nobody carried out

    in_yard(scene)


def test_alerts_of_a_job_that_is_gone_are_over() -> None:
    async def scene(yard: Yard) -> None:
        watch = Watch(yard)
        await watch.begin()
        await watch.run(dead=True)
        await yard.database.write(lambda tx: tx.execute("DELETE FROM jobs"))
        await watch.look(31)
        (alert,) = await watch.alerts()
        assert alert.reason == "its job is gone"

    in_yard(scene)


def test_what_is_carried_out_twice_is_counted_once() -> None:
    async def scene(yard: Yard) -> None:
        watch = Watch(yard)
        await watch.begin()
        run = await yard.request()
        await yard.tell(run, Ended(1, make_outcome(Ending.FAILED)))
        pending = [p for d in yard.committed for p in d.effects if "Alert" in repr(p.effect)][-1]
        notifier = make_notifier(yard.gate, yard.database, yard.store, lambda: yard.now)
        for _ in range(2):
            await notifier.carry(pending, pending.effect)  # type: ignore[arg-type]
        assert [one.seen_count for one in await watch.alerts()] == [1]
        await watch.carry()
        told = [p for d in yard.committed for p in d.effects if isinstance(p.effect, Notify)]
        before = len(watch.ears.log.notices)
        await watch.again(told[0])
        assert len(watch.ears.log.notices) == before  # what was told is not told again
        (incident,) = await watch.incidents()
        assert (await watch.kinds(incident), incident.queues) == (["joined"], ())

    in_yard(scene)


def test_what_is_about_a_forgotten_run_or_incident_is_dropped() -> None:
    async def scene(yard: Yard) -> None:
        watch = Watch(yard)
        await watch.begin()
        run = await yard.request()
        await yard.tell(run, Ended(1, make_outcome(Ending.FAILED)))
        await yard.database.write(lambda tx: yard.store.runs.delete(tx, [run.id]))
        await watch.carry()
        assert await watch.alerts() == []
        other = await yard.request()
        await yard.tell(other, Ended(1, make_outcome(Ending.FAILED)))
        await yard.database.write(lambda tx: tx.execute("DELETE FROM revisions"))
        await watch.carry()
        assert await watch.alerts() == []
        pending = Pending("inc_9/1/ops", run.id, Notify("inc_9", "ops", 1), yard.now)  # type: ignore[arg-type]
        await watch.again(pending)
        assert watch.ears.voices.told == []

    in_yard(scene)
