"""Where an endpoint leads: addresses that are refused, names that turn, TLS, redirects.

Over real sockets.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import orjson
import pytest

from runyard_runner.outgoing.failures import CallFailed, Failure
from runyard_runner.outgoing.names import Names
from runyard_runner.rules.addresses import Policy
from tests.runner.site import answer, one, run, running, serving
from tests.support.certificates import certified


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
                    told = await one(site, url)
                    assert "metadata" in told["error"], told
                    assert told["attempts"] == 1
                assert site.assembled.meters.failures["refused"] == 6
                followed = await one(site, target.url())
        assert (followed["status_code"], followed["error"]) == (302, "HTTP 302")

    run(story())


def test_private_addresses_are_refused_unless_they_are_allowed() -> None:
    async def story() -> None:
        async with serving() as target, running({"ALLOW_PRIVATE_NETWORKS": "false"}) as site:
            for url in (target.url(), target.url(host="2130706433"), target.url(host="localhost")):
                told = await one(site, url)
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
            told = [await one(site, {"url": url, "headers": {"X": "y"}}) for _ in range(2)]
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
            told = await one(site, "http://turned.example/")
        assert told["error"].startswith("turned.example is 10.0.0.1, and 10.0.0.1 is not a public")

    run(story())


def test_only_hosts_on_the_list() -> None:
    async def story() -> None:
        async with serving() as target, running({"ALLOWED_HOSTS": "127.0.0.1"}) as site:
            assert (await one(site, target.url()))["success"]
            told = await one(site, target.url(host="localhost"))
        assert told["error"] == "localhost is not in ALLOWED_HOSTS"

    run(story())


def test_names_and_ports_that_are_not_there() -> None:
    async def story() -> None:
        def resolve(host: str) -> list[str]:
            if host == "empty.example":
                return []
            raise OSError(-2, "Name or service not known")

        async with running(resolve=resolve) as site:
            told = [await one(site, f"http://{name}.example/") for name in ("no", "empty")]
            nobody = await one(site, "http://127.0.0.1:9/")
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
            assert (await one(site, target.url(host="two.example")))["success"]

    run(story())


def test_tls(tmp_path: Path) -> None:
    async def story() -> None:
        known = certified(tmp_path)
        async with serving(tls=known.context) as target:
            async with running() as site:
                told = await one(site, target.url(host="localhost"))
                assert "the certificate of localhost does not hold" in told["error"]
            environment = {
                "CA_FILE": str(known.ca_file),
                "ENDPOINTS": orjson.dumps([target.url(host="localhost")]).decode(),
            }
            async with running(environment, resolve=lambda _host: ["127.0.0.1"]) as site:
                status, said = await site.execute()
                assert (status, said["results"][0]["response"]) == (200, {"ok": True})
                told = await one(site, target.url(host="other.example"))
                assert "certificate of other.example does not hold" in told["error"]

        async def plain(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            writer.close()
            await writer.wait_closed()

        server = await asyncio.start_server(plain, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with running() as site:
            told = await one(site, f"https://127.0.0.1:{port}/")
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
                    return await one(site, {"url": url, "json": 1, "redirects": 3, **more})

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
