"""How far the logs of attempts are read. What was read to its end keeps its place for a while."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files

from runyard.database import queries
from runyard.database.port import Tx
from runyard.model.ids import AttemptKey
from runyard.model.instants import from_micros, to_micros


@dataclass(frozen=True, slots=True)
class Place:
    """A log is read as far as `position`; with `ended_at` to its end, of an attempt that ended
    then."""

    position: int
    ended_at: datetime | None = None


class LogPlaces:
    """The port to them; every method works inside a transaction."""

    def __init__(self, dialect: str) -> None:
        self._q = queries.load(files("runyard.telemetry") / "queries", dialect)

    async def every(self, tx: Tx) -> dict[AttemptKey, Place]:
        """All places, by attempt; those that are read to their end in the order of their ends."""
        rows = await tx.fetch(self._q["log_places"])
        return {
            AttemptKey(key): Place(position, None if at is None else from_micros(at))
            for key, position, at in rows
        }

    async def put(self, tx: Tx, places: Mapping[AttemptKey, Place]) -> None:
        """Logs are read as far as this."""
        rows = [
            (key, one.position, None if one.ended_at is None else to_micros(one.ended_at))
            for key, one in sorted(places.items())
        ]
        await tx.execute_many(self._q["log_place_put"], rows)

    async def drop(self, tx: Tx, keys: Iterable[AttemptKey]) -> None:
        """Nobody will ask for these any more."""
        await tx.execute_many(self._q["log_place_delete"], [(key,) for key in sorted(keys)])
