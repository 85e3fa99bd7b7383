"""One execution: all endpoints of an order, at once or in turn, until a summary.

    run() ── parallel:   a task each, `max_workers` of them working at a time
          └─ sequential: one after the other; templates and conditions see the earlier results
    cut(reason)   ends it now: what is running is cancelled, what was not called is not called,
                  both are told as failed for that reason, and the summary is given

Cancelling the task that awaits `run()` gives no summary: nobody is there to read it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from runyard_runner.execution.calling import Caller, Room
from runyard_runner.model.endpoint import Endpoint, Sketch
from runyard_runner.model.fields import Fields
from runyard_runner.model.limits import Limits
from runyard_runner.model.order import Order, Planned
from runyard_runner.model.result import Result, Results, Summary, instant
from runyard_runner.outgoing.failures import Failure
from runyard_runner.outgoing.pool import Pool
from runyard_runner.rules.paths import PathError
from runyard_runner.rules.statuses import Verdict
from runyard_runner.rules.templates import render
from runyard_runner.rules.tracing import Trace
from runyard_runner.telemetry.journal import Journal

OnResult = Callable[[Result], None]


@dataclass(frozen=True, slots=True)
class Workshop:
    """What every execution works with."""

    caller: Caller
    pool: Pool
    limits: Limits
    journal: Journal
    failure_status: int


class Execution:
    """Calls the endpoints of one order."""

    def __init__(
        self, order: Order, trace: Trace, workshop: Workshop, on_result: OnResult | None = None
    ) -> None:
        self._order = order
        self._trace = trace
        self._shop = workshop
        self._on_result = on_result
        self._results: list[Result | None] = [None] * len(order.endpoints)
        self._tasks: list[asyncio.Task[None]] = []
        self._cut = ""
        self._room = Room(workshop.limits.answer_bytes_max)

    async def run(self) -> Summary:
        """Call them all, and give what became of each."""
        loop = asyncio.get_running_loop()
        stopwatch, began_at = self._shop.caller.stopwatch, self._shop.caller.clock()
        began = stopwatch()
        seconds = self._shop.limits.deadline_seconds
        reason = f"the execution was cut off after {seconds:g} s (TOTAL_DEADLINE_SECONDS)"
        timer = loop.call_later(seconds, self.cut, reason)
        try:
            await self._all(loop)
        finally:
            timer.cancel()
            for task in self._tasks:
                task.cancel()
        results = tuple(each for each in self._results if each is not None)
        return Summary(
            results=results,
            mode=self._order.mode,
            started_at=instant(began_at),
            duration_ms=round((stopwatch() - began) * 1000, 3),
            failure_status=self._shop.failure_status,
            key=self._order.key,
            trace_id=self._trace.trace_id,
            cut=self._cut,
        )

    def cut(self, reason: str) -> None:
        """End it now, for that reason."""
        self._cut = self._cut or reason
        for task in self._tasks:
            task.cancel()

    async def _all(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._order.parallel:
            workers = asyncio.Semaphore(self._order.max_workers)
            self._tasks = [
                loop.create_task(self._in_parallel(index, each, workers))
                for index, each in enumerate(self._order.endpoints)
                if isinstance(each, Endpoint)  # a sketch is only ever read in a sequence
            ]
        else:
            self._tasks = [loop.create_task(self._in_turn())]
        if self._tasks:
            await asyncio.wait(self._tasks)
        for index, each in enumerate(self._order.endpoints):
            if self._results[index] is None:
                self._note(self._uncalled(index, each, Verdict.FAILED, self._cut))

    # in parallel

    async def _in_parallel(
        self, index: int, endpoint: Endpoint, workers: asyncio.Semaphore
    ) -> None:
        host = self._shop.pool.slots(endpoint.target.host)
        async with workers:
            if not host.locked():
                async with host:
                    self._note(await self._call(index, endpoint))
                return
        # the host has as many calls as it may have: wait for it without keeping a worker
        async with host, workers:
            self._note(await self._call(index, endpoint))

    # in turn

    async def _in_turn(self) -> None:
        results = Results()
        data = {"results": results, "payload": self._order.payload}
        stopped = ""
        for index, each in enumerate(self._order.endpoints):
            result = await self._next(index, each, data, stopped)
            self._note(result)
            results.note(result)
            if result.verdict is Verdict.FAILED and self._order.stop_on_error and not stopped:
                stopped = f"not called: endpoint {index} failed, and stop_on_error is set"

    async def _next(self, index: int, each: Planned, data: dict[str, Any], stopped: str) -> Result:
        if stopped:
            return self._uncalled(index, each, Verdict.SKIPPED, stopped)
        if each.when is not None and not each.when.holds(data):
            words = f"not called: {each.when.text} does not hold"
            return self._uncalled(index, each, Verdict.SKIPPED, words)
        endpoint = self._complete(index, each, data)
        if isinstance(endpoint, Result):
            return endpoint
        async with self._shop.pool.slots(endpoint.target.host):
            return await self._call(index, endpoint)

    # both

    def _complete(self, index: int, each: Planned, data: dict[str, Any]) -> Endpoint | Result:
        """The endpoint with its holes filled, or what is to be told when that cannot be."""
        if isinstance(each, Endpoint):
            return each
        fields = Fields()
        try:
            value = {
                key: render(part, data, in_url=key == "url")
                for key, part in each.raw.items()
                if key != "when"
            }
            # what is filled in is data, whatever it looks like: it has no holes of its own
            found = each.complete(f"endpoints[{index}]", value, fields)
        except PathError as error:
            fields.refuse(f"endpoints[{index}]", str(error), "something that is there")
            found = None
        if found is not None:
            return found
        self._shop.caller.meters.failures[Failure.TEMPLATE] += 1
        words = "; ".join(str(fault) for fault in fields.faults)
        return self._uncalled(index, each, Verdict.FAILED, self._shop.caller.mask.text(words))

    async def _call(self, index: int, endpoint: Endpoint) -> Result:
        try:
            return await self._shop.caller.call(
                index, endpoint, self._order.content, self._trace, self._room
            )
        except Exception as error:  # pylint: disable=broad-exception-caught
            # a fault of ours: it costs this endpoint, and not the others
            name = type(error).__name__
            self._shop.journal.fault(f"calling {endpoint.shown} failed", error, self._trace)
            words = f"the runner itself failed ({name}); its log says how"
            return replace(self._uncalled(index, endpoint, Verdict.FAILED, words), attempts=1)

    def _uncalled(self, index: int, each: Planned, verdict: Verdict, words: str) -> Result:
        return Result(
            index=index,
            endpoint=each.shown,
            name=each.name,
            method=_method(each),
            verdict=verdict,
            status_code=0,
            response=None,
            error=words,
            attempts=0,
            duration_ms=0.0,
            ended_at=instant(self._shop.caller.clock()),
        )

    def _note(self, result: Result) -> None:
        self._results[result.index] = result
        self._shop.caller.meters.endpoints[result.verdict] += 1
        if self._on_result is not None:
            self._on_result(result)


def _method(each: Planned) -> str:
    return str(each.raw.get("method", "POST")).upper() if isinstance(each, Sketch) else each.method
