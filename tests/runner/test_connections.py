"""Connections that are kept, dialled, and found closed."""

from __future__ import annotations

import asyncio
import socket
import threading
from typing import Any

import pytest

from runyard_runner.model.target import read_target
from runyard_runner.outgoing.failures import CallFailed, Failure
from runyard_runner.outgoing.names import Names
from runyard_runner.outgoing.pool import Pool
from runyard_runner.outgoing.trust import Trust
from runyard_runner.rules.addresses import Policy
from tests.runner.site import Asked, Gate, answer, run, running, serving, until

ALL = Policy(allow_private=True)


def soon(seconds: float = 10.0) -> float:
    """A deadline."""
    return asyncio.get_running_loop().time() + seconds


def test_idle_connections_are_closed_in_time() -> None:
    async def story() -> None:
        async with serving() as target:
            names = Names(ALL)
            pool = Pool(names, Trust(), 5, idle_seconds=0.02)
            called = read_target(target.url())
            old, fresh = [await pool.dial(called, soon()) for _ in range(2)]
            pool.give(called.origin, old)
            pool.give(called.origin, fresh)
            old.idle_since -= 1000
            fresh.idle_since += 1000
            await until(lambda: not old.is_open)
            assert fresh.is_open
            fresh.idle_since -= 2000
            await until(lambda: not fresh.is_open)
            assert pool.take(called.origin) is None

            stale = await pool.dial(called, soon())
            pool.give(called.origin, stale)
            stale.idle_since -= 1000
            assert pool.take(called.origin) is None
            assert not stale.is_open
            pool.give(called.origin, stale)  # closed: not taken back
            with pytest.raises(CallFailed) as told:
                await stale.exchange(b"", "GET", 1, soon())
            assert told.value.failure is Failure.CLOSED
            pool.close()
            pool.close()
            names.close()

    run(story())


def test_a_server_that_talks_unasked_is_not_talked_to_again() -> None:
    async def story() -> None:
        writers: list[asyncio.StreamWriter] = []

        async def keep(asked: Asked, writer: asyncio.StreamWriter) -> None:
            writers.append(writer)
            await answer(200)(asked, writer)

        async with serving({"/": keep}) as target:
            names = Names(ALL)
            pool = Pool(names, Trust(), 5)
            connection = await pool.dial(read_target(target.url()), soon())
            request = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
            assert (await connection.exchange(request, "GET", 9, soon())).status == 200
            assert connection.is_open
            writers[0].write(b"HTTP/1.1 408 Request Timeout\r\n\r\n")
            await until(lambda: not connection.is_open)
            names.close()

    run(story())


def test_a_slow_name_costs_its_endpoint_and_no_other() -> None:
    async def story() -> None:
        answered = threading.Event()

        def resolve(host: str) -> list[str]:
            if host == "slow.example":
                answered.wait(20)
            return ["127.0.0.1"]

        async with serving() as target, running(resolve=resolve) as site:
            slow = {"url": target.url(host="slow.example"), "timeout": 0.05}
            order = {"endpoints": [slow, target.url(host="fast.example")]}
            _, said = await site.execute(order)
            answered.set()
        first, second = said["results"]
        assert first["error"] == "its time was up before there was a connection"
        assert second["success"]

    run(story())


def test_an_address_that_does_not_answer_does_not_use_up_the_time_of_the_next() -> None:
    async def story() -> None:
        with socket.socket() as full:
            full.bind(("127.0.0.1", 0))
            full.listen(0)
            port = full.getsockname()[1]
            waiting = [socket.socket() for _ in range(8)]
            for each in waiting:  # whoever comes next is not even answered
                each.setblocking(False)
                each.connect_ex(("127.0.0.1", port))
            server = await asyncio.start_server(lambda _r, w: w.close(), "127.0.0.2", port)
            names = Names(ALL, resolve=lambda _host: ["127.0.0.1", "127.0.0.2"])
            pool = Pool(names, Trust(), 5, dial_seconds=0.05)
            connection = await pool.dial(read_target(f"http://two.example:{port}/"), soon())
            connection.close()
            none = Names(ALL, resolve=lambda _host: ["127.0.0.1", "127.0.0.1"])
            pool = Pool(none, Trust(), 5, dial_seconds=0.05)
            with pytest.raises(CallFailed, match="does not answer"):
                await pool.dial(read_target(f"http://two.example:{port}/"), soon())
            server.close()
            await server.wait_closed()
            for each in waiting:
                each.close()
            names.close()
            none.close()

    run(story())


def test_what_an_endpoint_says_of_itself_stands_before_what_we_say() -> None:
    async def story() -> None:
        async with serving() as target, running() as site:
            headers = {
                "Host": "virtual.example",
                "User-Agent": "me",
                "Accept": "text/plain",
                "Accept-Encoding": "gzip",
                "Content-Type": "application/vnd.me+json",
            }
            await site.execute(
                {"endpoints": [{"url": target.url(), "json": 1, "headers": headers}]}
            )
            (asked,) = target.asked
            sent = {name.lower(): value for name, value in headers.items()}
            assert {name: asked.headers[name] for name in sent} == sent
            await site.execute({"endpoints": [{"url": target.url(), "method": "GET"}]})
            assert "content-length" not in target.asked[1].headers

    run(story())


def test_a_handler_that_is_cancelled_cancels_its_execution() -> None:
    async def story() -> None:
        gate = Gate()
        async with serving({"/": gate}) as target, running() as site:
            body = f'{{"endpoints":["{target.url()}"]}}'.encode()
            messages = [{"type": "http.request", "body": body, "more_body": False}]

            async def receive() -> Any:
                if messages:
                    return messages.pop()
                return await asyncio.Event().wait()

            async def send(_message: Any) -> None:
                raise AssertionError("nobody is answered")

            scope = {
                "type": "http",
                "method": "POST",
                "path": "/execute",
                "headers": [],
                "query_string": b"",
                "client": ("127.0.0.1", 1),
            }
            handling = asyncio.ensure_future(site.assembled.app(scope, receive, send))
            await gate.asked.wait()
            handling.cancel()
            with pytest.raises(asyncio.CancelledError):
                await handling
            await until(lambda: site.assembled.meters.running == 0)

    run(story())
