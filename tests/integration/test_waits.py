"""Real runs that wait for what stands in their way, and go on when it is gone."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.real_server import RealServer, eventually, real_server, shell

SOON = {"retry": {"backoff": {"initial": "0.2s", "jitter": "none"}}}
CONNECT = "import socket; socket.create_connection(('127.0.0.1', {port}), 5); print('reached')"


@pytest.fixture(scope="module")
def server() -> Iterator[RealServer]:
    with real_server() as started:
        yield started


def ask(server: RealServer, job: str) -> str:
    (run,) = server.ask("POST", "/runs", {"job": job}).document["runs"]
    found: str = run["id"]
    return found


def look(server: RealServer, run: str) -> dict[str, Any]:
    found: dict[str, Any] = server.ask("GET", f"/runs/{run}").document
    return found


def comes_to(server: RealServer, run: str, state: str) -> bool:
    return eventually(lambda: look(server, run)["state"] == state)


def stuck(server: RealServer, job: str) -> list[str]:
    """The states of the alerts that somebody was told of since a run of the job waits."""
    found = server.ask("GET", f"/alerts?job={job}").document["alerts"]
    return [one["state"] for one in found if one["rule"] == "stuck"]


def told(server: RealServer, run: str) -> str:
    return " ".join(server.runyard("explain", run).out.split())


def test_a_network_that_is_away_is_waited_for(server: RealServer) -> None:
    with socket.socket() as place:
        place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        place.bind(("127.0.0.1", 0))
        port = place.getsockname()[1]
        job = shell(f'exec python3 -c "{CONNECT.format(port=port)}"') | SOON
        needs = {"needs": {"egress": [f"127.0.0.1:{port}"]}}
        server.apply({"fetch": job | needs | {"recovery": {"network": {}}}})
        run = ask(server, "fetch")
        assert comes_to(server, run, "awaiting_network"), told(server, run)
        assert eventually(lambda: (look(server, run)["awaiting"] or {}).get("looks", 0) > 0)
        assert f"127.0.0.1:{port} cannot be reached" in look(server, run)["awaiting"]["words"]
        listed = server.runyard("runs", "--state", "awaiting_network")
        assert run in listed.out
        place.listen()
        assert comes_to(server, run, "succeeded"), told(server, run)
    assert look(server, run)["awaiting"] is None
    assert "It went on at" in told(server, run)


def test_a_missing_binding_is_named_and_made_and_the_run_goes_on(server: RealServer) -> None:
    server.ask("POST", "/secrets", {"name": "db-key", "value_base64": "c2VzYW1l"})
    secret = {"secretKeyRef": {"secret": "db-key", "version": "latest"}}
    env = [{"name": "KEY", "valueSource": secret}]
    job = shell('test "$KEY" = sesame', env=env) | SOON
    server.apply({"reader": job | {"recovery": {"permission": {"wait": "1m"}}}})
    (member,) = server.ask("GET", "/secrets/db-key/readers").document["readers"]
    assert server.runyard("secrets", "revoke", "db-key", member).status == 0
    run = ask(server, "reader")
    assert comes_to(server, run, "awaiting_permission"), told(server, run)
    assert eventually(lambda: (look(server, run)["awaiting"] or {}).get("looks", 0) > 0)
    words = look(server, run)["awaiting"]["words"]
    assert f"{member} has not roles/secretmanager.secretAccessor on " in words
    assert server.runyard("secrets", "grant", "db-key", member).status == 0
    assert comes_to(server, run, "succeeded"), told(server, run)


def test_a_bug_is_waited_out_until_a_newer_revision_runs(server: RealServer) -> None:
    waits = {"recovery": {"application": {"wait": "1m"}}}
    server.apply({"buggy": shell("exit 3") | waits})
    run = ask(server, "buggy")
    assert comes_to(server, run, "awaiting_fix"), told(server, run)
    assert eventually(lambda: stuck(server, "buggy") == ["firing"])
    server.apply({"buggy": shell("echo mended") | waits})
    assert comes_to(server, run, "succeeded"), told(server, run)
    assert eventually(lambda: stuck(server, "buggy") == ["resolved"])
    found = look(server, run)
    assert (found["revision"], len(found["attempts"])) == (2, 2)
    assert "since revision 2 is in force, with revision 2" in told(server, run)


def test_a_person_may_say_that_it_is_mended(server: RealServer) -> None:
    server.apply({"held": shell("exit 3") | {"recovery": {"application": {"attempts": 2}}}})
    run = ask(server, "held")
    assert comes_to(server, run, "awaiting_fix"), told(server, run)
    assert f"{run} is " in server.runyard("resume", run, "--reason", "the data are good").out
    assert comes_to(server, run, "dead"), told(server, run)
    assert "It was resumed by admin at" in told(server, run)
    assert "attempt 2 of 2 by recovery.application.attempts" in look(server, run)["reason"]
    refused = server.runyard("resume", run)
    assert refused.status != 0
    assert "waits for nothing" in refused.err


def test_what_does_not_come_in_time_is_a_death(server: RealServer) -> None:
    refused = shell("echo 'ConnectionRefusedError: refused' >&2; exit 1") | SOON
    needs = {"needs": {"egress": ["127.0.0.1:9"]}, "recovery": {"network": {"wait": "1s"}}}
    server.apply({"vain": refused | needs})
    run = ask(server, "vain")
    assert comes_to(server, run, "dead"), told(server, run)
    assert "waited 1 s by recovery.network.wait: 127.0.0.1:9" in look(server, run)["reason"]
