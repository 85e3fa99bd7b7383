"""What is asked of triggers every minute is found by an index, on every kind of database."""

from __future__ import annotations

from runyard.database.port import Tx
from tests.support.databases import Grounds
from tests.support.gates import Yard, in_yard


def test_schedules_without_an_instant_are_found_by_an_index_of_their_own(grounds: Grounds) -> None:
    plans: list[str] = []

    class Planning:
        """A transaction that explains its query in place of running it."""

        def __init__(self, tx: Tx) -> None:
            self.tx = tx

        async def fetch(self, sql: str, params: tuple[object, ...] = ()) -> list[tuple[object]]:
            if grounds.server is None:
                rows = await self.tx.fetch(f"EXPLAIN QUERY PLAN {sql}", params)  # type: ignore[arg-type]
            else:  # a table without rows would be read whole, whatever indexes it has
                await self.tx.execute("SET LOCAL enable_seqscan = off")
                rows = await self.tx.fetch(f"EXPLAIN {sql.replace('$1', '5')}")
            plans.extend(str(row[-1]) for row in rows)
            return []

    async def scene(yard: Yard) -> None:
        async def work(tx: Tx) -> None:
            await yard.store.triggers.without_instant(Planning(tx), 5)  # type: ignore[arg-type]

        await yard.database.write(work)

    in_yard(scene, grounds)
    assert any("triggers_without_instant" in plan for plan in plans), plans
    assert not any("TEMP B-TREE" in plan or "Sort" in plan for plan in plans), plans
