"""One endpoint, from its first attempt to its result. It never raises for what an endpoint does."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass

import orjson

from runyard_runner.model.endpoint import Content, Endpoint
from runyard_runner.model.result import Result, instant
from runyard_runner.outgoing.client import Call, Client
from runyard_runner.outgoing.connection import Response
from runyard_runner.outgoing.failures import TRANSIENT, CallFailed
from runyard_runner.outgoing.tokens import Tokens
from runyard_runner.rules.masking import Mask
from runyard_runner.rules.statuses import Verdict, is_transient, judge
from runyard_runner.rules.tracing import Trace
from runyard_runner.telemetry.meters import Meters

_CHARSET = re.compile(r"charset=\"?([\w.:-]+)", re.IGNORECASE)
_LEFT_OUT = "the response is left out: the answer is as large as it may be (ANSWER_BYTES_MAX)"


class Room:
    """How many bytes of responses still fit into an answer."""

    def __init__(self, bytes_max: int) -> None:
        self._left = bytes_max

    def take(self, size: int) -> bool:
        """Whether `size` bytes fit; they are taken if they do."""
        if size > self._left:
            return False
        self._left -= size
        return True


@dataclass(frozen=True, slots=True)
class Attempted:
    """What one attempt came to."""

    verdict: Verdict
    status_code: int
    error: str
    may_pass: bool
    response: Response | None = None


@dataclass(frozen=True, slots=True)
class Caller:
    """Calls endpoints. `clock` gives microseconds, `chance` 0 to 1, `stopwatch` seconds."""

    client: Client
    tokens: Tokens
    mask: Mask
    meters: Meters
    clock: Callable[[], int]
    chance: Callable[[], float]
    stopwatch: Callable[[], float]

    async def call(
        self, index: int, endpoint: Endpoint, payload: Content | None, trace: Trace, room: Room
    ) -> Result:
        """Call until it succeeds, or cannot pass, or was tried often enough."""
        began, attempts = self.stopwatch(), 0
        while True:
            attempts += 1
            attempted = await self._attempt(endpoint, payload, trace)
            if attempted.verdict is not Verdict.FAILED or not attempted.may_pass:
                break
            if attempts > endpoint.retries:
                break
            self.meters.retries += 1
            asked = attempted.response.headers.get("retry-after") if attempted.response else None
            await asyncio.sleep(endpoint.backoff.wait_seconds(attempts, self.chance(), asked))
        seconds = self.stopwatch() - began
        self.meters.endpoint_seconds.note(seconds)
        return self._result(index, endpoint, attempted, attempts, seconds, room)

    async def _attempt(
        self, endpoint: Endpoint, payload: Content | None, trace: Trace
    ) -> Attempted:
        loop = asyncio.get_running_loop()
        try:
            call = await self._call(endpoint, payload, trace)
            response = await self.client.send(call, loop.time() + endpoint.timeout_seconds)
        except CallFailed as failed:
            self.meters.failures[failed.failure] += 1
            error = self.mask.text(failed.words)
            may_pass = failed.failure in TRANSIENT
            return Attempted(Verdict.FAILED, failed.status_code, error, may_pass)
        status = response.status
        verdict = judge(status, endpoint.expected)
        error = f"HTTP {status}" if verdict is Verdict.FAILED else ""
        return Attempted(verdict, status, error, is_transient(status), response)

    async def _call(self, endpoint: Endpoint, payload: Content | None, trace: Trace) -> Call:
        headers, secret = endpoint.headers, frozenset[str]()
        auth = endpoint.auth
        if auth is not None and auth.header:
            headers = (*headers, (auth.header, auth.key))
            secret = frozenset({auth.header.lower()})
        elif auth is not None:
            token = await self.tokens.token(endpoint.target, auth.audience)
            headers = (*headers, ("Authorization", f"Bearer {token}"))
        if not any(name.lower() == "traceparent" for name, _ in headers):
            headers = (*headers, ("traceparent", trace.parent()))
        content = endpoint.content if endpoint.content is not None else payload
        return Call(endpoint.target, endpoint.method, headers, content, endpoint.redirects, secret)

    def _result(
        self,
        index: int,
        endpoint: Endpoint,
        attempted: Attempted,
        attempts: int,
        seconds: float,
        room: Room,
    ) -> Result:
        said, note = None, ""
        if attempted.response is not None:
            if room.take(len(attempted.response.body)):
                said = readable(attempted.response, self.mask)
            else:
                note = _LEFT_OUT
        return Result(
            index=index,
            endpoint=endpoint.shown,
            name=endpoint.name,
            method=endpoint.method,
            verdict=attempted.verdict,
            status_code=attempted.status_code,
            response=said,
            error=attempted.error,
            attempts=attempts,
            duration_ms=round(seconds * 1000, 3),
            ended_at=instant(self.clock()),
            note=note,
        )


def readable(response: Response, mask: Mask) -> orjson.Fragment | str | None:
    """A body as an answer shows it: JSON as it came, else text; without secrets."""
    body = mask.content(response.body)
    if not body:
        return ""
    try:
        orjson.loads(body)
    except orjson.JSONDecodeError:
        return _text(body, response.headers.get("content-type", ""))
    return orjson.Fragment(body)


def _text(body: bytes, content_type: str) -> str:
    named = _CHARSET.search(content_type)
    try:
        text = body.decode(named[1] if named else "utf-8", "replace")
    except LookupError:
        text = body.decode("utf-8", "replace")
    return text
