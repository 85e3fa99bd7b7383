"""Deliveries on their way through the gate, on every kind of database."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from runyard.gate.asking import Apply
from runyard.gate.delivering import Doubt, ForgetDeliveries, Take, Taken
from runyard.model.delivery import Delivery, DeliveryFate
from runyard.model.errors import CallerError, InvalidSpec, NotFound, Refused
from runyard.model.ids import DeliveryId, stamped
from runyard.model.run import State, TriggerKind
from runyard.model.trigger.pointing import Told
from runyard.store.deliveries import DeliveryQuestion
from tests.support.databases import Grounds
from tests.support.gates import Yard, in_yard
from tests.support.runs import make_spec

KEY = ("shop", "local", "report", "webhook")
PATH = "/".join(KEY)
HOOK: dict[str, Any] = {
    "webhook": {"kind": "github", "secret": "s"},
    "filter": "body.ref = main*",
    "map": {"env": {"REF": {"from": "body.ref"}, "N": {"from": "body.n", "type": "integer"}}},
}
GOOD = {"ref": "main", "n": 1}


def hooked(**beside: Any) -> Any:
    return make_spec(triggers=[HOOK | beside])


def delivery(yard: Yard, key: str = "", **said: Any) -> Delivery:
    identity = DeliveryId(stamped("dlv", yard.now, next(yard.numbers)))
    return Delivery(identity, "local", PATH, key, yard.now, yard.now, **said)


async def bring(
    yard: Yard,
    body: Any,
    key: str = "",
    told: Told | CallerError | None = None,
    revision: int | None = None,
    **said: Any,
) -> Taken:
    """What becomes of a delivery of `body`."""
    seen = {"body": body, "headers": {}} if told is None else told
    sent, brought = repr(body).encode(), delivery(yard, key, **said)
    command = Take(KEY, brought, seen, sent, yard.now, yard.new_id, revision=revision)
    return await yard.gate.ask(command)


async def kept(yard: Yard, **asked: Any) -> list[Delivery]:
    return await yard.database.read(
        lambda tx: yard.store.deliveries.page(tx, DeliveryQuestion(**asked), "", 100)
    )


async def content(yard: Yard, one: Delivery) -> bytes:
    return await yard.database.read(lambda tx: yard.store.deliveries.content(tx, one.id))


def test_a_delivery_and_its_run_are_kept_together(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(hooked())
        taken = await bring(yard, GOOD, "id/1", headers={"a": "ü"}, address="::1", body_bytes=7)
        assert (taken.again, taken.error) == (False, None)
        [run_id] = taken.delivery.runs
        run = await yard.run(run_id)
        assert (run.trigger, run.state) == (TriggerKind.WEBHOOK, State.LAUNCHING)
        assert run.requested_by == PATH
        assert dict(run.overrides.env) == {
            "N": "1",
            "REF": "main",
            "RUNYARD_DELIVERY": taken.delivery.id,
        }
        assert run.triggered_by is not None
        assert (run.triggered_by.trigger, run.triggered_by.instant) == (PATH, yard.now)
        [one] = await kept(yard)
        assert one == taken.delivery
        assert (one.headers, one.address, one.body_bytes) == ({"a": "ü"}, "::1", 7)
        assert await content(yard, one) == repr(GOOD).encode()
        found = await yard.database.read(lambda tx: yard.store.deliveries.get(tx, one.id))
        assert found == one

    in_yard(scene, grounds)


def test_one_is_brought_again_to_the_job_as_it_was(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(hooked())
        first = (await bring(yard, GOOD, "id/1")).delivery
        other = HOOK | {"map": {"env": {"NOW": {"from": "body.ref"}}}}
        await yard.apply(make_spec(retry={"attempts": 2}, triggers=[other]))
        now = (await bring(yard, GOOD)).delivery
        assert (first.revision, now.revision) == (1, 2)
        then = (await bring(yard, GOOD, revision=1)).delivery
        runs = [await yard.run(one.runs[0]) for one in (first, now, then)]
        assert [run.revision for run in runs] == [1, 2, 1]
        assert [run.policy.attempts_max for run in runs] == [1, 2, 1]
        names = [sorted(name for name, _ in run.overrides.env) for run in runs]
        assert names[0] == names[2] == ["N", "REF", "RUNYARD_DELIVERY"]
        assert names[1] == ["NOW", "RUNYARD_DELIVERY"]
        assert then in await kept(yard)
        assert then.revision == 1

    in_yard(scene, grounds)


@pytest.mark.parametrize(
    ("revision", "why"),
    [
        (0, "the revision then of job report is not kept"),
        (1, "revision 1 of job report has no trigger webhook"),
        (9, "revision 9 of job report is not kept"),
    ],
)
def test_what_is_not_kept_is_not_brought_again_to(
    grounds: Grounds, revision: int, why: str
) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(make_spec())
        await yard.apply(hooked())
        taken = await bring(yard, GOOD, revision=revision)
        assert isinstance(taken.error, Refused)
        assert taken.delivery.reason == why
        assert taken.delivery.runs == ()
        is_kept = revision == 1
        assert taken.error.hint == ("" if is_kept else "bring it to the job as it is now")

    in_yard(scene, grounds)


def test_what_comes_twice_at_once_is_taken_once(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(hooked())
        taken = await asyncio.gather(*(bring(yard, GOOD, "id/1") for _ in range(5)))
        assert sorted(one.again for one in taken) == [False, True, True, True, True]
        assert len({one.delivery.id for one in taken}) == 1
        yard.later(60)
        later = await bring(yard, GOOD | {"n": 2}, "id/1")
        assert later.again
        [one] = await kept(yard)
        assert (one.count, one.last_at) == (6, yard.now)
        assert await content(yard, one) == repr(GOOD).encode()
        assert len(yard.effects()) == 1
        assert not (await bring(yard, GOOD)).again  # nothing tells these apart
        assert not (await bring(yard, GOOD)).again

    in_yard(scene, grounds)


def test_what_was_refused_is_looked_at_anew_when_it_comes_again(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(hooked())
        first = await bring(yard, {"ref": "main"}, "id/1")
        assert isinstance(first.error, InvalidSpec)
        assert first.delivery.fate is DeliveryFate.REFUSED
        assert first.delivery.reason == (
            "what was sent does not fit the trigger's map; body.n is nothing: expected a whole "
            "number (or say `optional` or a default)"
        )
        left = await bring(yard, {"ref": "other"}, "id/1")
        assert (left.delivery.id, left.delivery.fate) == (first.delivery.id, DeliveryFate.FILTERED)
        assert left.delivery.reason == "the filter leaves it out"
        good = await bring(yard, GOOD, "id/1")
        assert (good.delivery.id, good.delivery.count) == (first.delivery.id, 3)
        assert good.delivery.fate is DeliveryFate.ACCEPTED
        [one] = await kept(yard)
        assert one == good.delivery
        assert await content(yard, one) == repr(GOOD).encode()

    in_yard(scene, grounds)


def test_a_job_that_cannot_run_refuses_and_says_why(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(hooked(enabled=False))
        paused = await bring(yard, GOOD)
        assert isinstance(paused.error, Refused)
        assert paused.delivery.reason == "the webhook is paused by the manifest"
        unread = await bring(yard, None, told=InvalidSpec("not understood"))
        assert unread.delivery.reason == "not understood"
        other = replace(delivery(yard), trigger="x")
        for key in (("shop", "local", "report", "no"), ("shop", "local", "no", "webhook")):
            command = Take(key, other, {}, b"", yard.now, yard.new_id)
            with pytest.raises(NotFound):
                await yard.gate.ask(command)
        assert {one.fate for one in await kept(yard)} == {DeliveryFate.REFUSED}

    in_yard(scene, grounds)


def test_what_is_no_webhook_or_not_understood_takes_nothing(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(make_spec(triggers=[{"name": "webhook", "schedule": "@daily"}]))
        assert isinstance((await bring(yard, GOOD)).error, NotFound)
        await yard.apply(hooked())
        row = (
            await yard.database.read(
                lambda tx: yard.store.triggers.of_kind(tx, "local", TriggerKind.WEBHOOK)
            )
        )[0]
        later = row.evolve(document={"webhook": {"kind": "of-tomorrow"}})
        await yard.database.write(lambda tx: yard.store.triggers.put(tx, [later]))
        taken = await bring(yard, GOOD)
        assert taken.delivery.reason.startswith("this version does not understand it: expected")

    in_yard(scene, grounds)


def test_a_job_that_is_not_ready_refuses(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(hooked())
        [job] = await yard.database.read(lambda tx: yard.store.jobs.named(tx, "local", "report"))
        blocked = replace(job, blocked="its image is gone")
        await yard.database.write(lambda tx: yard.store.jobs.put(tx, [blocked]))
        taken = await bring(yard, GOOD)
        assert taken.delivery.reason == "job report is not ready: its image is gone"
        assert taken.delivery.runs == ()
        await yard.database.write(lambda tx: yard.store.jobs.drop(tx, [job.key]))
        gone = await bring(yard, GOOD)
        assert isinstance(gone.error, NotFound)
        assert gone.delivery.reason == "there is no job report in environment local"
        assert gone.delivery.revision == 0

    in_yard(scene, grounds)


def test_a_webhook_that_is_taken_away_in_the_same_batch_takes_nothing(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(hooked())
        apply = Apply([make_spec()], "local", "ann", yard.now)
        done = await yard.gate.decide_now([apply])
        assert done.answers[0][0].change == "updated"
        with pytest.raises(NotFound):
            await bring(yard, GOOD)
        assert await kept(yard) == []

    in_yard(scene, grounds)


def test_what_was_doubted_is_counted_by_the_hour(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(hooked())
        for count, reason in ((2, "a"), (3, "b")):
            one = delivery(yard, reason=reason)
            await yard.gate.ask(Doubt(one, count, yard.now))
            yard.later(1)
        yard.later(3600)
        await yard.gate.ask(Doubt(delivery(yard, reason="c"), 1, yard.now))
        found = await kept(yard, fate="doubted")
        assert [(one.count, one.reason) for one in found] == [(1, "c"), (5, "b")]
        assert found[1].last_at - found[1].received_at == timedelta(seconds=1)
        assert await content(yard, found[0]) == b""

    in_yard(scene, grounds)


def test_deliveries_are_listed_and_forgotten(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(hooked())
        for number in range(4):
            await bring(yard, GOOD | {"n": number})
            yard.later(60)
        found = await kept(yard)
        assert [one.received_at for one in found] == sorted(
            (one.received_at for one in found), reverse=True
        )
        rest = await yard.database.read(
            lambda tx: yard.store.deliveries.page(tx, DeliveryQuestion(PATH), found[1].id, 1)
        )
        assert rest == [found[2]]
        assert await kept(yard, environments=("local", "dev")) == found
        assert await kept(yard, environments=("dev",)) == []
        assert await kept(yard, environments=()) == []
        assert await kept(yard, trigger="shop/local/report/other") == []
        await bring(yard, {"ref": "other"})
        yard.later(1)
        await yard.gate.ask(ForgetDeliveries(found[1].last_at, yard.now, yard.now))
        assert await kept(yard) == found[:2]
        missing = await yard.database.read(lambda tx: yard.store.deliveries.get(tx, found[3].id))
        assert missing is None
        assert await content(yard, found[3]) == b""

    in_yard(scene, grounds)
