"""The audit log: a chain of entries, each added once, none ever changed or removed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from runyard.database.port import Row, Tx, Value
from runyard.flow.audit import linked
from runyard.model.audit import AuditEntry, Head, Link
from runyard.model.instants import from_micros, to_micros
from runyard.store.run_rows import micros


@dataclass(frozen=True, slots=True)
class AuditQuestion:
    """Which entries; empty texts and None mean any. No environments at all: no entries."""

    by: str = ""
    action: str = ""
    target: str = ""
    environments: tuple[str, ...] | None = None
    since: datetime | None = None
    until: datetime | None = None


class AuditLog:
    """The audit log's port to the database."""

    def __init__(self, queries: Mapping[str, str]) -> None:
        self._q = queries

    async def head(self, tx: Tx) -> Head:
        """How far the chain goes."""
        rows = await tx.fetch(self._q["audit_head"])
        return Head(rows[0][0], rows[0][1]) if rows else Head()

    async def append(self, tx: Tx, entries: Sequence[AuditEntry]) -> None:
        """Add entries to the end of the chain. The transaction holds the gate's lock, so that no
        other one adds to the same end; the primary key would refuse it."""
        if not entries:
            return
        links = linked(entries, await self.head(tx))
        await tx.execute_many(self._q["audit_insert"], [_row(one) for one in links])

    async def following(self, tx: Tx, after: int, limit: int) -> list[Link]:
        """Entries in the order of the chain, after a number: all of them, for verification."""
        rows = await tx.fetch(self._q["audit_following"], (after, limit))
        return [_link(row) for row in rows]

    async def page(
        self, tx: Tx, asked: AuditQuestion, before: int | None, limit: int
    ) -> list[Link]:
        """Entries that fit, newest first, before a number."""
        conditions, params = _conditions(asked, before)
        where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
        sql = f"{self._q['audit_page']} {where} ORDER BY sequence DESC LIMIT ${len(params) + 1}"
        return [_link(row) for row in await tx.fetch(sql, [*params, limit])]

    async def count(self, tx: Tx) -> int:
        """How many entries there are, whatever their numbers."""
        return int((await tx.fetch(self._q["audit_count"]))[0][0])


def _conditions(asked: AuditQuestion, before: int | None) -> tuple[list[str], list[Value]]:
    given: list[tuple[str, Value]] = [
        ("by_whom = ", asked.by or None),
        ("action = ", asked.action or None),
        ("target = ", asked.target or None),
        ("at >= ", micros(asked.since)),
        ("at < ", micros(asked.until)),
        ("sequence < ", before),
    ]
    said = [(words, value) for words, value in given if value is not None]
    conditions = [f"{words}${place}" for place, (words, _) in enumerate(said, 1)]
    params: list[Value] = [value for _, value in said]
    if asked.environments is not None:
        places = [f"${place}" for place, _ in enumerate(asked.environments, len(params) + 1)]
        conditions.append(f"environment IN ({', '.join(places)})" if places else "1 = 0")
        params += asked.environments
    return conditions, params


def _row(one: Link) -> tuple[int | str, ...]:
    return (
        one.sequence,
        to_micros(one.at),
        one.by,
        one.action,
        one.target,
        one.environment,
        one.text,
        one.previous,
        one.digest,
    )


def _link(row: Row) -> Link:
    return Link(row[0], from_micros(row[1]), *row[2:])
