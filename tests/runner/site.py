"""A runner and what it calls, over real sockets in one process and one loop.

`running` gives a runner that was put together as in production, with a world of the test's own.
`Target` is a server whose answers are written byte by byte, so that it can misbehave.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import uvicorn
import uvloop

from runyard_runner.outgoing.connection import Connection, Response
from runyard_runner.settings import read_settings
from runyard_runner.telemetry.journal import JournalHandler
from runyard_runner.wiring import Assembled, World, assemble

NOWHERE = Path("/nonexistent")


def run(work: Coroutine[Any, Any, None]) -> None:
    """Run a test on the loop of production."""
    uvloop.run(work)


async def until(holds: Callable[[], bool]) -> None:
    """Give the loop turns until something holds."""
    for _ in range(1_000_000):
        if holds():
            return
        await asyncio.sleep(0)
    raise AssertionError("it never came")


@dataclass
class Asked:
    """A request that a target got."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return orjson.loads(self.body)


Answer = Callable[[Asked, asyncio.StreamWriter], Awaitable[None]]


def answer(status: int, body: bytes | str = b"", **headers: str) -> Answer:
    """An answer that is whole."""
    content = body.encode() if isinstance(body, str) else body

    async def write(_asked: Asked, writer: asyncio.StreamWriter) -> None:
        lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(content)}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + content)

    return write


def raw(content: bytes, then_close: bool = False) -> Answer:
    """An answer as it is given."""

    async def write(_asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(content)
        if then_close:
            writer.close()

    return write


class Gate:
    """An endpoint that answers when it is let."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.gone = asyncio.Event()
        self.open = asyncio.Event()

    async def __call__(self, asked: Asked, writer: asyncio.StreamWriter) -> None:
        self.asked.set()
        try:
            await self.open.wait()
        except asyncio.CancelledError:
            self.gone.set()
            raise
        await answer(200, '"late"')(asked, writer)


@dataclass
class Target:
    """A server; `answers` by path. What it was asked is in `asked`, in order."""

    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0
    port: int = 0
    scheme: str = "http"
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        """Where `path` is."""
        return f"{self.scheme}://{host}:{self.port}{path}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self.tasks.append(task)
        with suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            while not writer.is_closing():
                asked = await _read(reader)
                self.asked.append(asked)
                path = asked.path.partition("?")[0]
                await self.answers.get(path, answer(200, '{"ok":true}'))(asked, writer)
                await writer.drain()
        writer.transport.abort()
        with suppress(ConnectionError, ssl.SSLError):
            await writer.wait_closed()

    async def close(self) -> None:
        """End every connection."""
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)


async def _read(reader: asyncio.StreamReader) -> Asked:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, path, _ = head[0].split(" ")
    headers = {
        name.lower(): value.strip()
        for name, _, value in (line.partition(":") for line in head[1:] if line)
    }
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Asked(method, path, headers, body)


@asynccontextmanager
async def serving(
    answers: Mapping[str, Answer] | None = None, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Target]:
    """A target that listens."""
    target = Target(dict(answers or {}), scheme="https" if tls else "http")
    server = await asyncio.start_server(target.serve, "127.0.0.1", 0, ssl=tls)
    target.port = server.sockets[0].getsockname()[1]
    try:
        yield target
    finally:
        server.close()
        await target.close()


@dataclass
class Site:
    """A runner that listens, and what it wrote into its log."""

    assembled: Assembled
    port: int
    lines: list[dict[str, Any]]

    async def ask(
        self,
        method: str,
        path: str,
        body: bytes | Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """Ask it something; a body that is no bytes is sent as JSON."""
        connection = await self.connect()
        content = body if isinstance(body, bytes) else orjson.dumps(body) if body else b""
        request = written(method, path, content, headers)
        try:
            return await connection.exchange(
                request, method, 1 << 28, asyncio.get_running_loop().time() + 20
            )
        finally:
            connection.close()

    async def connect(self) -> Connection:
        """A connection to it."""
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(
            lambda: Connection(loop), "127.0.0.1", self.port
        )
        return connection

    async def execute(self, order: Any = None, **headers: str) -> tuple[int, Any]:
        """POST /execute: the status, and the answer."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        response = await self.ask("POST", "/execute", order, sent)
        return response.status, orjson.loads(response.body)

    @property
    def audits(self) -> list[dict[str, Any]]:
        """The audit records."""
        return [line["audit"] for line in self.lines if "audit" in line]


async def one(site: Site, endpoint: Any) -> Any:
    """The result of one endpoint."""
    _, said = await site.execute({"endpoints": [endpoint]})
    (result,) = said["results"]
    return result


def written(
    method: str, path: str, content: bytes = b"", headers: Mapping[str, str] | None = None
) -> bytes:
    """A request as it goes over the wire."""
    lines = [f"{method} {path} HTTP/1.1", "Host: runner", f"Content-Length: {len(content)}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content


def settled(**environment: str) -> dict[str, str]:
    """An environment in which loopback may be called."""
    return {"ALLOW_PRIVATE_NETWORKS": "true", **environment}


@asynccontextmanager
async def running(
    environment: Mapping[str, str] | None = None, **world: Any
) -> AsyncIterator[Site]:
    """A runner that listens on a free port."""
    lines: list[dict[str, Any]] = []
    settings = read_settings(settled(**(environment or {})), NOWHERE)
    assembled = assemble(
        settings, World(write=lambda line: lines.append(orjson.loads(line)), **world)
    )
    for name in ("uvicorn", "asyncio"):
        logging.getLogger(name).handlers = [JournalHandler(assembled.journal)]
        logging.getLogger(name).propagate = False
    server = uvicorn.Server(
        uvicorn.Config(
            assembled.app, "127.0.0.1", 0, log_config=None, proxy_headers=False, ws="none"
        )
    )
    server.config.load()
    server.lifespan = server.config.lifespan_class(server.config)
    await server.startup()
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield Site(assembled, port, lines)
    finally:
        await server.shutdown()
        for name in ("uvicorn", "asyncio"):
            logging.getLogger(name).handlers = []
            logging.getLogger(name).propagate = True
