"""What is promised of what comes to triggers, by topics and by webhooks, after every step:

- each event has one row for each trigger that takes it, and that says what became of it: one run,
  or that it asks for none, or why there can be none; as its content says, whoever died meanwhile;
- a run is of one delivery, or of at most so many as a batch may have; and none is of no delivery;
- what led to a run stays so; what a sender was told stays so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from runyard.database.port import Database, Tx
from runyard.gate.batching import GONE
from runyard.gate.delivering import Taken
from runyard.model.delivery import Delivery, DeliveryFate
from runyard.model.ids import RunId
from runyard.model.pubsub.message import Draft
from runyard.model.run import Run, TriggerKind
from runyard.store.memory import Store
from tests.simulation.rows import Groups, Rows

BATCH_MAX = 3
#: The triggers that take every event that their subscriptions get.
STEADY = ("sim/local/sold/event", "sim/local/keyed/event", "sim/local/batch/event")
#: One that wants others now and then: it may lose what came before.
MOVING = "sim/local/moving/event"
HOOK = "sim/local/hooked/webhook"
_FATES = {"run": DeliveryFate.ACCEPTED, "filtered": DeliveryFate.FILTERED}


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, as it is published: maybe more than once."""

    number: int
    kind: str
    is_sold: bool
    is_paid: bool
    price: int | str
    order: str

    def draft(self, ordering_key: str = "") -> Draft:
        """It as a message: a CloudEvent, where it says that something was sold."""
        body = {"n": self.number, "paid": self.is_paid, "price": self.price}
        attributes = {"kind": self.kind, "n": str(self.number)}
        if self.order:
            body["order"] = self.order
        if self.is_sold:
            attributes |= {"ce-type": "sold", "ce-source": "/shop", "ce-id": str(self.number)}
        return Draft(orjson.dumps(body), attributes, ordering_key)

    def becomes(self, trigger: str) -> str:
        """What a trigger makes of it: run, filtered, refused."""
        job = trigger.split("/")[2]
        if job == "sold" and not self.is_paid:
            return "filtered"
        if job in ("sold", "batch", "hooked") and isinstance(self.price, str):
            return "refused"
        return "run" if job != "keyed" or self.order else "refused"

    def identity(self, trigger: str, message: str) -> str:
        """What a trigger tells it from others by."""
        if trigger == STEADY[1]:
            return self.order or message
        return f"event {self.number}" if self.is_sold else message


@dataclass(frozen=True, slots=True)
class Kept:
    """A delivery, and the number of its event."""

    delivery: Delivery
    number: int


