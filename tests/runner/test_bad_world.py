"""Whatever a target does, it costs that endpoint and nothing else. Over real sockets."""

from __future__ import annotations

import asyncio
import gzip
import resource
import zlib
from typing import Any

import pytest

from tests.runner.site import Answer, Asked, answer, one, raw, run, running, serving

OK = b"HTTP/1.1 200 OK\r\n"


def _told(answered: Answer, **environment: str) -> Any:
    """The result of an endpoint that answers like that; and that the service is well after it."""
    found: list[Any] = []

    async def story() -> None:
        async with serving({"/": answered}) as target, running(environment) as site:
            found.append(await one(site, target.url()))
            assert (await site.ask("GET", "/health")).status == 200

    run(story())
    return found[0]


async def _endless(_asked: Asked, writer: asyncio.StreamWriter) -> None:
    writer.write(OK + b"Transfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
        await writer.drain()


async def _gigabyte(_asked: Asked, writer: asyncio.StreamWriter) -> None:
    writer.write(OK + b"\r\n")
    for _ in range(1 << 14):
        writer.write(b"x" * (1 << 16))
        await writer.drain()


async def _drip(_asked: Asked, writer: asyncio.StreamWriter) -> None:
    writer.write(OK + b"Content-Length: 5\r\n\r\nx")
    await asyncio.Event().wait()


async def _silence(_asked: Asked, _writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


@pytest.mark.parametrize("answered", [_endless, _gigabyte])
def test_a_response_that_is_too_large_is_cut_off_and_memory_stays_flat(answered: Answer) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    told = _told(answered)
    assert "larger than 1048576 bytes (RESPONSE_BYTES_MAX)" in told["error"]
    assert (told["status_code"], told["success"], told["response"]) == (200, False, None)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 << 10  # KiB


@pytest.mark.parametrize(
    ("answered", "words"),
    [
        (answer(200, "x" * 2000), "larger than 1000 bytes"),
        (answer(200, gzip.compress(b"x" * 2000), Content_Encoding="gzip"), "larger than 1000"),
        (answer(200, b"no gzip", Content_Encoding="gzip"), "not the gzip it says it is"),
        (raw(OK + b"X: " + b"y" * (70 << 10)), "headers are longer"),
        (raw(OK + (b"X: " + b"y" * 1000 + b"\r\n") * 80 + b"\r\n"), "headers are longer"),
        (raw(OK + (b"X: " + b"y" * 995 + b"\r\n") * 66 + b"\r\n"), "headers are longer"),
        (raw(b"SSH-2.0-OpenSSH\r\n\r\n"), "does not speak HTTP/1.1"),
        (raw(b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"), "protocol"),
        (raw(b"", then_close=True), "closed the connection without an answer"),
        (raw(OK + b"Content-Length: 9\r\n\r\nhalf", then_close=True), "in the middle of its"),
        (raw(OK + b"Content-Le", then_close=True), "in the middle of its"),
    ],
)
def test_what_is_no_proper_answer(answered: Answer, words: str) -> None:
    told = _told(answered, RESPONSE_BYTES_MAX="1000")
    assert words in told["error"]
    assert told["success"] is False


@pytest.mark.parametrize(
    ("answered", "words"),
    [(_silence, "its time was up without an answer"), (_drip, "its time was up in the middle")],
)
def test_time_is_up(answered: Answer, words: str) -> None:
    assert words in _told(answered, REQUEST_TIMEOUT="0.05")["error"]


@pytest.mark.parametrize(
    ("answered", "response"),
    [
        (raw(OK + b"\r\nuntil the end", then_close=True), "until the end"),
        (
            raw(OK + b'Transfer-Encoding: chunked\r\n\r\n3\r\n{"a\r\n5\r\n": 1}\r\n0\r\n\r\n'),
            {"a": 1},
        ),
        (raw(b"HTTP/1.1 100 Continue\r\nX: y\r\n\r\n" + OK + b"Content-Length: 1\r\n\r\n7"), 7),
        (raw(b"HTTP/1.1 204 No Content\r\n\r\n"), ""),
        (answer(200, gzip.compress(b"[1]"), Content_Encoding="gzip"), [1]),
        (answer(200, zlib.compress(b"[2]"), Content_Encoding="deflate"), [2]),
        (answer(200, b"", Content_Encoding="gzip"), ""),
        (answer(200, "ü".encode("latin-1"), Content_Type="text/plain; charset=latin-1"), "ü"),
        (answer(200, "ü", Content_Type="text/plain; charset=none"), "ü"),
        (answer(200, b"\xff"), "\ufffd"),
        (raw(OK + b"X: a\r\nX: b\r\nContent-Length: 2\r\n\r\n[]" + OK), []),
    ],
)
def test_every_kind_of_proper_answer(answered: Answer, response: object) -> None:
    told = _told(answered)
    assert (told["success"], told["response"]) == (True, response), told


def test_head_has_no_body() -> None:
    async def story() -> None:
        head = raw(OK + b"Content-Length: 5000000\r\n\r\n")
        async with serving({"/": head}) as target, running() as site:
            told = await one(site, {"url": target.url(), "method": "HEAD"})
        assert (told["status_code"], told["response"]) == (200, "")

    run(story())


def test_ten_thousand_endpoints_are_refused_before_any_is_called() -> None:
    async def story() -> None:
        async with serving() as target, running() as site:
            status, said = await site.execute({"endpoints": [target.url()] * 10_000})
            assert status == 400
            (fault,) = said["error"]["faults"]
            assert (fault["field"], fault["value"]) == ("endpoints", '"10000 endpoints"')
            assert "ENDPOINTS_MAX" in fault["expected"]
            assert target.asked == []
            assert (await site.ask("GET", "/health")).status == 200

    run(story())


def test_a_body_that_is_too_large() -> None:
    async def story() -> None:
        async with running({"REQUEST_BYTES_MAX": "100"}) as site:
            response = await site.ask("POST", "/execute", b" " * 101)
            assert response.status == 413
            assert b"REQUEST_BYTES_MAX" in response.body
            connection = await site.connect()
            chunks = b"POST /execute HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
            chunks += b"40\r\n" + b" " * 64 + b"\r\n40\r\n" + b" " * 64 + b"\r\n"
            late = asyncio.get_running_loop().time() + 10
            assert (await connection.exchange(chunks, "POST", 10_000, late)).status == 413

    run(story())


def test_connections_are_kept_while_they_are_fresh() -> None:
    async def story() -> None:
        closing = raw(OK + b"Connection: close\r\n\r\n", then_close=True)
        async with serving({"/close": closing}) as target, running() as site:
            for _ in range(3):
                assert (await one(site, target.url()))["success"]
            assert target.connections == 1
            assert (await one(site, target.url("/close")))["success"]
            assert (await one(site, target.url()))["success"]
            assert target.connections == 2

    run(story())


def test_a_connection_that_went_stale_is_not_an_error_of_what_may_be_repeated() -> None:
    async def story() -> None:
        turns = 0

        async def once(asked: Asked, writer: asyncio.StreamWriter) -> None:
            nonlocal turns
            turns += 1
            if turns in (2, 4):
                writer.transport.abort()
            else:
                await answer(200)(asked, writer)

        async with serving({"/": once}) as target, running() as site:
            get = {"url": target.url(), "method": "GET"}
            assert (await one(site, get))["success"]
            assert (await one(site, get))["success"]  # closed, and asked again
            told = await one(site, target.url())
            assert "closed the connection" in told["error"]  # a POST may have been done

    run(story())


def test_a_fault_of_ours_costs_one_endpoint() -> None:
    async def story() -> None:
        def resolve(host: str) -> list[str]:
            raise ZeroDivisionError(host)

        async with serving() as target, running(resolve=resolve) as site:
            order = {"endpoints": ["http://x.example/", target.url()]}
            _, said = await site.execute(order)
            assert [each["success"] for each in said["results"]] == [False, True]
            assert "the runner itself failed (ZeroDivisionError)" in said["results"][0]["error"]
            assert [line for line in site.lines if "ZeroDivisionError" in line.get("stack", "")]

    run(story())


def test_an_answer_has_room_for_so_much() -> None:
    async def story() -> None:
        async with (
            serving({"/": answer(200, "x" * 60)}) as target,
            running({"ANSWER_BYTES_MAX": "100"}) as site,
        ):
            _, said = await site.execute({"endpoints": [target.url()] * 2, "parallel": False})
        first, second = said["results"]
        assert first["response"] == "x" * 60
        assert (second["success"], second["response"]) == (True, None)
        assert "ANSWER_BYTES_MAX" in second["note"]

    run(story())
