"""A few worlds of events, and that each of their promises can be broken; `make sim` lives through
many more."""

from __future__ import annotations

import pytest

from runyard.database.port import Tx
from tests.simulation.breaking import outcome
from tests.simulation.events import EventsWorld, live
from tests.simulation.loop import run
from tests.simulation.message_log import Entry

SEEDS = range(701, 709)
_OF = "(SELECT number FROM pubsub_subscription WHERE name = '{}')"
LEDGER, PUSHED = _OF.format("ledger"), _OF.format("pushed")


@pytest.mark.parametrize("seed", SEEDS)
def test_a_world_of_events_keeps_its_promises(seed: int) -> None:
    live(seed)


def test_a_world_of_events_is_the_same_in_each_life() -> None:
    def life() -> list[str]:
        world, seen = EventsWorld(SEEDS[0]), list[str]()
        told = world.topics.told

        def tell(entries: list[Entry]) -> None:
            seen.extend(map(repr, entries))
            told(entries)

        world.topics.told = tell
        run(world.live())
        return [*seen, *sorted(map(repr, world.events.kept.values()))]

    assert life() == life()


class Meddled(EventsWorld):
    """A world in which a statement that nobody ought to run is run once, after a while, as soon as
    it changes anything."""

    def __init__(self, seed: int, statement: str) -> None:
        super().__init__(seed)
        self._statement = statement
        self._steps = 0
        self._meddled = False

    async def _step(self) -> None:
        self._steps += 1
        if self._steps >= 50 and not self._meddled:
            database = self.topics if "pubsub" in self._statement else self.database
            self._meddled = await database.write(self._meddle) > 0
        await super()._step()

    async def _meddle(self, tx: Tx) -> int:
        return await tx.execute(self._statement)


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        (f"DELETE FROM pubsub_delivery WHERE subscription = {PUSHED}", "lost message"),
        (
            "UPDATE pubsub_delivery SET attempts = attempts + 6, due_at = due_at + 999999999,"
            f" lease = due_at WHERE subscription = {_OF.format('careful')}",
            "times",
        ),
        (
            "UPDATE pubsub_delivery SET attempts = attempts + 1, lease = 9, due_at = 9e15"
            f" WHERE subscription = {LEDGER} AND due_at > 4e18",
            "of its key",
        ),
        (
            f"UPDATE pubsub_delivery SET attempts = 1, lease = due_at WHERE attempts = 0"
            f" AND subscription = {LEDGER}",
            "is due again before who has it can have done it",
        ),
        (
            f"INSERT INTO pubsub_delivery (subscription, message, ordering_key, due_at)"
            f" SELECT subscription, message, '', 0 FROM log WHERE what = 'drop'"
            f" AND subscription = {LEDGER} LIMIT 1",
            "ledger gets message",
        ),
        (
            "INSERT INTO pubsub_message SELECT 999, topic, published_at, '', attributes_json, data"
            " FROM pubsub_message LIMIT 1",
            "message 999 is for",
        ),
        ("DELETE FROM pubsub_subscription WHERE name LIKE '%keyed%'", "ought not to be"),
        ("UPDATE pubsub_subscription SET topic = 99 WHERE name LIKE '%sold%'", "is for"),
        ("DELETE FROM deliveries WHERE fate = 'accepted'", "of no delivery, or no run"),
        ("DELETE FROM deliveries WHERE fate IN ('filtered', 'refused')", "sim/local/"),
        ("UPDATE deliveries SET fate = 'filtered' WHERE fate = 'accepted'", "is filtered, of"),
        ("UPDATE deliveries SET trigger_key = trigger_key || 'x'", " became "),
        (
            "INSERT INTO instants"
            " VALUES ('sim/local/silent/told', 1, '', 1, 1, 'alert', '', '[]', 1)",
            "sim/local/silent/told: 1970-01-01 00:00:00.000001+00:00",
        ),
        ("UPDATE triggers SET state = 'ended' WHERE name = 'told'", "silent.told"),
    ],
)
def test_what_is_not_as_promised_breaks_the_world(statement: str, words: str) -> None:
    """In one of a few worlds: not in each there is something to meddle with."""
    assert any(words in outcome(Meddled(seed, statement)) for seed in SEEDS)
