"""`/execute`: POST with an order, GET with what is configured; answered at the end, or as it goes.

A client that goes away cancels what it asked for. What is sent as it goes is one event a result,
then one with the summary, as server-sent events or as lines of JSON.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import orjson
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive

from runyard_runner.execution.repeats import Answer
from runyard_runner.execution.service import Service, Visit
from runyard_runner.faults import RequestError, RunnerError
from runyard_runner.model.order import Order, Orders
from runyard_runner.model.result import Result, dump
from runyard_runner.web.requests import Door

_EVENTS = "text/event-stream"
_LINES = "application/x-ndjson"
_GONE = 499  # as nginx says it; nobody is there to read it


class Execute:
    """The handler."""

    def __init__(self, door: Door, orders: Orders, service: Service) -> None:
        self._door = door
        self._orders = orders
        self._service = service

    async def handle(self, request: Request) -> Response:
        """Answer one call."""
        visit = await self._door.enter(request)
        try:
            order = await self._order(request)
        except RunnerError as error:
            self._service.refused(visit, error)
            raise
        accepted = request.headers.get("accept", "")
        if order.stream or _EVENTS in accepted or _LINES in accepted:
            media_type = _EVENTS if _EVENTS in accepted else _LINES
            events = self._events(order, visit, media_type == _EVENTS)
            return StreamingResponse(
                events, media_type=media_type, headers={"Cache-Control": "no-store"}
            )
        return await self._at_the_end(request.receive, order, visit)

    async def _order(self, request: Request) -> Order:
        if request.method == "POST":
            order = self._orders.read(await self._door.body(request))
        else:
            # one after the other, as clients of GET have it
            order = self._orders.made({"parallel": False} | _query(request))
        if not order.endpoints and not self._orders.configured:
            raise RequestError(
                "There is nothing to call.",
                hint='Set ENDPOINTS, or send {"endpoints": ["https://..."]}.',
            )
        return order

    async def _at_the_end(self, receive: Receive, order: Order, visit: Visit) -> Response:
        loop = asyncio.get_running_loop()
        work = loop.create_task(self._service.do(order, visit))
        watch = loop.create_task(_cancel_when_gone(receive, work))
        try:
            answer = await work
        except asyncio.CancelledError:
            if watch.done():
                return Response(status_code=_GONE)
            work.cancel()
            raise
        finally:
            watch.cancel()
        response = Response(answer.body, answer.status, media_type="application/json")
        if answer.replayed:
            response.headers["Idempotency-Replayed"] = "true"
        return response

    async def _events(self, order: Order, visit: Visit, as_events: bool) -> AsyncIterator[bytes]:
        queue: asyncio.Queue[Result | None] = asyncio.Queue()
        loop = asyncio.get_running_loop()
        work = loop.create_task(self._service.do(order, visit, queue.put_nowait))
        work.add_done_callback(lambda _: queue.put_nowait(None))
        try:
            while (result := await queue.get()) is not None:
                yield _event("result", dump(result.as_json() | {"index": result.index}), as_events)
            yield _event("summary", await _last(work), as_events)
        finally:
            work.cancel()
            with suppress(asyncio.CancelledError, RunnerError):
                await work


def _query(request: Request) -> dict[str, object]:
    """The fields of an order that stand in the query of a GET."""
    found: dict[str, object] = {}
    for name, text in request.query_params.items():
        try:
            found[name] = orjson.loads(text)
        except orjson.JSONDecodeError:
            found[name] = text
    return found


async def _last(work: asyncio.Task[Answer]) -> bytes:
    try:
        answer = await work
    except RunnerError as error:
        return dump(error.as_json() | {"http_status": error.http_status})
    said = orjson.loads(answer.body) | {"http_status": answer.status}
    return dump(said | {"replayed": True} if answer.replayed else said)


def _event(name: str, data: bytes, as_events: bool) -> bytes:
    if as_events:
        return b"event: %b\ndata: %b\n\n" % (name.encode(), data)
    return b'{"%b":%b}\n' % (name.encode(), data)


async def _cancel_when_gone(receive: Receive, work: asyncio.Task[Answer]) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    work.cancel()
