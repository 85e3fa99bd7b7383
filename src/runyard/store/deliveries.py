"""Deliveries to webhooks, and what came with them."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from runyard.database.port import Row, Tx, Value
from runyard.model.delivery import Delivery, DeliveryFate
from runyard.model.ids import DeliveryId, RunId
from runyard.model.instants import from_micros, to_micros
from runyard.store.documents import VERSION, dumps, loads


@dataclass(frozen=True, slots=True)
class DeliveryQuestion:
    """Which deliveries; empty texts mean any. No environments at all: none; None: all of them."""

    trigger: str = ""
    fate: str = ""
    environments: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many deliveries of a trigger (its path) are gathered, and since when the first is."""

    trigger: str
    count: int
    oldest: datetime


class Deliveries:
    """The deliveries' port to the database."""

    def __init__(self, queries: Mapping[str, str]) -> None:
        self._q = queries

    async def known(self, tx: Tx, trigger: str, key: str) -> Delivery | None:
        """The delivery of a trigger (its `path`) that has this key."""
        rows = await tx.fetch(self._q["delivery_by_key"], (trigger, key))
        return _delivery(rows[0]) if rows else None

    async def get(self, tx: Tx, identity: str) -> Delivery | None:
        """The delivery with this id."""
        rows = await tx.fetch(self._q["delivery_by_id"], (identity,))
        return _delivery(rows[0]) if rows else None

    async def content(self, tx: Tx, identity: str) -> bytes:
        """What was sent; nothing where there is no such delivery."""
        rows = await tx.fetch(self._q["delivery_content"], (identity,))
        return base64.b64decode(rows[0][0]) if rows else b""

    async def waiting(self, tx: Tx) -> list[Waiting]:
        """What is gathered, by trigger."""
        rows = await tx.fetch(self._q["deliveries_waiting"], ())
        return [Waiting(row[0], row[1], from_micros(row[2])) for row in rows]

    async def gathered(self, tx: Tx, trigger: str, limit: int) -> list[Delivery]:
        """The deliveries of a trigger that wait for others, the first that came first."""
        rows = await tx.fetch(self._q["deliveries_gathered"], (trigger, limit))
        return [_delivery(row) for row in rows]

    async def gathered_content(self, tx: Tx, trigger: str, last: str) -> list[bytes]:
        """What was sent with those that wait, in their order, up to the one with the id `last`."""
        rows = await tx.fetch(self._q["deliveries_gathered_content"], (trigger, last))
        return [base64.b64decode(row[0]) for row in rows]

    async def page(
        self, tx: Tx, asked: DeliveryQuestion, before: str, limit: int
    ) -> list[Delivery]:
        """Deliveries that fit, the latest first, before an id (empty: from the latest on)."""
        conditions, params = _conditions(asked, before)
        where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
        sql = f"{self._q['deliveries_page']} {where} ORDER BY id DESC LIMIT ${len(params) + 1}"
        return [_delivery(row) for row in await tx.fetch(sql, [*params, limit])]

    async def put(self, tx: Tx, rows: Sequence[tuple[Delivery, bytes]]) -> None:
        """Write deliveries, new or known, with what was sent; nothing: what was sent stays."""
        params = [_params(one, content) for one, content in rows]
        await tx.execute_many(self._q["delivery_upsert"], params)

    async def forget(self, tx: Tx, before: datetime, filtered_before: datetime) -> int:
        """Forget what came last before an instant, and what was filtered and did before another
        one; how many it was."""
        instants = (to_micros(before), to_micros(filtered_before))
        return await tx.execute(self._q["deliveries_delete"], instants)


def _conditions(asked: DeliveryQuestion, before: str) -> tuple[list[str], list[Value]]:
    given = (("trigger_key = ", asked.trigger), ("fate = ", asked.fate), ("id < ", before))
    said = [(words, value) for words, value in given if value]
    conditions = [f"{words}${place}" for place, (words, _) in enumerate(said, 1)]
    params: list[Value] = [value for _, value in said]
    if asked.environments is not None:
        places = [f"${place}" for place, _ in enumerate(asked.environments, len(params) + 1)]
        conditions.append(f"environment IN ({', '.join(places)})" if places else "1 = 0")
        params += asked.environments
    return conditions, params


def _params(one: Delivery, content: bytes) -> tuple[Value, ...]:
    body = {
        "v": VERSION,
        "reason": one.reason,
        "runs": one.runs,
        "count": one.count,
        "headers": one.headers,
        "address": one.address,
        "body_bytes": one.body_bytes,
        "redelivers": one.redelivers,
        "by": one.by,
        "revision": one.revision,
    }
    return (
        one.id,
        one.environment,
        one.trigger,
        one.key or None,
        to_micros(one.received_at),
        to_micros(one.last_at),
        one.fate,
        dumps(body),
        base64.b64encode(content).decode(),
    )


def _delivery(row: Row) -> Delivery:
    body: dict[str, Any] = loads(row[7])
    return Delivery(
        id=DeliveryId(row[0]),
        environment=row[1],
        trigger=row[2],
        key=row[3] or "",
        received_at=from_micros(row[4]),
        last_at=from_micros(row[5]),
        fate=DeliveryFate(row[6]),
        reason=body["reason"],
        runs=tuple(map(RunId, body["runs"])),
        count=body["count"],
        headers=body["headers"],
        address=body["address"],
        body_bytes=body["body_bytes"],
        redelivers=body["redelivers"],
        by=body["by"],
        revision=body.get("revision", 0),  # what is older than this field has none
    )
