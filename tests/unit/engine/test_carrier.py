"""Effects: done, tried again, refused, or found to be old news."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from runyard.engine.carrier import LAUNCH_TRIES_MAX, PAUSE_SECONDS_MAX, Carrier, pause
from runyard.engine.launching import Orders
from runyard.gate.exceptions import BreakGlass
from runyard.model.effect import CancelOlder, Pending
from runyard.model.errors import (
    PlatformError,
    ProviderRefused,
    ProviderTimeout,
    ProviderUnavailable,
    StoreUnavailable,
)
from runyard.model.event import CancelRequested, Ended
from runyard.model.ids import ExceptionId, attempt_key
from runyard.model.outcome import Ending
from runyard.model.policy import GuardException
from runyard.model.principal import Caller, Grant, Role
from runyard.model.run import Run, State
from runyard.provider.port import Phase, Report
from tests.support.fake_provider import KeptNotices, ScriptedProvider
from tests.support.gates import Yard, in_yard
from tests.support.runs import make_outcome, make_spec


@dataclass(slots=True)
class Hands:
    """A carrier in a yard, and what it works with."""

    yard: Yard
    provider: ScriptedProvider = field(default_factory=ScriptedProvider)
    channel: KeptNotices = field(default_factory=KeptNotices)

    @property
    def carrier(self) -> Carrier:
        """A carrier, which keeps nothing between effects but templates."""
        orders = Orders(self.yard.database, self.yard.store)
        gate = self.yard.gate
        return Carrier(
            gate, orders, self.provider, self.channel, lambda: self.yard.now, self.yard.new_id
        )

    async def requested(self, **beside: Any) -> tuple[Run, Pending]:
        """A run on its way, and its launch."""
        await self.yard.apply(make_spec(**beside))
        run = await self.yard.request()
        return run, self.last()

    def last(self) -> Pending:
        """The effect handed over last."""
        return [one for done in self.yard.committed for one in done.effects][-1]

    async def carry_all(self) -> None:
        """Carry out everything that is handed over, and what follows from it."""
        done = 0
        while done < len(self.yard.committed):
            for pending in self.yard.committed[done].effects:
                await self.carrier.carry(pending)
            done += 1


def test_a_launch_is_told() -> None:
    async def scene(yard: Yard) -> None:
        hands = Hands(yard)
        run, launch = await hands.requested()
        await hands.carrier.carry(launch)
        after = await yard.run(run.id)
        assert (after.state, after.handle) == (State.RUNNING, "exec-report")
        assert await yard.outbox() == 0
        (order,) = hands.provider.orders
        assert order.key == attempt_key(run.id, 1)
        assert order.template["template"]["containers"][0]["command"] == ["true"]

    in_yard(scene)


def test_a_launch_that_is_over_already_is_an_end() -> None:
    async def scene(yard: Yard) -> None:
        hands = Hands(yard)
        run, launch = await hands.requested()
        key = attempt_key(run.id, 1)
        hands.provider.reports[key] = Report(key, Phase.ENDED, "x", outcome=make_outcome())
        await hands.carry_all()
        assert (await yard.run(run.id)).state is State.SUCCEEDED
        assert hands.provider.called("release") == [key]
        assert (await yard.history(run))[-1].kind == "released"
        assert launch.tries == 0

    in_yard(scene)


@pytest.mark.parametrize("error", [ProviderUnavailable("503"), ProviderTimeout("no answer")])
def test_a_launch_that_fails_for_now_is_tried_again_later(error: PlatformError) -> None:
    async def scene(yard: Yard) -> None:
        hands = Hands(yard)
        run, launch = await hands.requested()
        hands.provider.fails.append(error)
        await hands.carrier.carry(launch)
        assert (await yard.run(run.id)).state is State.LAUNCHING
        assert (await yard.history(run))[-1].data["message"] == error.message
        assert await yard.outbox() == 1

    in_yard(scene)


def test_a_launch_is_given_up_after_its_last_try() -> None:
    async def scene(yard: Yard) -> None:
        hands = Hands(yard)
        run, launch = await hands.requested()
        hands.provider.fails.append(ProviderUnavailable("503"))
        tired = Pending(launch.id, launch.run, launch.effect, launch.due_at, LAUNCH_TRIES_MAX - 1)
        await hands.carrier.carry(tired)
        after = await yard.run(run.id)
        assert after.state is State.DEAD
        assert "503" in after.reason

    in_yard(scene)


def test_a_launch_refused_for_good_is_a_death_with_the_reason() -> None:
    async def scene(yard: Yard) -> None:
        hands = Hands(yard)
        run, launch = await hands.requested(retry={"attempts": 5})
        hands.provider.fails.append(ProviderRefused("it has no command"))
        await hands.carrier.carry(launch)
        after = await yard.run(run.id)
        assert (after.state, after.attempt) == (State.DEAD, 1)
        assert after.outcome is not None
        assert after.outcome.ending is Ending.REFUSED
        assert "it has no command" in after.reason

    in_yard(scene)


@pytest.mark.parametrize(
    ("error", "tries", "reason"),
    [
        (ProviderRefused("no", reason="PERMISSION_DENIED"), 0, "PERMISSION_DENIED"),
        (ProviderRefused("no"), 0, "FAILED_PRECONDITION"),
        (ProviderUnavailable("no", reason="RESOURCE_EXHAUSTED"), 59, "RESOURCE_EXHAUSTED"),
        (ProviderUnavailable("no"), 59, "UNAVAILABLE"),
        (StoreUnavailable("no"), 59, "UNAVAILABLE"),
    ],
)
def test_the_providers_own_word_for_a_refusal_is_kept(
    error: PlatformError, tries: int, reason: str
) -> None:
    async def scene(yard: Yard) -> None:
        hands = Hands(yard)
        run, launch = await hands.requested()
        hands.provider.fails.append(error)
        await hands.carrier.carry(replace(launch, tries=tries))
        outcome = (await yard.run(run.id)).outcome
        assert outcome is not None
        assert (outcome.ending, outcome.reason) == (Ending.REFUSED, reason)

    in_yard(scene)


def test_only_a_launch_that_was_just_decided_here_is_untried() -> None:
    async def scene(yard: Yard) -> None:
        hands = Hands(yard)
        run, launch = await hands.requested()
        orders = Orders(yard.database, yard.store)
        carrier = Carrier(
            yard.gate, orders, hands.provider, hands.channel, lambda: yard.now, yard.new_id
        )
        hands.provider.fails += [ProviderTimeout("no answer")] * 2
        orders.committed([run], yard.now)
        await carrier.carry(launch)
        await carrier.carry(launch)
        orders.committed([run], yard.now)
        await carrier.carry(replace(launch, tries=1))
        assert [order.untried for order in hands.provider.orders] == [True, False, False]

    in_yard(scene)


def test_a_launch_of_a_cancelled_run_is_dropped() -> None:
    async def scene(yard: Yard) -> None:
        hands = Hands(yard)
        run, launch = await hands.requested()
        await yard.tell(run, CancelRequested("ann"))
        await hands.carrier.carry(launch)
        assert hands.provider.called("launch") == []
        await hands.carrier.carry(hands.last())
        assert hands.provider.called("stop") == [attempt_key(run.id, 1)]
        assert await yard.outbox() == 0

    in_yard(scene)


def test_a_launch_that_is_refused_too_late_settles() -> None:
    async def scene(yard: Yard) -> None:
        hands = Hands(yard)
        run, launch = await hands.requested()

        class Late(ScriptedProvider):
            async def launch(self, order: object) -> Report:
                await yard.tell(run, Ended(1, make_outcome()))
                raise ProviderRefused("too late")

        hands.provider = Late()
        await hands.carrier.carry(launch)
        assert (await yard.run(run.id)).state is State.SUCCEEDED
        assert await yard.outbox() == 1  # the release; the launch is settled

    in_yard(scene)


def test_a_stop_that_is_refused_for_good_is_dropped_with_a_word() -> None:
    async def scene(yard: Yard) -> None:
        hands = Hands(yard)
        run, launch = await hands.requested()
        await hands.carrier.carry(launch)
        await yard.tell(run, CancelRequested("ann"))
        hands.provider.fails.append(ProviderRefused("no"))
        await hands.carrier.carry(hands.last())
        assert await yard.outbox() == 0

    in_yard(scene)


def test_an_older_run_makes_room_for_the_newer() -> None:
    async def scene(yard: Yard) -> None:
        hands = Hands(yard)
        older, launch = await hands.requested(
            concurrency={"limit": 1, "on_conflict": "cancel_older"}
        )
        await hands.carrier.carry(launch)
        newer = await yard.request()
        effect = hands.last()
        assert isinstance(effect.effect, CancelOlder)
        await hands.carrier.carry(effect)
        after = await yard.run(older.id)
        assert after.state is State.STOPPING
        assert newer.id in after.reason
        await hands.carrier.carry(effect)  # a second time does no harm
        assert (await yard.run(older.id)).version == after.version

    in_yard(scene)


def test_effects_of_a_forgotten_run_are_dropped() -> None:
    async def scene(yard: Yard) -> None:
        hands = Hands(yard)
        run, launch = await hands.requested()
        await yard.database.write(lambda tx: yard.store.runs.delete(tx, [run.id]))
        await hands.carrier.carry(launch)
        assert await yard.outbox() == 0

    in_yard(scene)


def test_a_run_whose_revision_is_gone_is_refused() -> None:
    async def scene(yard: Yard) -> None:
        hands = Hands(yard)
        run, launch = await hands.requested()
        await yard.database.write(lambda tx: tx.execute("DELETE FROM revisions"))
        await hands.carrier.carry(launch)
        assert "revision 1" in (await yard.run(run.id)).reason

    in_yard(scene)


@pytest.mark.parametrize(("tries", "seconds"), [(1, 0), (0, 1)])
def test_a_launch_that_was_held_up_looks_whether_another_engine_took_a_cancel(
    tries: int, seconds: float
) -> None:
    async def scene(yard: Yard) -> None:
        provider = ScriptedProvider()
        orders = Orders(yard.database, yard.store)
        carrier = Carrier(yard.gate, orders, provider, KeptNotices(), lambda: yard.now, yard.new_id)
        await yard.apply(make_spec())
        run = await yard.request()
        (launch,) = yard.committed[-1].effects
        orders.committed([run], yard.now)
        await yard.tell(run, CancelRequested("ann"))  # by a gate that `orders` does not hear of
        yard.later(seconds)
        held_up = Pending(launch.id, launch.run, launch.effect, launch.due_at, tries)
        await carrier.carry(held_up)
        assert provider.called("launch") == []

    in_yard(scene)


def test_pauses_grow_to_a_bound() -> None:
    seconds = [pause(tries).total_seconds() for tries in range(100)]
    assert seconds == sorted(seconds)
    assert seconds[0] == 0.5
    assert seconds[-1] == PAUSE_SECONDS_MAX


def test_what_is_about_no_run_is_told_too() -> None:
    async def scene(yard: Yard) -> None:
        hands = Hands(yard)
        ending = yard.now + timedelta(hours=1)
        opened = GuardException(ExceptionId("exc_1"), "prod", "ann", "it burns", yard.now, ending)
        await yard.gate.ask(BreakGlass(Caller("ann", (Grant(Role.ADMIN),)), opened, yard.now))
        await hands.carry_all()
        (notice,) = hands.channel.notices
        assert (notice.key, notice.run) == ("exc_1/opened", "")
        assert "ann" in notice.title
        assert await yard.outbox() == 0

    in_yard(scene)
