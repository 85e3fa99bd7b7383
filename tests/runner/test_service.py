"""What an execution is besides its calls: streamed, cancelled, cut off, done once, written down."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import orjson
import pytest

from runyard_runner.execution.repeats import Answer, Repeats
from runyard_runner.faults import KeyReused
from tests.runner.site import (
    Asked,
    Gate,
    Site,
    Target,
    answer,
    raw,
    run,
    running,
    serving,
    until,
    written,
)

SCHEDULER = {
    "X-CloudScheduler": "true",
    "X-CloudScheduler-JobName": "projects/p/locations/l/jobs/nightly",
    "X-CloudScheduler-ScheduleTime": "2026-11-26T00:00:00Z",
    "Content-Type": "application/octet-stream",
}
KEY = "projects/p/locations/l/jobs/nightly@2026-11-26T00:00:00Z"


async def _stream(site: Site, target: Target, headers: Mapping[str, str], **more: Any) -> bytes:
    order = {"endpoints": [target.url("/a"), target.url("/bad")], **more}
    response = await site.ask("POST", "/execute", order, headers)
    assert response.status == 200
    assert response.headers["cache-control"] == "no-store"
    return response.body


def test_results_as_they_come() -> None:
    async def story() -> None:
        async with serving({"/bad": answer(400)}) as target, running() as site:
            lines = (await _stream(site, target, {}, stream=True)).splitlines()
            *results, last = [orjson.loads(line) for line in lines]
            assert sorted(each["result"]["index"] for each in results) == [0, 1]
            assert (last["summary"]["failed"], last["summary"]["http_status"]) == (1, 500)
            accept = {"Accept": "application/x-ndjson"}
            assert len((await _stream(site, target, accept)).splitlines()) == 3
            events = await _stream(site, target, {"Accept": "text/event-stream"})
            kinds = [line for line in events.splitlines() if line.startswith(b"event: ")]
            assert kinds == [b"event: result", b"event: result", b"event: summary"]
            data = events.split(b"event: summary\ndata: ")[1].strip()
            assert orjson.loads(data)["total_endpoints"] == 2

    run(story())


def test_the_first_result_is_there_before_the_last() -> None:
    async def story() -> None:
        gate = Gate()
        async with serving({"/slow": gate}) as target, running() as site:
            body = orjson.dumps({"endpoints": [target.url("/slow"), target.url()], "stream": True})
            reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
            writer.write(written("POST", "/execute", body))
            first = await reader.readuntil(b"\n{")
            while b"result" not in first:
                first = await reader.readuntil(b"}\n")
            assert b'"index":1' in first or b'"index":1' in await reader.readuntil(b"}\n")
            gate.open.set()
            await reader.readuntil(b"summary")
            writer.close()

    run(story())


@pytest.mark.parametrize("stream", [False, True])
def test_a_client_that_goes_away_cancels_what_is_running(stream: bool) -> None:
    async def story() -> None:
        gate = Gate()
        async with serving({"/": gate}) as target, running() as site:
            body = orjson.dumps({"endpoints": [target.url()], "stream": stream})
            _, writer = await asyncio.open_connection("127.0.0.1", site.port)
            writer.write(written("POST", "/execute", body))
            await gate.asked.wait()
            writer.transport.abort()
            meters = site.assembled.meters
            await until(lambda: meters.running == 0)
            assert meters.executions["cancelled"] == 1
            assert site.audits[-1]["outcome"] == "cancelled"

    run(story())


def test_an_execution_that_takes_too_long_is_cut_off_and_answered() -> None:
    async def story() -> None:
        gate = Gate()
        async with (
            serving({"/slow": gate}) as target,
            running({"TOTAL_DEADLINE_SECONDS": "0.2"}) as site,
        ):
            order = {"endpoints": [target.url(), target.url("/slow"), target.url("/slow")]}
            status, said = await site.execute(order)
            assert status == 500
            assert [each["success"] for each in said["results"]] == [True, False, False]
            assert "TOTAL_DEADLINE_SECONDS" in said["cut_short"]
            assert said["results"][1]["error"] == said["cut_short"]
            status, said = await site.execute(order | {"parallel": False})
            assert [each["attempts"] for each in said["results"]] == [1, 0, 0]

    run(story())


def test_stopping_lets_what_runs_end_or_cuts_it_off() -> None:
    async def story() -> None:
        for grace, successful in (("30", 1), ("0", 0)):
            gate = Gate()
            async with serving({"/": gate}) as target, running({"GRACE_SECONDS": grace}) as site:
                going = asyncio.ensure_future(site.execute({"endpoints": [target.url()]}))
                await gate.asked.wait()
                site.assembled.running.stop()
                site.assembled.running.stop()
                status, said = await site.execute({"endpoints": [target.url()]})
                assert (status, said["error"]["code"]) == (503, "UNAVAILABLE")
                if successful:
                    gate.open.set()
                status, said = await going
                site.assembled.running.cut()
                assert said["successful"] == successful
                assert ("stopping" in said.get("cut_short", "")) is not bool(successful)

    run(story())


def test_scheduler_delivers_twice_and_it_is_done_once() -> None:
    async def story() -> None:
        async with serving() as target:
            text = orjson.dumps([target.url()]).decode()
            async with running({"ENDPOINTS": text}) as site:
                first = await site.ask("POST", "/execute", b"", SCHEDULER)
                again = await site.ask("POST", "/execute", b"", SCHEDULER)
                assert (first.status, again.status, again.body) == (200, 200, first.body)
                assert orjson.loads(first.body)["idempotency_key"] == KEY
                assert again.headers["idempotency-replayed"] == "true"
                assert "idempotency-replayed" not in first.headers
                assert len(target.asked) == 1
                done, replayed = site.audits
                assert (done["outcome"], done["key"]) == ("succeeded", KEY)
                assert done["scheduler_job"].endswith("/nightly")
                assert (replayed["outcome"], replayed["key"]) == ("replayed", KEY)
                other = await site.ask("POST", "/execute", b'{"payload":1}', SCHEDULER)
                assert other.status == 422
                streamed = await site.ask("POST", "/execute", b'{"stream":true}', SCHEDULER)
                assert orjson.loads(streamed.body)["summary"]["replayed"] is True

    run(story())


def test_what_failed_is_done_again() -> None:
    async def story() -> None:
        statuses = [500, 200]

        async def second_time(asked: Asked, writer: asyncio.StreamWriter) -> None:
            await answer(statuses.pop(0))(asked, writer)

        async with serving({"/": second_time}) as target, running() as site:
            order = {"endpoints": [target.url()], "idempotency_key": "k"}
            assert [(await site.execute(order))[0] for _ in range(3)] == [500, 200, 200]
            assert len(target.asked) == 2

    run(story())


def test_a_call_that_comes_while_it_is_going_on_joins() -> None:
    async def story() -> None:
        gate = Gate()
        async with serving({"/": gate}) as target, running() as site:
            order = {"endpoints": [target.url()], "idempotency_key": "k"}
            body = orjson.dumps(order)
            _, writer = await asyncio.open_connection("127.0.0.1", site.port)
            writer.write(written("POST", "/execute", body))
            await gate.asked.wait()
            second = asyncio.ensure_future(site.ask("POST", "/execute", body))
            third = await site.ask("POST", "/execute", orjson.dumps(order | {"payload": 1}))
            assert third.status == 422
            writer.transport.abort()  # the first goes away, and the second still waits
            await until(lambda: site.assembled.meters.executions["cancelled"] == 1)
            gate.open.set()
            response = await second
            assert (response.status, response.headers["idempotency-replayed"]) == (200, "true")
            assert len(target.asked) == 1

    run(story())


def test_the_memory_of_answers_is_bounded() -> None:
    async def story() -> None:
        repeats, done = Repeats(100.0, lambda: now), 0
        now = 0.0

        async def work() -> Answer:
            nonlocal done
            done += 1
            return Answer(200, b"x" * (3 << 20))

        for key in ("a", "b", "c", "a"):  # three do not fit: the oldest is forgotten
            await repeats.once(key, b"", work)
        assert done == 4
        assert (await repeats.once("a", b"", work)).replayed
        now = 101.0
        assert not (await repeats.once("a", b"", work)).replayed
        with pytest.raises(KeyReused):
            await repeats.once("a", b"other", work)

        async def broken() -> Answer:
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await repeats.once("z", b"", broken)

    run(story())


def test_an_error_in_a_stream_is_its_last_event() -> None:
    async def story() -> None:
        async with serving() as target, running({"GRACE_SECONDS": "5"}) as site:
            site.assembled.running.stop()
            order = {"endpoints": [target.url()], "stream": True}
            response = await site.ask("POST", "/execute", order)
            said = orjson.loads(response.body)["summary"]
            assert (said["success"], said["http_status"]) == (False, 503)

    run(story())


def test_a_request_that_ends_before_its_body() -> None:
    async def story() -> None:
        async with running() as site:
            _, writer = await asyncio.open_connection("127.0.0.1", site.port)
            writer.write(b"POST /execute HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\n{")
            await writer.drain()
            writer.transport.abort()
            await until(lambda: bool(site.assembled.meters.refusals))
            assert site.audits[-1]["said"] == "The request ended before its body did."

    run(story())


def test_secrets_are_seen_by_nobody() -> None:
    async def story() -> None:
        echo = raw(b"HTTP/1.1 200 OK\r\nContent-Length: 23\r\n\r\nyou said hunter2-secret")
        async with serving({"/echo": echo, "/bad": answer(500, "hunter2-secret")}) as target:
            endpoints = [
                {"url": "${BASE}/echo", "headers": {"Authorization": "Bearer ${PASSWORD}"}},
                {"url": "${BASE}/bad?token=${PASSWORD}", "json": {"$${x}": "${PASSWORD}"}},
                {"url": "${BASE}/x", "auth": {"api_key": {"env": "OTHER_KEY"}}},
            ]
            environment = {
                "ENDPOINTS": orjson.dumps(endpoints).decode(),
                "BASE": target.url("").rstrip("/"),
                "PASSWORD": "hunter2-secret",
                "OTHER_KEY": "other-k3y",
                "REQUEST_VARIABLES": "PUBLIC, UNSET",
                "PUBLIC": "public-value",
            }
            async with running(environment) as site:
                status, said = await site.execute()
                assert status == 500
                assert said["results"][0]["response"] == "you said ***"
                assert said["results"][1]["endpoint"] == target.url("/bad?token=***")
                asked = {each.path.partition("?")[0]: each for each in target.asked}
                assert asked["/echo"].headers["authorization"] == "Bearer hunter2-secret"
                assert asked["/bad"].json == {"${x}": "hunter2-secret"}
                assert asked["/x"].headers["x-api-key"] == "other-k3y"
                index = (await site.ask("GET", "/")).body
                page = (await site.ask("GET", "/", headers={"Accept": "text/html"})).body
                for seen in (str(said), str(site.lines), index.decode(), page.decode()):
                    assert "hunter2" not in seen
                    assert "other-k3y" not in seen
                assert b"${PASSWORD}" in index

                # a request may name only what is listed
                stolen = {"url": target.url("/x"), "json": ["${PASSWORD}", "${PUBLIC}"]}
                status, said = await site.execute({"endpoints": [stolen, "${BASE}/x"]})
                assert status == 400
                assert [each["field"] for each in said["error"]["faults"]][:2] == [
                    "endpoints[0].json",
                    "endpoints[1]",
                ]
                assert "REQUEST_VARIABLES" in said["error"]["faults"][0]["expected"]
                stolen["json"] = ["${PUBLIC}"]
                assert (await site.execute({"endpoints": [stolen]}))[0] == 200
                assert target.asked[-1].json == ["public-value"]
                status, said = await site.execute({"endpoints": ["http://${UNSET}/", 5]})
                assert "set UNSET" in said["error"]["faults"][0]["expected"]

    run(story())


def test_traces_are_passed_on_and_logged() -> None:
    async def story() -> None:
        trace = "0af7651916cd43dd8448eb211c80319c"
        async with serving() as target, running({"GOOGLE_CLOUD_PROJECT": "p"}) as site:
            own = {"url": target.url("/own"), "headers": {"Traceparent": "mine"}}
            order = {"endpoints": [target.url("/a"), own]}
            _, said = await site.execute(order, X_Cloud_Trace_Context=f"{trace}/1;o=1")
            assert said["trace_id"] == trace
            asked = {each.path: each.headers["traceparent"] for each in target.asked}
            assert asked["/a"].startswith(f"00-{trace}-")
            assert asked["/own"] == "mine"
            (line,) = [each for each in site.lines if "audit" in each]
            assert line["logging.googleapis.com/trace"] == f"projects/p/traces/{trace}"

    run(story())


def test_an_id_token_goes_only_where_it_may() -> None:
    async def story() -> None:
        claims = "eyJleHAiOjIwMDB9"  # {"exp":2000}
        metadata = answer(200, f"h.{claims}.s\n")
        path = "/computeMetadata/v1/instance/service-accounts/default/identity"
        async with serving({path: metadata}) as google, serving() as target:
            environment = {
                "GCE_METADATA_HOST": f"127.0.0.1:{google.port}",
                "OIDC_TOKEN_HOSTS": "127.0.0.1,*.example",
            }
            now = [1000.0]
            async with running(
                environment, seconds=lambda: now[0], resolve=lambda _host: ["127.0.0.1"]
            ) as site:

                async def told(url: str, auth: object = "oidc") -> Any:
                    _, said = await site.execute({"endpoints": [{"url": url, "auth": auth}]})
                    return said["results"][0]

                assert (await told(target.url()))["success"]
                assert target.asked[0].headers["authorization"] == f"Bearer h.{claims}.s"
                assert google.asked[0].headers["metadata-flavor"] == "Google"
                assert google.asked[0].path.endswith(
                    f"audience=http%3A%2F%2F127.0.0.1%3A{target.port}"
                )
                await told(target.url())
                assert len(google.asked) == 1
                now[0] = 1800.0  # within five minutes of its end
                await told(target.url(), {"oidc": {"audience": "mine"}})
                await told(target.url())
                assert len(google.asked) == 3
                assert "audience=mine" in google.asked[1].path
                refused = await told(target.url(host="localhost"))
                assert "OIDC_TOKEN_HOSTS" in refused["error"]
                plain = await told(target.url(host="a.example"))
                assert "no ID token over http" in plain["error"]
                now[0] = 9000.0
                google.answers[path] = answer(404)
                assert "metadata server answered 404" in (await told(target.url()))["error"]
                google.answers[path] = raw(b"", then_close=True)
                assert "no ID token" in (await told(target.url()))["error"]
                google.answers[path] = answer(200, "opaque")
                assert (await told(target.url()))["success"]

    run(story())
