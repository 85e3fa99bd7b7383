"""Following a run: level-based, so that nothing is lost however often a follower comes back.

Each look compares how things are with what was told last: the run's row by its version, the logs
by position, attempt after attempt. What is told last is always `end`, once the run is final and
its last log has ended. The run is read before its logs, so an attempt that is not out any more
will not write what the look has not seen.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import asdict
from typing import Any

from runyard.api.answers import encoded
from runyard.api.bookmarks import Bookmark
from runyard.api.documents import entry_document, run_document
from runyard.api.rest.reads import find_run
from runyard.api.services import Services
from runyard.model.ids import RunId, attempt_key
from runyard.model.run import Run
from runyard.provider.port import Progress

HEARTBEAT = b": still here\n\n"
PAGE = 1000  #: log entries read together
_CHUNK_BYTES = 64 * 1024  #: sent together; who does not read on is not handed more


class Follower:
    """One who follows one run. `events` yields server-sent events as bytes, some at a time."""

    def __init__(
        self,
        services: Services,
        run: RunId,
        told: Bookmark,
        *,
        still: Callable[[], Awaitable[bool]],
        wants_log: bool = True,
    ) -> None:
        """Made in the event loop. Goes on after `told`, for as long as `still` gives true."""
        self._services = services
        self._run = run
        self._pace = services.settings.pace
        self._still = still
        self._wants_log = wants_log
        self._version = told.version
        self._attempt = told.attempt
        self._position = told.position
        self._log_ended = False
        self._not_out_since: float | None = None
        self._progress: tuple[int, Progress] | None = None
        self._progress_at = float("-inf")
        self._progress_settled = 0
        self._pause = self._pace.look
        self._time = asyncio.get_running_loop().time

    async def events(self) -> AsyncIterator[bytes]:
        """Everything up to and with `end`. Stops without it when the server stops, or when the
        run is forgotten, or who follows may not any more."""
        services = self._services
        with (
            services.signals.listening([f"run/{self._run}"]) as listener,
            services.streams.opened(listener),
        ):
            told_at = self._time()
            while not services.streams.is_closing:
                read_at = self._time()
                run = await find_run(services, self._run)
                if run is None or not await self._still():
                    return
                woken = False
                while not (woken or self._time() - read_at > self._pace.safety):
                    async for chunk in self._look(run):
                        told_at = self._time()
                        yield chunk
                    if self._is_told(run):
                        yield self._event("end", run_document(run), ended=True)
                        return
                    woken = await listener.wait(self._patience(run, told_at))
                    if self._time() - told_at >= self._pace.heartbeat:
                        told_at = self._time()
                        yield HEARTBEAT

    async def _look(self, run: Run) -> AsyncIterator[bytes]:
        """What is new since the last look."""
        self._pause = min(self._pause * 1.5, self._pace.look_max)
        if run.version > self._version:
            self._version = run.version
            yield self._event("run", run_document(run))
        if run.attempt and await self._has_progressed(run) and self._progress:
            number, counts = self._progress
            yield self._event("progress", {"attempt": number, **asdict(counts)})
        while self._wants_log and self._attempt <= run.attempt:
            async for chunk in self._read_log():
                self._pause = self._pace.look
                yield chunk
            if self._attempt == run.attempt or not self._has_ended(run):
                return
            self._attempt, self._position = self._attempt + 1, 0
            self._log_ended, self._not_out_since = False, None

    async def _has_progressed(self, run: Run) -> bool:
        """Looks while an attempt is out, and once after its end."""
        now, number = self._time(), run.attempt
        is_early = run.is_out and now - self._progress_at < self._pace.progress
        if is_early or number == self._progress_settled:
            return False
        self._progress_at = now
        if not run.is_out:
            self._progress_settled = number
        before = self._progress
        self._progress = (number, await self._services.viewer.progress(run.attempt_key))
        return self._progress != before

    async def _read_log(self) -> AsyncIterator[bytes]:
        """The log of the attempt that is being read, as far as it goes now."""
        key = attempt_key(self._run, self._attempt)
        while not self._services.streams.is_closing:
            page = await self._services.viewer.log(key, self._position, PAGE)
            went_on = page.after > self._position
            events = bytearray()
            for entry in page.entries:
                self._position = entry.position
                events += self._event("log", entry_document(entry, self._attempt))
                if len(events) >= _CHUNK_BYTES:
                    yield bytes(events)
                    events.clear()
            if events:
                yield bytes(events)
            self._position = max(self._position, page.after)
            self._log_ended = page.ended
            if page.ended or not went_on:
                return

    def _has_ended(self, run: Run) -> bool:
        """True when nothing more will come from the attempt that is being read."""
        if self._attempt == run.attempt and run.is_out:
            return False
        if self._not_out_since is None:
            self._not_out_since = self._time()
        return self._log_ended or self._time() - self._not_out_since > self._pace.patience

    def _is_told(self, run: Run) -> bool:
        if not run.is_final:
            return False
        if not (self._wants_log and run.attempt) or self._attempt > run.attempt:
            return True
        return self._attempt == run.attempt and self._has_ended(run)

    def _patience(self, run: Run, told_at: float) -> float:
        """How long to wait for a signal before the next look."""
        quiet = max(0.0, self._pace.heartbeat - (self._time() - told_at))
        if self._wants_log and run.attempt and not self._has_ended(run):
            return min(quiet, self._pause)
        return min(quiet, self._pace.progress if run.is_out else self._pace.safety)

    def _event(self, kind: str, data: dict[str, Any], *, ended: bool = False) -> bytes:
        told = Bookmark(self._version, self._attempt, self._position, ended)
        return b"id: %b\nevent: %b\ndata: %b\n\n" % (
            str(told).encode(),
            kind.encode(),
            encoded(data),
        )
