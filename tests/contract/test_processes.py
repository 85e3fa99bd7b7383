"""Who works on a database, on every kind of it."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from runyard.database.port import Database
from runyard.engine.pulse import BEATS, LEASE, Pulse
from runyard.engine.standby import Standby
from runyard.model.errors import StoreUnavailable
from runyard.premises import Post
from runyard.store.memory import Store
from runyard.store.processes import Seen, Sign
from tests.support.databases import Grounds
from tests.support.runs import NOW

ONE = Sign("engine-1", "engine", "here", working=False, about={"version": "1", "pid": 7})


async def seen(database: Database, store: Store) -> list[Seen]:
    return await database.read(store.processes.all)


def test_signs_are_counted_and_seen_until_their_process_leaves(grounds: Grounds) -> None:
    async def scene() -> None:
        async with grounds.furnished() as database:
            store = Store.of(database.dialect)
            signs = [ONE, Sign("engine-1", "engine", "here", working=True, about={"pid": 8})]
            for number, sign in enumerate(signs, start=1):
                pulse = Pulse(database, store, lambda sign=sign: sign)  # type: ignore[misc]
                assert await pulse.tick(NOW) == NOW + LEASE / BEATS
                (found,) = await seen(database, store)
                assert (found.sign, found.beat) == (sign, number)
                assert timedelta(0) <= found.ago < timedelta(minutes=5)
                assert (
                    await database.read(lambda tx: store.processes.beats(tx, "engine-1")) == number
                )
            assert await database.read(lambda tx: store.processes.beats(tx, "nobody")) == 0
            await pulse.end()
            assert await seen(database, store) == []

    asyncio.run(scene())


def test_the_long_silent_are_forgotten_by_the_databases_own_clock(grounds: Grounds) -> None:
    async def scene() -> None:
        async with grounds.furnished() as database:
            store = Store.of(database.dialect)
            await database.write(lambda tx: store.processes.beat(tx, ONE))
            await database.write(lambda tx: store.processes.forget(tx, timedelta(hours=1)))
            assert len(await seen(database, store)) == 1
            await database.write(lambda tx: store.processes.forget(tx, timedelta(hours=-1)))
            assert await seen(database, store) == []

    asyncio.run(scene())


class Away:
    """A database that does not answer."""

    def __init__(self, inner: Database) -> None:
        self.dialect = inner.dialect
        self.write, self.listen, self.close = inner.write, inner.listen, inner.close

    async def read(self, work: object) -> object:
        raise StoreUnavailable("it is away")


@pytest.mark.parametrize("grounds", ["inline"], indirect=True)
@pytest.mark.parametrize("away", [False, True])
def test_a_free_post_is_taken_and_a_held_one_waited_for(grounds: Grounds, away: bool) -> None:
    """Who holds it lives in this very process, so ending it would end the test."""

    async def scene() -> None:
        async with grounds.furnished() as database:
            store, held, ours = (
                Store.of(database.dialect),
                Post(grounds.folder),
                Post(grounds.folder),
            )
            assert held.take("first")
            assert not ours.take("second")
            assert ours.holder() == "first"
            standby = Standby(
                Away(database) if away else database,  # type: ignore[arg-type]
                store,
                ours,
                "second",
                lease_seconds=0.05 if away else 60.0,
                seconds=asyncio.get_running_loop().time,
            )
            waiting = asyncio.create_task(standby.until_ours())
            done, _ = await asyncio.wait([waiting], timeout=0.3)
            assert not done
            if away:
                held.close()
                async with asyncio.timeout(30):
                    await waiting
                assert ours.holder() == "second"
            waiting.cancel()
            await asyncio.wait([waiting])
            ours.close()

    asyncio.run(scene())
