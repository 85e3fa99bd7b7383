"""What is kept of deliveries that come again or are brought again, and what they ask for, on every
kind of database."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from runyard.gate.delivering import REASON_CHARACTERS_MAX, Doubt, Take, Taken
from runyard.gate.firing import PauseTrigger
from runyard.model.audit import AuditEntry, Origin
from runyard.model.delivery import Delivery, DeliveryFate
from runyard.model.errors import InvalidSpec, NotFound, Refused
from runyard.model.ids import DeliveryId
from runyard.model.run import TriggerKind
from tests.contract.test_deliveries import GOOD, HOOK, KEY, PATH, bring, delivery, hooked, kept
from tests.support.databases import Grounds
from tests.support.gates import Yard, in_yard
from tests.support.runs import make_spec

FROM = Origin("::1", "curl", "tok_1")
UNFIT = {"ref": "main"}  # it lacks its number


async def again(yard: Yard, original: Delivery, body: Any) -> Taken:
    """Somebody brings a delivery again."""
    new = delivery(yard, redelivers=original.id, by="ann")
    seen = {"body": body, "headers": {}}
    command = Take(KEY, new, seen, b"", yard.now, yard.new_id, FROM, original)
    return await yard.gate.ask(command)


async def stored(yard: Yard, one: DeliveryId) -> Delivery | None:
    return await yard.database.read(lambda tx: yard.store.deliveries.get(tx, one))


def test_what_comes_again_is_kept_as_it_came_last(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(hooked())
        first = (await bring(yard, UNFIT, "id/1", headers={"a": "1"}, address="::1")).delivery
        await yard.apply(hooked(filter="body.ref = m*"))
        yard.later(60)
        said: dict[str, Any] = {"headers": {"b": "2"}, "address": "::2", "body_bytes": 9}
        await bring(yard, GOOD, "id/1", **said)
        [one] = await kept(yard)
        assert one == first.evolve(
            fate=DeliveryFate.ACCEPTED, reason="", runs=one.runs, revision=2,
            count=2, last_at=yard.now, **said,
        )  # fmt: skip
        assert len(one.runs) == 1

    in_yard(scene, grounds)


def test_one_that_leads_to_runs_when_it_is_brought_again_is_no_more_refused(
    grounds: Grounds,
) -> None:
    async def scene(yard: Yard) -> None:
        asked = {"labels": {"why": "hook", "also": "x"}, "priority": 3, "region": "europe-west1"}
        regions = ["us-central1", "europe-west1"]
        await yard.apply(make_spec(regions=regions, triggers=[HOOK | {"with": asked}]))
        first = (await bring(yard, UNFIT, "id/1")).delivery
        yard.later(5)
        done = (await again(yard, first, GOOD)).delivery
        reason = f"brought again by ann as {done.id}; before: {first.reason}"
        assert await stored(yard, first.id) == first.evolve(
            fate=DeliveryFate.ACCEPTED, runs=done.runs, reason=reason
        )
        run = await yard.run(done.runs[0])
        assert (run.requested_by, run.policy.priority) == ("ann", 3)
        assert run.region == "europe-west1"
        assert run.labels == (("also", "x"), ("why", "hook"))
        assert dict(run.overrides.env)["RUNYARD_DELIVERY"] == first.id
        assert await yard.entries("delivery.redeliver") == [
            AuditEntry(
                yard.now, "ann", "delivery.redeliver", f"delivery/{first.id}", "local",
                after={
                    "delivery": done.id, "fate": "accepted", "runs": list(done.runs),
                    "revision": 1,
                },
                origin=FROM,
            )
        ]  # fmt: skip

    in_yard(scene, grounds)


def test_one_that_had_led_to_runs_or_leads_to_none_stays_as_it_was(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(hooked())
        good = (await bring(yard, GOOD, "id/1")).delivery
        bad = (await bring(yard, UNFIT, "id/2")).delivery
        assert (await again(yard, good, GOOD)).delivery.fate is DeliveryFate.ACCEPTED
        assert (await again(yard, bad, UNFIT)).delivery.fate is DeliveryFate.REFUSED
        assert [await stored(yard, one.id) for one in (good, bad)] == [good, bad]
        assert len(await yard.entries("delivery.redeliver")) == 2

    in_yard(scene, grounds)


def test_one_that_was_forgotten_meanwhile_leads_to_its_runs_and_stays_forgotten(
    grounds: Grounds,
) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(hooked())
        gone = delivery(yard, "id/1")
        done = (await again(yard, gone, GOOD)).delivery
        assert (done.fate, len(done.runs)) == (DeliveryFate.ACCEPTED, 1)
        assert await stored(yard, gone.id) is None
        assert len(await yard.entries("delivery.redeliver")) == 1

    in_yard(scene, grounds)


def test_who_paused_it_and_why_is_told(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(hooked())
        await yard.gate.ask(PauseTrigger(KEY, "ann", yard.now, reason="a freeze"))
        error = (await bring(yard, GOOD)).error
        assert isinstance(error, Refused)
        assert (error.message, error.hint) == ("the webhook is paused by ann", "a freeze")
        [row] = await yard.database.read(
            lambda tx: yard.store.triggers.of_kind(tx, "local", TriggerKind.WEBHOOK)
        )
        nobody = row.evolve(said_by="")
        await yard.database.write(lambda tx: yard.store.triggers.put(tx, [nobody]))
        assert (await bring(yard, GOOD)).delivery.reason == "the webhook is paused"

    in_yard(scene, grounds)


def test_one_that_is_paused_by_the_same_batch_takes_nothing(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(hooked())
        seen = {"body": GOOD, "headers": {}}
        take = Take(KEY, delivery(yard), seen, b"", yard.now, yard.new_id)
        await yard.gate.decide_now([PauseTrigger(KEY, "ann", yard.now), take])
        [one] = await kept(yard)
        assert (one.fate, one.runs) == (DeliveryFate.REFUSED, ())
        assert one.reason == "the webhook is paused by ann"

    in_yard(scene, grounds)


def test_a_reason_is_kept_as_far_as_there_is_room(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(hooked())
        error = InvalidSpec("x" * (REASON_CHARACTERS_MAX + 1))
        taken = await bring(yard, None, told=error)
        assert taken.delivery.reason == "x" * REASON_CHARACTERS_MAX
        assert taken.error is error

    in_yard(scene, grounds)


@pytest.mark.parametrize("revision", [None, 1])
def test_what_is_no_webhook_says_so(grounds: Grounds, revision: int | None) -> None:
    async def scene(yard: Yard) -> None:
        nightly = make_spec(triggers=[{"name": "webhook", "schedule": "@daily"}])
        await yard.apply(nightly)
        if revision is not None:
            await yard.apply(hooked())
        taken = await bring(yard, GOOD, revision=revision)
        assert isinstance(taken.error, NotFound)
        assert taken.delivery.reason == f"trigger {PATH} is no webhook"

    in_yard(scene, grounds)


def test_a_job_of_the_same_name_in_another_project_is_another_one(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        for attempts in (1, 2, 3):
            await yard.apply(make_spec(project="a", retry={"attempts": attempts}))
        await yard.apply(hooked())
        taken = await bring(yard, GOOD)
        assert taken.delivery.revision == 1
        assert (await yard.run(taken.delivery.runs[0])).project == "shop"

    in_yard(scene, grounds)


def test_what_is_doubted_within_an_hour_is_one_row_that_keeps_the_last(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(hooked())
        first, last = delivery(yard, reason="a"), delivery(yard, reason="b")
        await yard.gate.ask(Doubt(first, 2, yard.now))
        yard.later(1)
        last = last.evolve(received_at=yard.now, last_at=yard.now)
        await yard.gate.ask(Doubt(last, 3, yard.now))
        [one] = await kept(yard)
        assert (one.id, one.key) == (first.id, "doubts/2026-11-01T12")
        assert (one.fate, one.count, one.reason) == (DeliveryFate.DOUBTED, 5, "b")
        assert (one.received_at, one.last_at) == (yard.now - timedelta(seconds=1), yard.now)

    in_yard(scene, grounds)


def test_what_is_doubted_within_one_batch_came_when_the_first_did(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(hooked())
        first = delivery(yard)
        later = yard.now + timedelta(seconds=1)
        last = delivery(yard).evolve(received_at=later, last_at=later)
        await yard.gate.decide_now([Doubt(first, 1, yard.now), Doubt(last, 1, later)])
        [one] = await kept(yard)
        assert (one.received_at, one.last_at, one.count) == (yard.now, later, 2)

    in_yard(scene, grounds)
