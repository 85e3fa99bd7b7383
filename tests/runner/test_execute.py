"""`/execute` over real sockets: what the reference's clients send, and what they get."""

from __future__ import annotations

import asyncio

import orjson

from tests.runner.site import Asked, answer, run, running, serving

RESULT_FIELDS = {
    "endpoint",
    "method",
    "status_code",
    "success",
    "response",
    "attempts",
    "duration_ms",
    "timestamp",
}


def test_all_well() -> None:
    async def story() -> None:
        async with serving({"/b": answer(200, "plain")}) as target:
            endpoints = [
                target.url("/a"),
                {"url": target.url("/b"), "method": "get", "params": {"q": "1"}},
                {"url": target.url("/c"), "method": "PUT", "json": {"x": 1}, "name": "third"},
            ]
            async with running({"ENDPOINTS": orjson.dumps(endpoints).decode()}) as site:
                status, said = await site.execute()
            assert status == 200
            assert (said["success"], said["total_endpoints"], said["successful"]) == (True, 3, 3)
            assert (said["failed"], said["warnings"], said["execution_mode"]) == (0, 0, "parallel")
            assert (said["errors"], said["details"]) == ([], {"warnings": [], "errors": []})
            assert said["email_notification"]["email_sent"] is False
            assert said["timestamp"].endswith("Z")
            first, second, third = said["results"]
            assert set(first) == RESULT_FIELDS
            assert (first["response"], second["response"]) == ({"ok": True}, "plain")
            assert (third["name"], third["method"]) == ("third", "PUT")
            asked = {each.path: each for each in target.asked}
            assert set(asked) == {"/a", "/b?q=1", "/c"}
            assert asked["/a"].method == "POST"
            assert asked["/c"].json == {"x": 1}
            assert asked["/c"].headers["content-type"] == "application/json"
            assert asked["/a"].headers["traceparent"].split("-")[1] == said["trace_id"]
            assert asked["/a"].headers["user-agent"].startswith("runyard-runner/")

    run(story())


def test_results_stand_in_the_order_of_the_endpoints() -> None:
    async def story() -> None:
        gates = {f"/{n}": asyncio.Event() for n in range(4)}

        async def wait(asked: Asked, writer: asyncio.StreamWriter) -> None:
            # the last is answered first: each waits for the one behind it
            behind = gates.get(f"/{int(asked.path[1:]) + 1}")
            if behind is not None:
                await behind.wait()
            await answer(200, asked.path)(asked, writer)
            gates[asked.path].set()

        async with serving(dict.fromkeys(gates, wait)) as target, running() as site:
            _, said = await site.execute({"endpoints": [target.url(path) for path in gates]})
        assert [each["response"] for each in said["results"]] == list(gates)

    run(story())


def test_one_that_fails_does_not_fail_the_others() -> None:
    async def story() -> None:
        answers = {
            "/500": answer(500, '{"why":"x"}'),
            "/207": answer(207, "[1]"),
            "/404": answer(404),
        }
        async with serving(answers) as target, running() as site:
            endpoints = [target.url(path) for path in ("/500", "/207", "/404", "/ok")]
            status, said = await site.execute({"endpoints": endpoints})
            assert status == 500
            assert (said["success"], said["successful"]) == (False, 1)
            assert (said["failed"], said["warnings"]) == (2, 1)
            assert [each["error"] for each in said["errors"]] == ["HTTP 500", "HTTP 404"]
            assert [each["endpoint"] for each in said["errors"]] == [endpoints[0], endpoints[2]]
            assert said["details"]["warnings"] == [said["results"][1]]
            assert said["details"]["errors"] == [said["results"][0], said["results"][2]]
            assert said["results"][0]["response"] == {"why": "x"}
            assert said["results"][2]["response"] == ""
            status, said = await site.execute({"endpoints": endpoints[1:2]})
            assert (status, said["success"], said["execution_mode"]) == (207, True, "sequential")

    run(story())


def test_the_status_of_a_failure_is_a_setting() -> None:
    async def story() -> None:
        async with (
            serving({"/": answer(400)}) as target,
            running({"FAILURE_STATUS": "207"}) as site,
        ):
            assert (await site.execute({"endpoints": [target.url()]}))[0] == 207

    run(story())


def test_a_payload_is_sent_where_there_is_no_body() -> None:
    async def story() -> None:
        async with serving() as target, running() as site:
            own = {"url": target.url("/own"), "body": "raw"}
            order = {"endpoints": [target.url("/none"), own], "default_payload": {"a": 1}}
            await site.execute(order)
            asked = {each.path: each for each in target.asked}
            assert asked["/none"].json == {"a": 1}
            assert asked["/own"].body == b"raw"
            assert "content-type" not in asked["/own"].headers

    run(story())


def test_no_more_than_max_workers_at_once() -> None:
    async def story() -> None:
        at_once, most, go = 0, 0, asyncio.Event()

        async def count(asked: Asked, writer: asyncio.StreamWriter) -> None:
            nonlocal at_once, most
            at_once += 1
            most = max(most, at_once)
            if most == 3:
                go.set()
            await go.wait()
            at_once -= 1
            await answer(200)(asked, writer)

        async with serving({"/": count}) as target, running() as site:
            order = {"endpoints": [target.url()] * 12, "max_workers": 3}
            status, said = await site.execute(order)
        assert (status, said["successful"], most) == (200, 12, 3)

    run(story())


