"""Whether the PostgreSQL server that runs are kept at will do: reached, new enough, durable."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping

import asyncpg

from runyard.cli.check import Check
from runyard.database.postgresql_errors import place_of, relabelled

PATIENCE_SECONDS = 10.0
VERSION_MIN = 130_000  #: as docs/guides/several-engines.md says
_COMMITS = 20
_COMMIT_WARN_MILLISECONDS = 20.0
_NAME = "postgresql"
_ASKED = ("server_version", "server_version_num", "fsync", "full_page_writes")


def check(url: str) -> Check:
    """What a server or an engine finds at `url`. Commits, but changes nothing that is kept."""
    try:
        return verdict(*asyncio.run(_found(url)))
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, ValueError) as error:
        said = relabelled(error, place_of(url))
        return Check(_NAME, "fail", said.message, said.hint)


async def _found(url: str) -> tuple[dict[str, str], float]:
    connection = await asyncpg.connect(
        url, timeout=PATIENCE_SECONDS, command_timeout=PATIENCE_SECONDS
    )
    try:
        settings = {name: await connection.fetchval(f"SHOW {name}") for name in _ASKED}
        begun = time.perf_counter()
        for _ in range(_COMMITS):
            await connection.execute("SELECT txid_current()")  # a commit that has to be written
        return settings, (time.perf_counter() - begun) / _COMMITS * 1000
    finally:
        await connection.close(timeout=PATIENCE_SECONDS)


def verdict(settings: Mapping[str, str], commit_milliseconds: float) -> Check:
    """What a server with such settings (by name, in its own words) is good for. Why fsync and
    full_page_writes: https://www.postgresql.org/docs/current/runtime-config-wal.html."""
    version = settings["server_version"].split()[0]
    if int(settings["server_version_num"]) < VERSION_MIN:
        return Check(_NAME, "fail", version, "use PostgreSQL 13 or later")
    lost = [name for name in ("fsync", "full_page_writes") if settings[name] == "off"]
    if lost:
        advice = f"turn on {' and '.join(lost)}: else a power cut costs what was acknowledged"
        return Check(_NAME, "fail", f"{version}, not durable", advice)
    found = f"{version}, {commit_milliseconds:.2f} ms a durable commit"
    if commit_milliseconds > _COMMIT_WARN_MILLISECONDS:
        return Check(_NAME, "warn", found, "a faster disk or a nearer server starts runs sooner")
    return Check(_NAME, "ok", found)
