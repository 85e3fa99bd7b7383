"""Durable runs a second through REST: a server in a process of its own, 32 callers here.

The server is the one that `runyard up` serves, but for its provider, which answers at once. Each
caller keeps its connection and asks for one run after the other.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path
from subprocess import PIPE, Popen
from time import perf_counter
from urllib.parse import urlsplit

from benchmarks.parts.answering import JOB
from benchmarks.parts.processes import cpu_milliseconds

CALLERS = 32
BODY = b'{"job":"%s"}' % JOB.encode()


def rate(folder: Path, runs: int) -> tuple[float, float]:
    """Runs a second, and CPU milliseconds of the server for each."""
    words = [sys.executable, "-m", "benchmarks.parts.http_server", str(folder), str(runs)]
    with Popen(words, stdout=PIPE, text=True) as server:  # noqa: S603
        try:
            assert server.stdout is not None
            url, token = server.stdout.readline().split()
            worked = cpu_milliseconds(server.pid)
            began = perf_counter()
            asyncio.run(_ask_all(url, token, runs))
            assert server.stdout.readline() == "finished\n"
            seconds = perf_counter() - began
            work = cpu_milliseconds(server.pid) - worked
        finally:
            server.terminate()
    return runs / seconds, work / runs


async def _ask_all(url: str, token: str, runs: int) -> None:
    place = urlsplit(url)
    head = (
        f"POST /api/v1/runs HTTP/1.1\r\nHost: {place.netloc}\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(BODY)}\r\n\r\n"
    )
    asked = iter(range(runs))
    callers = (
        _ask(place.hostname or "", place.port or 0, head.encode() + BODY, asked)
        for _ in range(CALLERS)
    )
    await asyncio.gather(*callers)


async def _ask(host: str, port: int, request: bytes, asked: Iterator[int]) -> None:
    reader, writer = await asyncio.open_connection(host, port)
    for _ in asked:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 201"), head
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
        await reader.readexactly(length)
    writer.close()
    await writer.wait_closed()
