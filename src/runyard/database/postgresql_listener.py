"""Notices between processes: PostgreSQL's NOTIFY in the commit, LISTEN on a connection of its own.

A connection that goes away is made again with growing pauses. What was said meanwhile is lost, so
each new one begins with a word that some may have gone by.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import asyncpg

LOGGER = logging.getLogger("runyard.database")
CHECK_SECONDS = 20.0  #: a silent connection is asked so often whether it is still there
ANSWER_SECONDS = 5.0
PAUSE_SECONDS = 0.05  #: after a first failure; doubled each time
PAUSE_SECONDS_MAX = 5.0
#: A schema is told of its own rows only.
_CHANNEL = "SELECT 'runyard/' || current_schema()"
_TROUBLE = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, ValueError, TimeoutError)


def committing(notice: str | None) -> str:
    """The statements that end a transaction, in one message: no round trip more for a notice."""
    if notice is None:
        return "COMMIT"
    quoted = notice.replace("'", "''")
    text = f"E'{quoted.replace(chr(92), chr(92) * 2)}'"
    return f"SELECT pg_notify('runyard/' || current_schema(), {text}); COMMIT"


class Listener:
    """Hears what is told in the database at `url`."""

    def __init__(self, url: str, place: str, name: str) -> None:
        self._url = url
        self._place = place
        self._name = name

    async def run(self, hear: Callable[[str], None], missed: Callable[[], None]) -> None:
        """See `Database.listen`."""
        failures = 0
        while True:
            connection = None
            try:
                connection, lost = await self._connect(hear)
                failures = 0
                missed()
                await _until(connection, lost)
            except _TROUBLE as error:
                LOGGER.debug("not listening to %s: %s", self._place, error)
            finally:
                if connection is not None:
                    connection.terminate()
            await asyncio.sleep(min(PAUSE_SECONDS_MAX, PAUSE_SECONDS * 2.0**failures))
            failures = min(failures + 1, 30)

    async def _connect(
        self, hear: Callable[[str], None]
    ) -> tuple[asyncpg.Connection[asyncpg.Record], asyncio.Event]:
        """A connection that hears, and the event of its end."""
        lost = asyncio.Event()
        connection = await asyncpg.connect(
            self._url,
            timeout=ANSWER_SECONDS,
            command_timeout=ANSWER_SECONDS,
            server_settings={"application_name": f"{self._name} listens"},
        )
        try:
            connection.add_termination_listener(lambda _: lost.set())

            def heard(_: Any, pid: int, channel: str, text: object) -> None:
                hear(str(text))

            await connection.add_listener(await connection.fetchval(_CHANNEL), heard)
        except BaseException:
            connection.terminate()
            raise
        return connection, lost


async def _until(connection: asyncpg.Connection[asyncpg.Record], lost: asyncio.Event) -> None:
    """Returns when the connection has ended; raises when it does not answer any more."""
    while not lost.is_set():
        with suppress(TimeoutError):
            async with asyncio.timeout(CHECK_SECONDS):
                await lost.wait()
                return
        await connection.fetchval("SELECT 1")
