"""That a world notices: a promise that is broken inside an effect, and a fault of the program that
an engine only logs."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from runyard.database.port import Tx
from runyard.model.ids import attempt_key, split_attempt_key
from tests.simulation.breaking import outcome
from tests.simulation.cloud import Execution
from tests.simulation.loop import run
from tests.simulation.world import World


def watched(seed: int, watch: Callable[[World, Execution], None]) -> str:
    """What is wrong with the world of `seed`, in which each start is watched; empty: nothing."""
    world = World(seed)
    world.cloud.watchers.insert(0, lambda one: watch(world, one))
    return outcome(world)


def start_again(world: World, one: Execution) -> None:
    """The same attempt is started a second time."""
    world.cloud.starts.append(one.key)


def start_another(world: World, one: Execution) -> None:
    """Another attempt of the same run begins beside it."""
    run, number = split_attempt_key(one.key)
    key = attempt_key(run, number + 1)
    world.cloud.executions[key] = Execution(key, one.job, one.ends_at, one.ending, one.started_at)


def fail(world: World, one: Execution) -> None:
    """Something that nobody thought of."""
    raise ZeroDivisionError("of the test")


@pytest.mark.parametrize(
    ("watch", "words"),
    [
        (start_again, "started twice"),
        (start_another, "two attempts of one run at once"),
        (fail, "a fault of the program: ZeroDivisionError"),
    ],
)
def test_what_goes_wrong_inside_an_effect_breaks_the_world(
    watch: Callable[[World, Execution], None], words: str
) -> None:
    assert words in watched(3, watch)


def test_a_world_that_is_only_watched_is_whole() -> None:
    assert watched(3, lambda world, one: None) == ""


def test_each_world_begins_with_a_database_of_its_own() -> None:
    async def count(tx: Tx) -> int:
        return int((await tx.fetch("SELECT count(*) FROM slots"))[0][0])

    async def add(tx: Tx) -> None:
        await tx.execute("INSERT INTO slots (name, capacity, used) VALUES ('x', 1, 0)")

    first = World(1)
    run(first.database.write(add))
    assert run(first.database.read(count)) == 1
    assert run(World(1).database.read(count)) == 0
