"""What effects tell: each word of a result comes to the run, and each failure to its pause."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from runyard.engine.carrier import LAUNCH_TRIES_MAX, pause
from runyard.engine.reports import absorb, event_of
from runyard.engine.rescue import EVERY, RescueLoop
from runyard.model.effect import CancelOlder, Effect, Launch, Pending, Stop
from runyard.model.errors import ProviderRefused, ProviderUnavailable, Refused
from runyard.model.event import Ended, Event, Launched
from runyard.model.ids import AttemptKey, EffectId, attempt_key
from runyard.model.outcome import Ending
from runyard.model.run import State
from runyard.provider.port import Phase, Released, Report
from tests.support.fake_provider import ScriptedProvider
from tests.support.gates import Yard, in_yard
from tests.support.runs import NOW, make_outcome, make_spec
from tests.unit.engine.test_carrier import Hands

SINGLE = {"concurrency": {"limit": 1, "on_conflict": "cancel_older"}}


@pytest.mark.parametrize(
    ("tries", "seconds"), [(0, 0.5), (1, 1), (2, 2), (3, 4), (6, 32), (7, 60), (1000, 60)]
)
def test_a_pause_doubles_to_a_minute(tries: int, seconds: float) -> None:
    assert pause(tries).total_seconds() == seconds


def test_what_a_release_removed_and_left_is_kept() -> None:
    class Untidy(ScriptedProvider):
        async def release(self, key: AttemptKey) -> Released:
            return Released((("folder", 3),), ("cgroup: busy",))

    async def scene(yard: Yard) -> None:
        hands = Hands(yard, Untidy())
        run, launch = await hands.requested(retry={"attempts": 2})
        await yard.tell(run, Ended(1, make_outcome(Ending.FAILED)))
        await hands.carrier.carry(hands.last())
        fact = (await yard.history(run))[-1]
        assert fact.kind == "released"
        assert fact.data["attempt"] == 1
        assert fact.data["removed"] == [["folder", 3]]
        assert fact.data["left"] == ["cgroup: busy"]
        assert launch.run == run.id

    in_yard(scene)


def test_who_is_replaced_is_told_by_whom_and_the_request_is_settled() -> None:
    async def scene(yard: Yard) -> None:
        hands = Hands(yard)
        older, launch = await hands.requested(**SINGLE)
        await hands.carrier.carry(launch)
        newer = await yard.request()
        await hands.carrier.carry(hands.last())
        fact = (await yard.history(older))[-1]
        assert (fact.kind, fact.data["by"]) == ("cancel_requested", "its job's rule")
        assert fact.data["newer"] == newer.id
        assert newer.id in fact.data["reason"]
        stop = hands.last()
        assert stop.effect == Stop(1)
        await hands.carrier.carry(stop)
        assert await yard.outbox() == 0

    in_yard(scene)


def test_a_launch_is_put_off_by_its_pause_and_says_until_when() -> None:
    async def scene(yard: Yard) -> None:
        hands = Hands(yard)
        run, launch = await hands.requested()
        hands.provider.fails.append(ProviderUnavailable("503"))
        await hands.carrier.carry(launch)
        until = yard.now + pause(0)
        fact = (await yard.history(run))[-1]
        assert (fact.kind, fact.data["attempt"]) == ("delayed", 1)
        assert datetime.fromisoformat(fact.data["until"]) == until
        assert await claimed(yard, 0.499) == []
        assert await claimed(yard, 0.5) == [Launch(1)]

    in_yard(scene)


async def claimed(yard: Yard, seconds: float) -> list[Effect]:
    at = yard.now + timedelta(seconds=seconds)
    outbox = yard.store.outbox
    return [
        one.effect
        for one in await yard.database.write(lambda tx: outbox.claim(tx, "other", at, at, 10))
    ]


@pytest.mark.parametrize(
    ("tries", "state"),
    [(LAUNCH_TRIES_MAX - 2, State.LAUNCHING), (LAUNCH_TRIES_MAX - 1, State.DEAD)],
)
def test_a_launch_has_so_many_tries_and_no_fewer(tries: int, state: State) -> None:
    async def scene(yard: Yard) -> None:
        hands = Hands(yard)
        run, launch = await hands.requested()
        hands.provider.fails.append(ProviderUnavailable("503"))
        await hands.carrier.carry(
            Pending(launch.id, launch.run, launch.effect, launch.due_at, tries)
        )
        after = await yard.run(run.id)
        assert after.state is state

    in_yard(scene)


def test_a_refused_launch_has_the_refusal_s_code_as_its_reason() -> None:
    async def scene(yard: Yard) -> None:
        hands = Hands(yard)
        run, launch = await hands.requested()
        hands.provider.fails.append(ProviderRefused("it has no command"))
        await hands.carrier.carry(launch)
        outcome = (await yard.run(run.id)).outcome
        assert outcome is not None
        assert (outcome.ending, outcome.message) == (Ending.REFUSED, "it has no command")
        assert outcome.reason == "FAILED_PRECONDITION"

    in_yard(scene)


@pytest.mark.parametrize(
    ("error", "said"), [(Refused("no such thing"), True), (ProviderUnavailable("503"), False)]
)
def test_what_time_will_not_mend_is_said_to_the_operator(
    error: Refused | ProviderUnavailable, said: bool, caplog: pytest.LogCaptureFixture
) -> None:
    async def scene(yard: Yard) -> None:
        hands = Hands(yard)
        run, _ = await hands.requested()
        stop = Pending(EffectId(f"{run.id}/9.0"), run.id, Stop(1), yard.now)
        hands.provider.fails.append(error)
        await hands.carrier.carry(stop)
        assert (await yard.history(run))[-1].kind == "started"  # a stop's delay is no fact

    with caplog.at_level(logging.ERROR, "runyard.engine"):
        in_yard(scene)
    assert ("cannot be done" in caplog.text) is said


KEY = AttemptKey("run_a/2")


@pytest.mark.parametrize(
    ("report", "event"),
    [
        (Report(KEY, Phase.RUNNING, "x", warnings=("no gpu",)), Launched(2, "x", ("no gpu",))),
        (Report(KEY, Phase.ENDED, "x", outcome=make_outcome()), Ended(2, make_outcome())),
    ],
)
def test_a_report_is_the_event_it_speaks_of(report: Report, event: Event) -> None:
    assert event_of(report) == event


def test_an_attempt_that_nobody_knows_is_lost() -> None:
    event = event_of(Report(KEY, Phase.UNKNOWN))
    assert isinstance(event, Ended)
    assert (event.attempt, event.outcome.ending, event.outcome.reason) == (2, Ending.LOST, "LOST")
    assert event.outcome.message


def test_old_news_is_absorbed_as_such() -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(make_spec())
        run = await yard.request()
        ended = Report(attempt_key(run.id, 1), Phase.ENDED, "x", outcome=make_outcome())
        assert await absorb(yard.gate, ended, yard.now) is True
        assert await absorb(yard.gate, ended, yard.now) is False
        stranger = Report(AttemptKey("run_x/1"), Phase.ENDED, "x", outcome=make_outcome())
        assert await absorb(yard.gate, stranger, yard.now) is False

    in_yard(scene)


@pytest.mark.parametrize("page", [1, 2, 3, 100])
def test_rescue_looks_at_every_run_that_is_out_whatever_the_size_of_a_page(page: int) -> None:
    async def scene(yard: Yard) -> None:
        provider = ScriptedProvider()
        rescue = RescueLoop(yard.gate, yard.database, yard.store, provider, page=page)
        await yard.apply(make_spec())
        runs = [await yard.request() for _ in range(7)]
        launches = {one.run: one.id for done in yard.committed for one in done.effects}
        told = [run for number, run in enumerate(runs) if number not in (0, 1, 4)]
        for run in told:
            await yard.gate.tell(run.id, Launched(1, "x"), yard.now, settles=launches[run.id])
        assert await rescue.tick(yard.now) == yard.now + EVERY
        looked = [key for keys in provider.called("look") for key in keys.split(",")]
        assert looked == [attempt_key(run.id, 1) for run in told]
        assert all(len(keys.split(",")) <= page for keys in provider.called("look"))
        lost = [run.id for run in runs if (await yard.run(run.id)).state is State.DEAD]
        assert lost == [run.id for run in told]

    in_yard(scene)


def test_a_provider_that_answers_for_fewer_than_asked_is_a_fault() -> None:
    class Short(ScriptedProvider):
        async def look(self, keys: Sequence[AttemptKey]) -> list[Report]:
            return (await super().look(keys))[:-1]

    async def scene(yard: Yard) -> None:
        rescue = RescueLoop(yard.gate, yard.database, yard.store, Short())
        await yard.apply(make_spec())
        run = await yard.request()
        launch = yard.committed[-1].effects[0]
        await yard.gate.tell(run.id, Launched(1, "x"), NOW, settles=launch.id)
        with pytest.raises(ValueError, match="zip"):
            await rescue.tick(yard.now)

    in_yard(scene)


def test_a_replacement_of_a_run_that_is_over_is_settled() -> None:
    async def scene(yard: Yard) -> None:
        hands = Hands(yard)
        older, launch = await hands.requested(**SINGLE)
        await hands.carrier.carry(launch)
        await yard.request()
        replaces = hands.last()
        assert replaces.effect == CancelOlder(older.id)
        await yard.tell(older, Ended(1, make_outcome()))
        left = await yard.outbox()
        await hands.carrier.carry(replaces)
        assert await yard.outbox() == left - 1

    in_yard(scene)
