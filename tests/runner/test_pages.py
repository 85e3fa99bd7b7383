"""What the service says of itself, and the example tasks. Over real sockets."""

from __future__ import annotations

from typing import Any

import orjson
import schemathesis

from tests.runner.site import answer, run, running, serving


def test_documentation_for_programs_and_for_people() -> None:
    async def story() -> None:
        endpoints = ["https://u:p@x.example/a", {"url": "https://x.example/<b>", "method": "GET"}]
        environment = {"ENDPOINTS": orjson.dumps(endpoints).decode(), "K_REVISION": "r-<1>"}
        async with running(environment) as site:
            said = orjson.loads((await site.ask("GET", "/")).body)
            assert said["configured_endpoints"] == 2
            assert said["endpoints"][0] == "https://***@x.example/a"
            assert (said["status"], said["revision"]) == ("running", "r-<1>")
            assert "POST /execute" in said["api"]
            assert "GET /task1" in said["api"]
            response = await site.ask("GET", "/", headers={"Accept": "text/html,*/*"})
            assert response.headers["content-type"].startswith("text/html")
            page = response.body.decode()
            assert "/execute" in page
            assert "u:p" not in page
            assert "&lt;b&gt;" in page
            assert "r-&lt;1&gt;" in page
        async with running({"EXAMPLE_TASKS": "false"}) as site:
            said = orjson.loads((await site.ask("GET", "/")).body)
            assert (said["endpoints"], "revision" in said) == ([], False)
            assert "GET /task1" not in said["api"]
            page = (await site.ask("GET", "/", headers={"Accept": "text/html"})).body.decode()
            assert "None." in page
            assert (await site.ask("GET", "/task1")).status == 404

    run(story())


def test_health() -> None:
    async def story() -> None:
        async with running() as site:
            said = orjson.loads((await site.ask("GET", "/health")).body)
            assert said["status"] == "ok"
            assert said["timestamp"].endswith("Z")

    run(story())


def test_example_tasks() -> None:
    async def story() -> None:
        async with running() as site:
            for number in (1, 2, 3):
                said = orjson.loads((await site.ask("GET", f"/task{number}")).body)
                assert said["message"] == f"Task {number} executed successfully"
                assert said["data"] == {}
            said = orjson.loads((await site.ask("POST", "/task2", {"a": 1})).body)
            assert said["data"] == {"a": 1}
            assert (await site.ask("POST", "/task2", b"{")).status == 400
            assert (await site.ask("GET", "/task4")).status == 404

    run(story())


def test_what_is_not_there() -> None:
    async def story() -> None:
        async with running() as site:
            response = await site.ask("GET", "/nowhere")
            said: Any = orjson.loads(response.body)
            assert (response.status, said["error"]["code"]) == (404, "NOT_FOUND")
            response = await site.ask("DELETE", "/execute")
            assert response.status == 405
            assert "POST" in response.headers["allow"]

    run(story())


def test_a_fault_of_ours_is_no_traceback() -> None:
    async def story() -> None:
        faults: list[Exception] = []

        def clock() -> int:
            if faults:
                raise faults.pop()
            return 5

        async with running(microseconds=clock) as site:
            faults.append(ZeroDivisionError("inside"))
            response = await site.ask("GET", "/health")
            assert response.status == 500
            said = orjson.loads(response.body)["error"]
            assert said == {
                "code": "INTERNAL",
                "message": "The runner itself failed; its log says how.",
            }
            told = [each for each in site.lines if each["message"] == "GET /health failed"]
            assert "ZeroDivisionError: inside" in told[0]["stack"]

    run(story())


def test_counts() -> None:
    async def story() -> None:
        async with serving({"/bad": answer(400)}) as target, running() as site:
            await site.execute({"endpoints": [target.url(), target.url("/bad")]})
            response = await site.ask("GET", "/metrics")
            assert response.headers["content-type"].startswith("text/plain")
            lines = response.body.decode().splitlines()
            for line in (
                'runner_executions_total{outcome="failed"} 1.0',
                'runner_endpoints_total{verdict="succeeded"} 1.0',
                'runner_endpoints_total{verdict="failed"} 1.0',
                "runner_retries_total 0.0",
                "runner_running 0.0",
                "runner_endpoint_seconds_count 2.0",
                'runner_execution_seconds_bucket{le="+Inf"} 1.0',
            ):
                assert line in lines

    run(story())


def test_the_api_as_a_program_reads_it() -> None:
    async def story() -> None:
        async with running() as site:
            document = orjson.loads((await site.ask("GET", "/openapi.json")).body)
        schemathesis.openapi.from_dict(document).validate()
        order = document["components"]["schemas"]["Order"]["properties"]
        assert order["endpoints"]["items"]["oneOf"][0]["type"] == "string"
        assert "stop_on_error" in order

    run(story())
