"""Sessions of processes that hang in a transaction, ended by those who wait for them.

The server ends most of them itself (`idle_in_transaction_session_timeout`), but only one that may
send a new query. Between the messages of one query it may not: a session whose statement was
prepared with Flush, as asyncpg does, and not executed yet, counts as active without an end
(postgresql.org/docs/current/protocol-flow.html, "Extended Query"), and so does one whose answer
nobody takes. What such a process held, it would hold until it dies.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg

LOGGER = logging.getLogger("runyard.database")
ANSWER_SECONDS = 5.0
#: A copy is as slow as the file it is of, so it is nobody's hanging.
_END = """SELECT hung.application_name, pg_terminate_backend(hung.pid)
    FROM pg_stat_activity hung
    WHERE hung.state = 'active' AND hung.wait_event_type = 'Client'
    AND hung.datname = current_database() AND hung.usename = current_user
    AND hung.state_change < clock_timestamp() - $1 * interval '1 second'
    AND hung.query !~* '^\\s*copy\\M' AND hung.pid IN (
        SELECT unnest(pg_blocking_pids(waiting.pid)) FROM pg_stat_activity waiting
        WHERE waiting.datname = current_database() AND waiting.wait_event_type = 'Lock')"""
_TROUBLE = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, ValueError)


class HungSessions:
    """Those of this user in the database at `url`: ended when they have said and taken nothing for
    `hang_seconds` in the middle of a query, and hold what somebody waits for."""

    def __init__(self, url: str, place: str, hang_seconds: float) -> None:
        self._url = url
        self._place = place
        self._hang_seconds = hang_seconds
        self._task: asyncio.Task[None] | None = None

    @contextmanager
    def ended_meanwhile(self) -> Iterator[None]:
        """While what is done in here lasts too long, look who is in its way. Costs a timer."""
        loop = asyncio.get_running_loop()
        timer: asyncio.TimerHandle

        def look() -> None:
            nonlocal timer
            if self._task is None or self._task.done():
                self._task = asyncio.create_task(self._look(), name="hung sessions")
            timer = loop.call_later(self._hang_seconds, look)

        timer = loop.call_later(self._hang_seconds, look)
        try:
            yield
        finally:
            timer.cancel()

    async def close(self) -> None:
        """Wait for a look that is under way, which has an end of its own."""
        if self._task is not None:
            await self._task

    async def _look(self) -> None:
        """It has a connection of its own: those of the pool may all be waiting."""
        connection = None
        try:
            connection = await asyncpg.connect(
                self._url,
                timeout=ANSWER_SECONDS,
                command_timeout=ANSWER_SECONDS,
                server_settings={"application_name": "runyard looks for who hangs"},
            )
            for name, _ in await connection.fetch(_END, self._hang_seconds):
                LOGGER.warning("ended a session of %s at %s: it hung", name, self._place)
        except _TROUBLE as error:
            LOGGER.debug("nobody who hangs was looked for at %s: %s", self._place, error)
        finally:
            if connection is not None:
                connection.terminate()
