"""What is asked of triggers again and again is found by an index, on every kind of database."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from runyard.database.port import Tx
from runyard.model.run import TriggerKind
from runyard.store.triggers import Triggers
from tests.support.databases import Grounds
from tests.support.gates import Yard, in_yard

Ask = Callable[[Triggers, Any], Awaitable[object]]


class Planning:
    """A transaction that explains its query in place of running it."""

    def __init__(self, tx: Tx, *, is_sqlite: bool) -> None:
        self._tx = tx
        self._is_sqlite = is_sqlite
        self.plan: list[str] = []

    async def fetch(self, sql: str, params: tuple[object, ...] = ()) -> list[tuple[object]]:
        """See `Tx.fetch`."""
        if self._is_sqlite:
            rows = await self._tx.fetch(f"EXPLAIN QUERY PLAN {sql}", params)  # type: ignore[arg-type]
        else:  # a table without rows would be read whole, whatever indexes it has
            await self._tx.execute("SET LOCAL enable_seqscan = off")
            await self._tx.execute("SET LOCAL enable_bitmapscan = off")
            for number, param in enumerate(params, 1):
                said = str(param) if isinstance(param, int) else f"'{param}'"
                sql = sql.replace(f"${number}", said)
            rows = await self._tx.fetch(f"EXPLAIN {sql}")
        self.plan = [str(row[-1]) for row in rows]
        return []


@pytest.mark.parametrize(
    ("index", "ask"),
    [
        ("triggers_without_instant", lambda port, tx: port.without_instant(tx, 5)),
        ("triggers_by_kind", lambda port, tx: port.every_of_kind(tx, TriggerKind.EVENT)),
        ("triggers_by_kind", lambda port, tx: port.of_kind(tx, "prod", TriggerKind.WEBHOOK)),
    ],
    ids=["schedules without an instant", "all of a kind", "of a kind in an environment"],
)
def test_there_is_an_index_for_it(index: str, ask: Ask, grounds: Grounds) -> None:
    async def scene(yard: Yard) -> list[str]:
        async def work(tx: Tx) -> list[str]:
            planning = Planning(tx, is_sqlite=grounds.server is None)
            await ask(yard.store.triggers, planning)
            return planning.plan

        return await yard.database.write(work)

    plan = in_yard(scene, grounds)
    assert any(index in line for line in plan), plan
    assert not any("TEMP B-TREE" in line or "Sort" in line for line in plan), plan
