"""What a cloud knows of itself, written once and for ever."""

from __future__ import annotations

from runyard.database.port import Database, Tx
from runyard.localcloud.schema import load_queries
from runyard.localcloud.secrets.sealing import SealingKey


async def fact(database: Database, name: str) -> str | None:
    """A fact, if it was written."""
    sql = load_queries(database.dialect)

    async def work(tx: Tx) -> str | None:
        rows = await tx.fetch(sql["fact_get"], (name,))
        return rows[0][0] if rows else None

    return await database.read(work)


async def settled(database: Database, name: str, value: str) -> str:
    """A fact, written with `value` if it was not written before. Durable."""
    sql = load_queries(database.dialect)

    async def work(tx: Tx) -> str:
        await tx.execute(sql["fact_put"], (name, value))
        return str((await tx.fetch(sql["fact_get"], (name,)))[0][0])

    return await database.write(work)


async def cloud_id(database: Database, key: SealingKey) -> str:
    """Which cloud this is: drawn from its first key, and the same after every other one."""
    return await settled(database, "id", key.cloud)
