"""The client: calls an endpoint once, follows its redirects, gives what came back.

    send(endpoint, ...) ── check name ── connection (idle, or dialled at a checked address)
                          ── exchange, bounded ── a redirect? checked like any other URL

How many calls a host gets at once is kept by whoever calls `send` (`Pool.slots`). A redirect to
another host loses every header that could tell a secret, an ID token above all.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace

from runyard_runner.model.endpoint import Content
from runyard_runner.model.target import Target, TargetError
from runyard_runner.outgoing.connection import Connection, Response
from runyard_runner.outgoing.failures import CallFailed, Failure
from runyard_runner.outgoing.names import Names
from runyard_runner.outgoing.pool import Pool

_REPEATABLE = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_TELLING = frozenset({"authorization", "cookie", "x-api-key", "proxy-authorization"})


@dataclass(frozen=True, slots=True)
class Call:
    """One request. `secret_headers` are dropped when a redirect leaves the origin."""

    target: Target
    method: str
    headers: tuple[tuple[str, str], ...]
    content: Content | None
    redirects: int = 0
    secret_headers: frozenset[str] = frozenset()


class Client:
    """Calls endpoints over connections that it keeps."""

    def __init__(self, names: Names, pool: Pool, agent: str, bytes_max: int) -> None:
        self._names = names
        self._pool = pool
        self._agent = agent
        self._bytes_max = bytes_max

    def close(self) -> None:
        """Close what is idle."""
        self._pool.close()
        self._names.close()

    async def send(self, call: Call, deadline: float) -> Response:
        """Do `call` until it ends or `deadline` (loop time) is there. Raises CallFailed."""
        left = call.redirects
        while True:
            self._names.check(call.target.host)
            response = await self._exchange(call, deadline)
            location = response.headers.get("location")
            if not left or location is None or response.status not in _REDIRECTS:
                return _unpacked(response, self._bytes_max)
            call, left = _redirected(call, response.status, location), left - 1

    async def _exchange(self, call: Call, deadline: float) -> Response:
        origin = call.target.origin
        request = written(call, self._agent)
        connection = self._pool.take(origin)
        if connection is not None:
            try:
                return await self._over(connection, origin, request, call, deadline)
            except CallFailed as failed:
                # closed while it was idle: nothing of the request was looked at
                stale = failed.failure is Failure.CLOSED and not connection.answered
                if not stale or call.method not in _REPEATABLE:
                    raise
        connection = await self._pool.dial(call.target, deadline)
        return await self._over(connection, origin, request, call, deadline)

    async def _over(
        self,
        connection: Connection,
        origin: tuple[str, str, int],
        request: bytes,
        call: Call,
        deadline: float,
    ) -> Response:
        response = await connection.exchange(request, call.method, self._bytes_max, deadline)
        self._pool.give(origin, connection)
        return response


def written(call: Call, agent: str) -> bytes:
    """A request as it goes over the wire."""
    lines = [f"{call.method} {call.target.path} HTTP/1.1"]
    given = {name.lower() for name, _ in call.headers}
    if "host" not in given:
        lines.append(f"Host: {call.target.authority}")
    if "user-agent" not in given:
        lines.append(f"User-Agent: {agent}")
    if "accept" not in given:
        lines.append("Accept: */*")
    if "accept-encoding" not in given:
        lines.append("Accept-Encoding: identity")
    lines += [f"{name}: {value}" for name, value in call.headers]
    content = call.content
    if content is not None:
        if content.media_type and "content-type" not in given:
            lines.append(f"Content-Type: {content.media_type}")
        lines.append(f"Content-Length: {len(content.data)}")
    elif call.method in ("POST", "PUT", "PATCH"):
        lines.append("Content-Length: 0")
    head = "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"
    return head + content.data if content is not None else head


def _redirected(call: Call, status: int, location: str) -> Call:
    try:
        target = call.target.at(location)
    except TargetError as error:
        words = f"it redirects to {location[:200]!r}, which is not {error}"
        raise CallFailed(Failure.PROTOCOL, words, status) from None
    if call.target.scheme == "https" and target.scheme == "http":
        raise CallFailed(Failure.REFUSED, "it redirects from https to http", status)
    method, content = call.method, call.content
    if status == 303 or (status in (301, 302) and method == "POST"):
        method, content = ("HEAD" if method == "HEAD" else "GET"), None
    headers = call.headers
    if target.origin != call.target.origin:
        dropped = _TELLING | call.secret_headers | {"host"}
        headers = tuple(each for each in headers if each[0].lower() not in dropped)
    target = replace(target, user="")
    return replace(call, target=target, method=method, content=content, headers=headers)


def _unpacked(response: Response, bytes_max: int) -> Response:
    """The response with its body decompressed, as far as it may become large."""
    coding = response.headers.get("content-encoding", "").strip().lower()
    if coding not in ("gzip", "x-gzip", "deflate") or not response.body:
        return response
    unpack = zlib.decompressobj(zlib.MAX_WBITS | 32)
    try:
        body = unpack.decompress(response.body, bytes_max)
    except zlib.error:
        raise CallFailed(
            Failure.PROTOCOL, f"its response is not the {coding} it says it is", response.status
        ) from None
    if unpack.unconsumed_tail:
        words = f"its response is larger than {bytes_max} bytes (RESPONSE_BYTES_MAX)"
        raise CallFailed(Failure.TOO_LARGE, words, response.status)
    return Response(response.status, response.headers, body)