class EventPromises:
    """Knows all events, and what became of each."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.kept: Mapping[str, Kept] = {}
        self.runs: Mapping[RunId, Run] = {}
        self._seen: dict[str, Delivery] = {}
        self._answers: dict[str, tuple[RunId, ...]] = {}
        self._rows = Rows[str, Kept]("SELECT * FROM deliveries")
        self._run_rows = Rows[RunId, Run]("SELECT id FROM runs")

    def answered(self, key: str, taken: Taken) -> None:
        """A sender was told what became of what it sent under a key."""
        assert (taken.error is None) is (taken.delivery.fate is not DeliveryFate.REFUSED)
        runs = self._answers.setdefault(key, taken.delivery.runs)
        assert runs == taken.delivery.runs, f"{key} has led to {runs} and {taken.delivery.runs}"

    async def check(self, database: Database, store: Store) -> None:
        """After every step in which something was written."""
        await database.read(lambda tx: self._look(tx, store))
        for one in self.kept.values():
            before = self._seen.get(one.delivery.id)
            if before is not one.delivery:
                _check_step(before, one.delivery)
                self._seen[one.delivery.id] = one.delivery
        self._check_runs()

    async def _look(self, tx: Tx, store: Store) -> None:
        async def kept(changed: Groups[str]) -> dict[str, Kept]:
            found: dict[str, Kept] = {}
            for identity in changed:
                row = await store.deliveries.get(tx, identity)
                content = await store.deliveries.content(tx, identity)
                assert row is not None
                found[identity] = Kept(row, orjson.loads(content)["n"])
            return found

        async def runs(changed: Groups[RunId]) -> dict[RunId, Run]:
            return {run.id: run for run in await store.runs.get(tx, changed)}

        self.kept = await self._rows.look(tx, kept)
        self.runs = await self._run_rows.look(tx, runs)

    def _check_runs(self) -> None:
        """Each run that something brought is of what brought it, and of nothing else."""
        of: dict[RunId, list[Delivery]] = {}
        for one in self.kept.values():
            for run in one.delivery.runs:
                of.setdefault(run, []).append(one.delivery)
        brought = (TriggerKind.EVENT, TriggerKind.WEBHOOK)
        asked = {run.id for run in self.runs.values() if run.trigger in brought}
        assert asked == of.keys(), f"of no delivery, or no run: {asked ^ of.keys()}"
        for run, rows in of.items():
            again = {each.redelivers for each in rows if each.redelivers}
            first = [each for each in rows if not each.redelivers and each.id not in again]
            gathers = rows[0].trigger in (STEADY[2], MOVING) and not again
            most = BATCH_MAX if gathers else 1
            assert len(first) + len(again) <= most, f"{run} is of {[each.id for each in rows]}"

    def forget(self) -> None:
        """The next look is at everything anew."""
        self._rows.forget()
        self._run_rows.forget()

    # -- at rest ----------------------------------------------------------------------------------
    def check_rest(self, taken: Mapping[str, Mapping[int, int]]) -> None:
        """All that was published was looked at. `taken` is what each trigger was to get: messages,
        each with the number of its event."""
        for trigger, messages in taken.items():
            wanted = {
                self.events[number].identity(trigger, f"message {message}")
                for message, number in messages.items()
            }
            rows = [
                one
                for one in self.kept.values()
                if one.delivery.trigger == trigger and not one.delivery.redelivers
            ]
            found = Counter(self._identity(one) for one in rows)
            apart = wanted - found.keys() if trigger == MOVING else wanted ^ found.keys()
            assert not apart, f"{trigger}: {apart}"
            assert found.total() == len(found), f"{trigger} was told twice: {found}"
            for one in rows:
                self._check_fate(one)
        for key, runs in self._answers.items():
            rows = [one for one in self.kept.values() if one.delivery.key == key]
            assert [one.delivery.runs for one in rows] == [runs], f"{key}: {rows}"
            self._check_fate(rows[0])

    def _identity(self, one: Kept) -> str:
        event = self.events[one.number]
        return event.identity(one.delivery.trigger, one.delivery.address)

    def _check_fate(self, one: Kept) -> None:
        said = self.events[one.number].becomes(one.delivery.trigger)
        fate = _FATES.get(said, DeliveryFate.REFUSED)
        if one.delivery.trigger == STEADY[1] and one.delivery.reason.startswith("brought again"):
            fate = DeliveryFate.ACCEPTED  # who brings it again need not tell it from others
        if one.delivery.trigger == MOVING and one.delivery.reason == GONE:
            fate = DeliveryFate.REFUSED  # it waited for others
        assert one.delivery.fate is fate, f"{one.delivery} should be {fate}"


def _check_step(before: Delivery | None, after: Delivery) -> None:
    accepted = after.fate is DeliveryFate.ACCEPTED
    assert len(after.runs) == int(accepted), f"{after.id} is {after.fate}, of {after.runs}"
    if before is None:
        return
    same = (before.trigger, before.key) == (after.trigger, after.key)
    assert same, f"{before} became {after}"
    assert after.count >= before.count, f"{before} came less often: {after}"
    if before.fate is DeliveryFate.ACCEPTED:
        assert before.runs == after.runs, f"{before} led to other runs: {after.runs}"
