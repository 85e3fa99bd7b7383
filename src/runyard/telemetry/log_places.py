"""How far the logs of attempts are read. What is read to its end has no place any more."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib.resources import files

from runyard.database import queries
from runyard.database.port import Tx
from runyard.model.ids import AttemptKey


class LogPlaces:
    """The port to them; every method works inside a transaction."""

    def __init__(self, dialect: str) -> None:
        self._q = queries.load(files("runyard.telemetry") / "queries", dialect)

    async def every(self, tx: Tx) -> dict[AttemptKey, int]:
        """Where to read on, by attempt."""
        rows = await tx.fetch(self._q["log_places"])
        return {AttemptKey(key): position for key, position in rows}

    async def put(self, tx: Tx, places: Mapping[AttemptKey, int]) -> None:
        """Logs are read as far as this."""
        await tx.execute_many(self._q["log_place_put"], sorted(places.items()))

    async def drop(self, tx: Tx, keys: Iterable[AttemptKey]) -> None:
        """These are read to their end."""
        await tx.execute_many(self._q["log_place_delete"], [(key,) for key in sorted(keys)])
