"""The outbox: effects asked for in the same transaction as the decision that wants them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from runyard.database.port import Row, Tx
from runyard.model.effect import KINDS, Pending, kind_of
from runyard.model.ids import EffectId, RunId
from runyard.model.instants import from_micros, to_micros
from runyard.store.documents import dumps, loads
from runyard.store.run_rows import instant


@dataclass(frozen=True, slots=True)
class Claim:
    """Who carries an effect out, and until when nobody else may."""

    by: str = ""
    until: datetime | None = None


class Outbox:
    """The effects' port to the database."""

    def __init__(self, queries: Mapping[str, str]) -> None:
        self._q = queries

    async def insert(self, tx: Tx, effects: Sequence[Pending], claim: Claim) -> None:
        """Add effects, already claimed if `claim` names somebody."""
        until = 0 if claim.until is None else to_micros(claim.until)
        rows = [
            (
                one.id,
                one.run,
                kind_of(one.effect),
                dumps(one.effect),
                to_micros(one.due_at),
                one.tries,
                claim.by,
                until,
            )
            for one in effects
        ]
        await tx.execute_many(self._q["effect_insert"], rows)

    async def claim(
        self, tx: Tx, by: str, until: datetime, now: datetime, limit: int
    ) -> list[Pending]:
        """Claim what is due and free; nobody else gets it before `until`."""
        params = (by, to_micros(until), to_micros(now), limit)
        rows = await tx.fetch(self._q["effects_claim"], params)
        return sorted((_pending(row) for row in rows), key=lambda one: (one.due_at, one.id))

    async def delete(self, tx: Tx, ids: Sequence[EffectId]) -> None:
        """These effects are done."""
        await tx.execute_many(self._q["effect_delete"], [(one,) for one in ids])

    async def delay(self, tx: Tx, ids: Sequence[tuple[EffectId, datetime, int]]) -> None:
        """Free effects, to be tried again at an instant, with so many tries behind them."""
        rows = [(one, to_micros(at), tries) for one, at, tries in ids]
        await tx.execute_many(self._q["effect_delay"], rows)

    async def renew(self, tx: Tx, by: str, until: datetime, ids: Iterable[EffectId]) -> None:
        """Keep one engine's claims of these effects until `until`."""
        await tx.execute(self._q["effects_renew"], (by, to_micros(until), dumps(list(ids))))

    async def unclaim_others(self, tx: Tx, by: str) -> int:
        """Free the claims of every engine but `by`; the number freed."""
        return await tx.execute(self._q["effects_unclaim"], (by,))

    async def let_go(self, tx: Tx, by: str) -> int:
        """Free the claims of one engine that stops; the number freed."""
        return await tx.execute(self._q["effects_let_go"], (by,))

    async def next_instant(self, tx: Tx) -> datetime | None:
        """When the next effect is due or its claim runs out."""
        return instant((await tx.fetch(self._q["effects_next_instant"]))[0][0])

    async def launches_pending(self, tx: Tx, runs: Iterable[RunId]) -> set[RunId]:
        """Of `runs`, those whose launch is still in the outbox."""
        rows = await tx.fetch(self._q["launches_pending"], (dumps(list(runs)),))
        return {RunId(row[0]) for row in rows}

    async def holds(self, tx: Tx, effect: EffectId) -> bool:
        """True while an effect is not done."""
        return bool(await tx.fetch(self._q["effect_is_here"], (effect,)))

    async def count(self, tx: Tx) -> int:
        """How many effects are not done yet."""
        return int((await tx.fetch(self._q["effects_count"]))[0][0])


def _pending(row: Row) -> Pending:
    effect = KINDS[row[2]](**loads(row[3]))
    return Pending(EffectId(row[0]), RunId(row[1]), effect, from_micros(row[4]), row[5])
