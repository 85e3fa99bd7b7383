"""What triggers cannot do, and what they say then, on every kind of database."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from runyard.gate.backfilling import FillBack
from runyard.gate.firing import FireDue, FireNow, ResumeTrigger
from runyard.model.errors import InvalidSpec, NotFound, Refused
from runyard.model.event import CancelRequested
from runyard.model.run import State
from runyard.model.trigger.instant import Fate, Instant
from runyard.model.trigger.row import Trigger, TriggerState
from tests.contract.test_triggers import HOURLY, KEY, fire, instants, row, run_of, scheduled
from tests.support.databases import Grounds
from tests.support.gates import Yard, in_yard
from tests.support.runs import make_spec


def no_zones(name: str) -> ZoneInfo:
    raise KeyError(name)


async def fire_now(yard: Yard, zones: Any = ZoneInfo) -> Instant:
    return await yard.gate.ask(FireNow(KEY, "ann", yard.now, new_id=yard.new_id, zones=zones))


async def keep(yard: Yard, trigger: Trigger) -> None:
    await yard.database.write(lambda tx: yard.store.triggers.put(tx, [trigger]))


def test_firing_by_hand_says_why_it_cannot(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        with pytest.raises(NotFound, match="no trigger shop/local/report/schedule") as lost:
            await fire_now(yard)
        assert lost.value.hint == "`runyard triggers list` lists them"
        await yard.apply(scheduled({**HOURLY, "timeZone": "Europe/Berlin"}))
        with pytest.raises(Refused, match="not ready: there is no time zone Europe/Berlin"):
            await fire_now(yard, no_zones)
        with pytest.raises(Refused, match="not ready: there is no time zone Europe/Berlin"):
            await yard.gate.ask(
                FillBack(
                    KEY, "ann", yard.now, since=yard.now, until=yard.now, new_id=yard.new_id,
                    zones=no_zones,
                )
            )  # fmt: skip
        done = await fire_now(yard)
        assert done.origin == "by hand of ann"
        with pytest.raises(Refused, match=f"{done.runs[0]} had not ended") as busy:
            await fire_now(yard)
        assert busy.value.hint == "wait for it, or ask for the job alone: `runyard run report`"
        await yard.apply(scheduled({**HOURLY, "with": {"region": "europe-west1"}}))
        await yard.tell(await run_of(yard, done), CancelRequested("ann"))
        await yard.apply(
            scheduled({**HOURLY, "overlap": "allow", "with": {"region": "europe-west1"}})
        )
        with pytest.raises(InvalidSpec, match="not placed in europe-west1"):
            await fire_now(yard)
        await yard.apply(make_spec("other"), scheduled({"after": {"job": "other"}}))
        named = (*KEY[:3], "chain")
        with pytest.raises(Refused, match="is no schedule") as strange:
            await yard.gate.ask(FireNow(named, "ann", yard.now, zones=ZoneInfo))
        assert strange.value.hint == "ask for the job alone: `runyard run report`"

    in_yard(scene, grounds)


def test_who_is_being_stopped_already_is_out_of_the_way(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(scheduled({**HOURLY, "overlap": "cancel_running"}))
        await fire(yard)
        (first,) = await fire(yard, 1)
        stopping = await yard.tell(await run_of(yard, first), CancelRequested("bob"))
        assert stopping.state is State.STOPPING
        *_, second = await fire(yard, 1)
        assert (await yard.run(first.runs[0])).reason == "cancelled by bob"
        assert (await run_of(yard, second)).state is State.QUEUED

    in_yard(scene, grounds)


def test_a_schedule_resumed_without_its_zone_is_looked_at_at_once(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(scheduled({**HOURLY, "enabled": False}))
        before = await row(yard)
        assert before is not None
        at = yard.now + timedelta(hours=2)
        await keep(yard, replace(before, next_instant=at, failures=2))
        back = await yard.gate.ask(ResumeTrigger(KEY, "ann", yard.now, zones=no_zones))
        assert back == replace(
            before,
            state=TriggerState.ENABLED,
            next_at=yard.now,
            next_instant=at,
            said_by="",
            said_at=None,
            reason="",
            version=before.version + 1,
        )

    in_yard(scene, grounds)


ABSENT: dict[str, Any] = {
    "absence": {"of": {"job": "other", "on": "succeeded"}, "within": "1h"},
    "do": "run",
    "with": {"region": "europe-west1"},
}


def test_an_absence_that_cannot_act_says_why(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(make_spec("other"), scheduled(ABSENT))
        await fire(yard)
        path = "shop/local/report/absence"
        yard.later(2 * 3600)
        await yard.gate.ask(FireDue(yard.now, yard.new_id, ZoneInfo))
        (one,) = await instants(yard, path)
        assert (one.fate, one.reason) == (
            Fate.REFUSED,
            "report is not placed in europe-west1",
        )
        found = await row(yard, "absence")
        assert found is not None
        await keep(yard, replace(found, next_at=yard.now, next_instant=None))
        await yard.gate.ask(FireDue(yard.now, yard.new_id, ZoneInfo))
        again = await row(yard, "absence")
        assert again is not None
        assert again.next_instant is not None
        strange = replace(again, document={"absence": 3}, next_at=yard.now)
        await keep(yard, strange)
        await yard.gate.ask(FireDue(yard.now, yard.new_id, ZoneInfo))
        broken = await row(yard, "absence")
        assert broken is not None
        assert broken.state is TriggerState.BROKEN
        assert broken.reason

    in_yard(scene, grounds)
