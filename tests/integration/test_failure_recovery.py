"""Real processes that come back from a failure as their job declares, or reach the limit of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.real_server import RealServer, real_server, shell

AT_ONCE = {"backoff": {"initial": "0.1s", "max": "0.1s"}}
#: Cloud Run's least memory of a container is not enough for it, nor is twice as much.
HUNGRY = """exec python3 -c 'held = bytes(b"x") * (300 * 2**20); print("had room")'"""
SMALL = {"resources": {"limits": {"cpu": "1", "memory": "128Mi"}}}


@pytest.fixture(scope="module")
def server() -> Iterator[RealServer]:
    with real_server() as started:
        started.apply(
            {
                "slow": shell("sleep 2.5", timeout="1s")
                | {"retry": AT_ONCE, "recovery": {"timeout": {"factor": 4, "max": "20s"}}},
                "short": shell("sleep 2.5", timeout="1s")
                | {"retry": AT_ONCE, "recovery": {"timeout": {"factor": 4, "max": "20s"}}},
                "stuck": shell("sleep 60", timeout="1s")
                | {"retry": AT_ONCE, "recovery": {"timeout": {"attempts": 5, "max": "2s"}}},
                "hungry": shell(HUNGRY, **SMALL)
                | {"retry": AT_ONCE, "recovery": {"memory": {"max": "1Gi"}}},
                "greedy": shell(HUNGRY, **SMALL)
                | {"retry": AT_ONCE, "recovery": {"memory": {"attempts": 5, "max": "256Mi"}}},
            }
        )
        yield started


def told(server: RealServer) -> str:
    return " ".join(server.runyard("explain", "@last").out.split())


def test_a_task_that_was_too_slow_may_last_longer_in_the_next_attempt(server: RealServer) -> None:
    assert server.run("slow").status == 0
    run = server.last_run("slow")
    assert run["state"] == "succeeded"
    assert len(run["attempts"]) == 2
    assert run["attempts"][0]["outcome"]["failure"]["failure_class"] == "timeout"
    assert run["scaled"] == {"timeout_seconds": 4.0, "memory_bytes": None}
    assert run["offers"] == [{"path": "template.template.timeout", "value": "4s"}]
    said = told(server)
    assert "its tasks may last 4 s instead of 1 s (recovery.timeout)" in said
    assert "set template.template.timeout to 4s" in said


def test_what_a_run_came_back_with_becomes_its_jobs_own(server: RealServer) -> None:
    assert server.run("short").status == 0
    run = server.last_run("short")
    accepted = server.runyard("jobs", "accept", run["id"])
    assert accepted.status == 0, accepted.err
    assert accepted.out.splitlines() == [
        "set template.template.timeout to 4s",
        "short updated, revision 2",
    ]
    again = server.runyard("jobs", "accept", run["id"])
    assert "nothing to do: everything is so already" in again.out
    assert server.run("short").status == 0
    second = server.last_run("short")
    assert (second["revision"], len(second["attempts"])) == (2, 1)
    refused = server.ask("POST", f"/runs/{second['id']}:accept", {})
    assert (refused.status, refused.error["message"]) == (
        412,
        f"{second['id']} has nothing to offer",
    )


def test_no_attempt_is_spent_on_a_timeout_that_cannot_grow(server: RealServer) -> None:
    assert server.run("stuck").status == 1
    run = server.last_run("stuck")
    assert len(run["attempts"]) == 2
    assert run["offers"] == []
    assert "its tasks may last 2 s already, recovery.timeout.max" in told(server)


def test_a_task_that_was_killed_for_memory_gets_more_in_the_next_attempt(
    server: RealServer,
) -> None:
    assert server.run("hungry").status == 0, told(server)
    run = server.last_run("hungry")
    assert len(run["attempts"]) == 3
    assert {each["outcome"]["failure"]["shortage"] for each in run["attempts"][:2]} == {"memory"}
    assert run["scaled"] == {"timeout_seconds": None, "memory_bytes": 512 * 2**20}
    assert run["offers"][0]["value"] == "512Mi"
    assert "its tasks get 512Mi of memory instead of 256Mi (recovery.memory)" in told(server)
    server.run("hungry")
    assert len(server.last_run("hungry")["attempts"]) == 3, "the job itself was not changed"


def test_memory_grows_no_further_than_declared(server: RealServer) -> None:
    assert server.run("greedy").status == 1
    assert len(server.last_run("greedy")["attempts"]) == 2
    assert "its tasks have 256Mi of memory already, recovery.memory.max" in told(server)
