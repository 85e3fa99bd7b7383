"""Hands traces and metrics on to a collector, where one is configured (`otlp_endpoint`).

A trace is sent once its run has ended, a minute of metrics once it is over. What waits is bounded;
a collector that is away is asked again, with what it refuses done with: work never waits for it.
"""

from __future__ import annotations

import asyncio
import json
import logging
import urllib.error
import urllib.request
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from typing import Any

from runyard import __version__
from runyard.cloud_wiring import clock
from runyard.config import Config
from runyard.database.port import Tx
from runyard.engine.loop import Loop
from runyard.flow.tracing import Span, spans, trace_id
from runyard.model.errors import StoreUnavailable
from runyard.model.event import Released
from runyard.model.ids import RunId, attempt_key
from runyard.model.metric import Series
from runyard.model.run import Run
from runyard.model.sketch import Sketch
from runyard.process import beside
from runyard.provider.port import TaskView, Viewer
from runyard.store.runs import Happening
from runyard.telemetry import otlp
from runyard.telemetry.recorder import Facts, Recorder
from runyard.telemetry.series import STEP_SECONDS
from runyard.wiring import Rows

LOGGER = logging.getLogger("runyard")
EVERY = timedelta(seconds=5)
WAITING_MAX = 2_000  #: runs, and as many points again; beyond it the oldest are not sent
AT_ONCE = 50  #: traces in one request
TASKS_MAX = 100  #: of an attempt that are spans of its trace
TIMEOUT_SECONDS = 10.0
_AGAIN = frozenset({408, 429, 502, 503, 504})  #: by OTLP's specification, "retryable", and 408
Post = Callable[[str, bytes], None]


class Exporter:
    """Keeps what is to be sent, and sends it."""

    def __init__(self, rows: Rows, viewer: Viewer, post: Post) -> None:
        self._rows = rows
        self._viewer = viewer
        self._post = post
        self._runs: OrderedDict[RunId, None] = OrderedDict()
        self._points: deque[tuple[Series, int, int, Sketch]] = deque(maxlen=WAITING_MAX)

    def observe(self, facts: Facts) -> None:
        """Take note of runs that ended."""
        for run, fact, _ in facts:
            if run.is_final and not isinstance(fact, Released):
                self._runs[run.id] = None
        while len(self._runs) > WAITING_MAX:
            self._runs.popitem(last=False)

    def closed(self, at_micros: int, series: Series, sketch: Sketch) -> None:
        """Take a minute that is over."""
        self._points.append((series, at_micros, at_micros + STEP_SECONDS * 1_000_000, sketch))

    async def tick(self, now: datetime) -> datetime:
        """Send what there is. Raises StoreUnavailable when the collector or the database is away;
        then it is sent later."""
        while self._runs:
            ids = list(self._runs)[:AT_ONCE]
            await self._send("/v1/traces", otlp.traces(__version__, await self._traces(ids)))
            for one in ids:
                self._runs.pop(one, None)
        points = list(self._points)
        if points:
            await self._send("/v1/metrics", otlp.metrics(__version__, points))
            for _ in points:
                self._points.popleft()
        return now + EVERY

    async def _traces(self, ids: list[RunId]) -> list[tuple[str, list[Span]]]:
        async def work(tx: Tx) -> list[tuple[Run, list[Happening]]]:
            port = self._rows.store.runs
            return [(run, await port.history(tx, run.id)) for run in await port.get(tx, ids)]

        found = []
        for run, history in await self._rows.database.read(work):
            tasks: dict[int, list[TaskView]] = {}
            for number in range(1, run.attempt + 1):
                key = attempt_key(run.id, number)
                tasks[number] = await self._viewer.tasks(key, 0, TASKS_MAX)
            found.append((trace_id(run.id), spans(run, history, tasks)))
        return found

    async def _send(self, path: str, document: dict[str, Any]) -> None:
        try:
            await asyncio.to_thread(self._post, path, json.dumps(document).encode())
        except urllib.error.HTTPError as error:
            if error.code in _AGAIN:
                raise _away(f"it answers {error.code}") from error
            LOGGER.warning("the collector refuses %s with %d: dropped", path, error.code)
        except OSError as error:
            raise _away(str(error)) from error


def _away(why: str) -> StoreUnavailable:
    return StoreUnavailable(
        f"the collector takes nothing: {why}",
        hint="RUNYARD_OTLP_ENDPOINT names it; what it missed is kept for a while",
    )


@asynccontextmanager
async def exporting(
    config: Config, rows: Rows, measures: Recorder, viewer: Viewer
) -> AsyncIterator[None]:
    """Traces and metrics are handed on for as long as the block lasts, if anybody wants them."""
    if not config.otlp_endpoint:
        yield
        return
    exporter = Exporter(rows, viewer, poster(config.otlp_endpoint))
    measures.followers.append(exporter.observe)
    measures.closed = exporter.closed
    loop = Loop("export", exporter.tick, clock, poll_seconds=EVERY.total_seconds())
    try:
        async with beside(loop.run(), "export"):
            yield
    finally:
        with suppress(StoreUnavailable):
            await exporter.tick(clock())


def poster(endpoint: str) -> Post:
    """Posts a JSON document to a path below the collector's address. Raises OSError."""

    def post(path: str, content: bytes) -> None:
        request = urllib.request.Request(  # noqa: S310  # http or https, by the setting's reader
            endpoint.rstrip("/") + path, content, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310
            answer.read()

    return post