def test_a_host_that_is_full_does_not_keep_workers_from_others() -> None:
    async def story() -> None:
        gate = asyncio.Event()

        async def slow(asked: Asked, writer: asyncio.StreamWriter) -> None:
            await gate.wait()
            await answer(200)(asked, writer)

        async def fast(asked: Asked, writer: asyncio.StreamWriter) -> None:
            gate.set()
            await answer(200)(asked, writer)

        async with serving({"/slow": slow, "/fast": fast}) as target:
            environment = {"HOST_CONNECTIONS_MAX": "1"}
            async with running(environment, resolve=lambda _host: ["127.0.0.1"]) as site:
                endpoints = [target.url("/slow", "slow.example")] * 3
                endpoints.append(target.url("/fast", "fast.example"))
                status, said = await site.execute({"endpoints": endpoints, "max_workers": 2})
        # the fast one opens the gate: it was called although two slow ones were waiting
        assert (status, said["successful"]) == (200, 4)

    run(story())


def test_get_calls_what_is_configured_one_after_the_other() -> None:
    async def story() -> None:
        async with serving() as target:
            text = orjson.dumps([target.url("/1"), target.url("/2")]).decode()
            async with running({"ENDPOINTS": text}) as site:
                said = orjson.loads((await site.ask("GET", "/execute")).body)
                assert (said["execution_mode"], said["successful"]) == ("sequential", 2)
                path = "/execute?parallel=true&idempotency_key=abc"
                said = orjson.loads((await site.ask("GET", path)).body)
                assert (said["execution_mode"], said["idempotency_key"]) == ("parallel", "abc")
                assert (await site.ask("GET", "/execute?nonsense=1")).status == 400

    run(story())


def test_nothing_to_call() -> None:
    async def story() -> None:
        async with running() as site:
            status, said = await site.execute()
            assert status == 400
            assert "Set ENDPOINTS" in said["error"]["hint"]
        async with serving() as target, running({"ENDPOINTS": f'["{target.url()}"]'}) as site:
            status, said = await site.execute({"endpoints": []})
            assert (status, said["total_endpoints"], said["success"]) == (200, 0, True)

    run(story())


def test_a_sequence_uses_earlier_results() -> None:
    async def story() -> None:
        async with (
            serving({"/login": answer(200, '{"id": 7, "deep": [{"x": "y/z"}]}')}) as target,
            running() as site,
        ):
            order = {
                "parallel": False,
                "payload": {"who": "me"},
                "endpoints": [
                    {"url": target.url("/login"), "name": "login"},
                    {
                        "url": target.url("/u/{{ results[0].response.deep[0].x }}"),
                        "json": {
                            "id": "{{ results.login.response.id }}",
                            "by": "{{ payload.who }}",
                        },
                        "headers": {"X-Status": "{{ results.login.status_code }}"},
                        "when": "results.login.success",
                    },
                    {"url": target.url("/never"), "when": "not results.login.success"},
                    {"url": target.url("/{{ results.nobody.x }}"), "method": "get"},
                    {"url": "{{ results.login.response.id }}"},
                ],
            }
            status, said = await site.execute(order)
            assert status == 500
            assert [each.path for each in target.asked] == ["/login", "/u/y%2Fz"]
            assert target.asked[1].json == {"id": 7, "by": "me"}
            assert target.asked[1].headers["x-status"] == "200"
            _, second, skipped, nowhere, no_url = said["results"]
            assert second["endpoint"].endswith("/u/y%2Fz")
            assert (skipped["skipped"], skipped["success"], said["skipped"]) == (True, False, 1)
            assert "does not hold" in skipped["error"]
            assert "results has nothing at 'nobody'" in nowhere["error"]
            assert (nowhere["method"], nowhere["attempts"]) == ("GET", 0)
            assert "endpoints[4].url: 7 is not a string" in no_url["error"]

    run(story())


def test_a_sequence_stops_on_an_error_if_asked_to() -> None:
    async def story() -> None:
        async with serving({"/bad": answer(400)}) as target, running() as site:
            endpoints = [target.url(path) for path in ("/a", "/bad", "/b", "/c")]
            order = {"endpoints": endpoints, "parallel": False, "stop_on_error": True}
            _, said = await site.execute(order)
            assert [each.path for each in target.asked] == ["/a", "/bad"]
            assert (said["failed"], said["skipped"], said["successful"]) == (1, 2, 1)
            assert "endpoint 1 failed" in said["results"][2]["error"]

    run(story())


def test_what_may_pass_is_tried_again() -> None:
    async def story() -> None:
        statuses = [503, 429, 200]

        async def flaky(asked: Asked, writer: asyncio.StreamWriter) -> None:
            headers = {"Retry_After": "0"}
            await answer(statuses.pop(0), "x", **headers)(asked, writer)

        async with serving({"/flaky": flaky, "/bad": answer(400)}) as target, running() as site:
            flaky_one = {"url": target.url("/flaky"), "retries": 2}
            bad = {"url": target.url("/bad"), "retries": 5}
            nobody = {"url": "http://127.0.0.1:9/", "retries": 1, "backoff": 0.001}
            _, said = await site.execute({"endpoints": [flaky_one, bad, nobody]})
        assert [each["attempts"] for each in said["results"]] == [3, 1, 2]
        assert [each["success"] for each in said["results"]] == [True, False, False]
        assert site.assembled.meters.retries == 3

    run(story())
