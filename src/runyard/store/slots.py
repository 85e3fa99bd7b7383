"""Slots: the rows that limits are counted in, read and written under the gate's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from runyard.database.port import Tx
from runyard.flow.lifecycle import Slot
from runyard.store.documents import dumps


class Slots:
    """The slots' port to the database."""

    def __init__(self, queries: Mapping[str, str]) -> None:
        self._q = queries

    async def get(self, tx: Tx, names: Iterable[str]) -> list[Slot]:
        """The slots with these names; unknown ones are left out."""
        rows = await tx.fetch(self._q["slots_by_name"], (dumps(list(names)),))
        return [Slot(*row) for row in rows]

    async def put(self, tx: Tx, slots: Iterable[Slot]) -> None:
        """Write slots, new or known."""
        rows = [(slot.name, slot.capacity, slot.used) for slot in slots]
        await tx.execute_many(self._q["slot_upsert"], rows)

    async def all(self, tx: Tx) -> list[Slot]:
        """Every slot, by name."""
        return [Slot(*row) for row in await tx.fetch(self._q["slots_all"])]
