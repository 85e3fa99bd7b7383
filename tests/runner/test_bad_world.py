"""Whatever a target does, it costs that endpoint and nothing else. Over real sockets."""

from __future__ import annotations

import asyncio
import gzip
import resource
import zlib
from pathlib import Path
from typing import Any

import orjson
import pytest

from runyard_runner.outgoing.failures import CallFailed, Failure
from runyard_runner.outgoing.names import Names
from runyard_runner.rules.addresses import Policy
from tests.runner.certificates import certified
from tests.runner.site import Answer, Asked, Site, answer, raw, run, running, serving

OK = b"HTTP/1.1 200 OK\r\n"


async def _one(site: Site, endpoint: Any) -> Any:
    _, said = await site.execute({"endpoints": [endpoint]})
    (result,) = said["results"]
    return result


def _told(answered: Answer, **environment: str) -> Any:
    """The result of an endpoint that answers like that; and that the service is well after it."""
    found: list[Any] = []

    async def story() -> None:
        async with serving({"/": answered}) as target, running(environment) as site:
            found.append(await _one(site, target.url()))
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
            told = await _one(site, {"url": target.url(), "method": "HEAD"})
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


def test_metadata_is_never_called_by_whatever_way() -> None:
    async def story() -> None:
        location = "http://169.254.169.254/computeMetadata/v1/"
        async with serving({"/": answer(302, Location=location)}) as target:
            names = {"evil.example": ["169.254.169.254"], "two.example": ["127.0.0.1", "fe80::1"]}
            async with running(resolve=lambda host: names[host]) as site:
                for url in (
                    location,
                    "http://metadata.google.internal/",
                    "http://[::ffff:a9fe:a9fe]/",
                    "http://evil.example/",
                    "http://two.example/",
                    {"url": target.url(), "redirects": 5},
                ):
                    told = await _one(site, url)
                    assert "metadata" in told["error"], told
                    assert told["attempts"] == 1
                assert site.assembled.meters.failures["refused"] == 6
                followed = await _one(site, target.url())
        assert (followed["status_code"], followed["error"]) == (302, "HTTP 302")

    run(story())


def test_private_addresses_are_refused_unless_they_are_allowed() -> None:
    async def story() -> None:
        async with serving() as target, running({"ALLOW_PRIVATE_NETWORKS": "false"}) as site:
            for url in (target.url(), target.url(host="2130706433"), target.url(host="localhost")):
                told = await _one(site, url)
                assert "ALLOW_PRIVATE_NETWORKS" in told["error"], told
            assert target.asked == []

    run(story())


def test_a_name_is_asked_for_once_and_dialled_where_it_was_checked() -> None:
    """DNS rebinding: the next answer would be private, and nobody asks for it."""

    async def story() -> None:
        asked: list[str] = []

        def resolve(host: str) -> list[str]:
            asked.append(host)
            return ["127.0.0.1"] if len(asked) == 1 else ["169.254.169.254"]

        async with serving() as target, running(resolve=resolve) as site:
            url = target.url(host="rebind.example")
            told = [await _one(site, {"url": url, "headers": {"X": "y"}}) for _ in range(2)]
            assert [each["success"] for each in told] == [True, True]
            assert target.asked[0].headers["host"] == f"rebind.example:{target.port}"
            assert asked == ["rebind.example"]

    run(story())


def test_a_name_is_asked_for_again_in_time_and_refused_when_it_turned() -> None:
    async def story() -> None:
        answers = [["8.8.8.8"], ["10.0.0.1"]]
        names = Names(Policy(), kept_seconds=0.0, resolve=lambda _host: answers.pop(0))
        assert await names.addresses("x.example") == ["8.8.8.8"]
        with pytest.raises(CallFailed) as told:
            await names.addresses("x.example")
        assert told.value.failure is Failure.REFUSED
        names.close()

    run(story())


def test_names_are_forgotten_before_they_fill_the_memory() -> None:
    async def story() -> None:
        asked: list[str] = []

        def resolve(host: str) -> list[str]:
            asked.append(host)
            return ["8.8.8.8"]

        names = Names(Policy(), resolve=resolve)
        for n in range(4097):
            await names.addresses(f"8.8.{n % 250}.{n // 250}")
        await names.addresses("x.example")
        await names.addresses("x.example")
        assert asked == ["x.example"]
        names.close()

    run(story())


def test_a_name_that_turned_private_is_refused() -> None:
    async def story() -> None:
        turned = {"turned.example": ["10.0.0.1"]}
        async with running(
            {"ALLOW_PRIVATE_NETWORKS": "false"}, resolve=lambda host: turned[host]
        ) as site:
            told = await _one(site, "http://turned.example/")
        assert told["error"].startswith("turned.example is 10.0.0.1, and 10.0.0.1 is not a public")

    run(story())


