"""Idempotency keys: the same key, asked for again, gets the same runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from runyard.database.port import Tx
from runyard.model.ids import RunId
from runyard.model.instants import to_micros
from runyard.store.documents import dumps, loads


@dataclass(frozen=True, slots=True)
class RequestKey:
    """What a key stood for: a digest of the request, and the runs it made."""

    environment: str
    key: str
    digest: str
    run_ids: tuple[RunId, ...]
    at: datetime


class RequestKeys:
    """The idempotency keys' port to the database."""

    def __init__(self, queries: Mapping[str, str]) -> None:
        self._q = queries

    async def get(
        self, tx: Tx, environment: str, keys: Iterable[str]
    ) -> dict[str, tuple[str, list[RunId]]]:
        """The digest and the runs of each of `keys` that was seen."""
        rows = await tx.fetch(self._q["request_keys"], (environment, dumps(list(keys))))
        return {key: (digest, loads(run_ids)) for key, digest, run_ids in rows}

    async def insert(self, tx: Tx, keys: Sequence[RequestKey]) -> None:
        """Remember keys."""
        rows = [
            (one.environment, one.key, one.digest, dumps(one.run_ids), to_micros(one.at))
            for one in keys
        ]
        await tx.execute_many(self._q["request_key_insert"], rows)

    async def delete_before(self, tx: Tx, at: datetime) -> int:
        """Forget keys older than `at`."""
        return await tx.execute(self._q["request_keys_delete"], (to_micros(at),))