def test_only_hosts_on_the_list() -> None:
    async def story() -> None:
        async with serving() as target, running({"ALLOWED_HOSTS": "127.0.0.1"}) as site:
            assert (await _one(site, target.url()))["success"]
            told = await _one(site, target.url(host="localhost"))
        assert told["error"] == "localhost is not in ALLOWED_HOSTS"

    run(story())


def test_names_and_ports_that_are_not_there() -> None:
    async def story() -> None:
        def resolve(host: str) -> list[str]:
            if host == "empty.example":
                return []
            raise OSError(-2, "Name or service not known")

        async with running(resolve=resolve) as site:
            told = [await _one(site, f"http://{name}.example/") for name in ("no", "empty")]
            nobody = await _one(site, "http://127.0.0.1:9/")
        assert told[0]["error"] == "no.example cannot be resolved: Name or service not known"
        assert told[1]["error"] == "empty.example has no address"
        assert nobody["error"].startswith("127.0.0.1, port 9: ")

    run(story())


def test_the_next_address_is_tried() -> None:
    async def story() -> None:
        async with (
            serving() as target,
            running(resolve=lambda _host: ["127.0.0.2", "127.0.0.1"]) as site,
        ):
            assert (await _one(site, target.url(host="two.example")))["success"]

    run(story())


def test_tls(tmp_path: Path) -> None:
    async def story() -> None:
        known = certified(tmp_path)
        async with serving(tls=known.context) as target:
            async with running() as site:
                told = await _one(site, target.url(host="localhost"))
                assert "the certificate of localhost does not hold" in told["error"]
            environment = {
                "CA_FILE": str(known.ca_file),
                "ENDPOINTS": orjson.dumps([target.url(host="localhost")]).decode(),
            }
            async with running(environment, resolve=lambda _host: ["127.0.0.1"]) as site:
                status, said = await site.execute()
                assert (status, said["results"][0]["response"]) == (200, {"ok": True})
                told = await _one(site, target.url(host="other.example"))
                assert "certificate of other.example does not hold" in told["error"]

        async def plain(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            writer.close()
            await writer.wait_closed()

        server = await asyncio.start_server(plain, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with running() as site:
            told = await _one(site, f"https://127.0.0.1:{port}/")
            assert "TLS with 127.0.0.1 failed" in told["error"]
        server.close()

    run(story())


def test_redirects_are_followed_if_asked_and_checked_each_time(tmp_path: Path) -> None:
    async def story() -> None:
        known = certified(tmp_path)
        async with serving() as other, serving(tls=known.context) as secure:
            answers = {
                "/301": answer(301, Location="/end"),
                "/307": answer(307, Location="/end"),
                "/303": answer(303, Location="/end"),
                "/away": answer(307, Location=other.url("/end")),
                "/loop": answer(302, Location="/loop"),
                "/bad": answer(302, Location="ftp://x.example/"),
                "/none": answer(302),
            }
            secure.answers["/down"] = answer(302, Location=other.url("/end"))
            environment = {"CA_FILE": str(known.ca_file), "KEY": "k3y-value"}
            async with serving(answers) as target, running(environment) as site:

                async def follow(url: str, **more: object) -> Any:
                    return await _one(site, {"url": url, "json": 1, "redirects": 3, **more})

                assert (await follow(target.url("/301")))["status_code"] == 200
                assert (target.asked[-1].method, target.asked[-1].body) == ("GET", b"")
                await follow(target.url("/307"))
                assert (target.asked[-1].method, target.asked[-1].body) == ("POST", b"1")
                await follow(target.url("/303"), method="HEAD")
                assert target.asked[-1].method == "HEAD"
                secrets = {"Authorization": "Bearer x", "X-Other": "y", "Host": "z"}
                assert (await follow(target.url("/away"), headers=secrets))["success"]
                kept = other.asked[-1].headers
                assert "authorization" not in kept
                assert kept["x-other"] == "y"
                assert kept["host"] == f"127.0.0.1:{other.port}"
                assert (await follow(target.url("/loop")))["error"] == "HTTP 302"
                assert "which is not a URL" in (await follow(target.url("/bad")))["error"]
                assert (await follow(target.url("/none")))["status_code"] == 302
                down = await follow(secure.url("/down"))
                assert "redirects from https to http" in down["error"]

    run(story())


def test_connections_are_kept_while_they_are_fresh() -> None:
    async def story() -> None:
        closing = raw(OK + b"Connection: close\r\n\r\n", then_close=True)
        async with serving({"/close": closing}) as target, running() as site:
            for _ in range(3):
                assert (await _one(site, target.url()))["success"]
            assert target.connections == 1
            assert (await _one(site, target.url("/close")))["success"]
            assert (await _one(site, target.url()))["success"]
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
            assert (await _one(site, get))["success"]
            assert (await _one(site, get))["success"]  # closed, and asked again
            told = await _one(site, target.url())
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
