"""Requests as no client of ours sends them, to the real server: refused in the one shape of
errors, bounded in memory and connections, with others served meanwhile.

What single fields may hold is tested with the API; here it is what a server on a port meets.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from typing import Any

import pytest

from tests.support.real_server import PATIENCE_SECONDS, RealServer, eventually, job, real_server
from tests.support.real_server import received as received_from

MIB = 2**20
JSON = "Content-Type: application/json"


@pytest.fixture(scope="module")
def server() -> Iterator[RealServer]:
    with real_server() as made:
        assert made.apply({"good": job("true")}).status == 200
        yield made
        (kept,) = made.ask("GET", "/jobs?name=good").document["jobs"]
        assert kept["revision"] == 1


def _get(server: RealServer, target: str, *lines: str, **more: Any) -> Any:
    return server.raw(f"GET {target} HTTP/1.1", "Host: localhost", *lines, **more)


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("/api/v1/runs/..%2f..%2fetc%2fpasswd", 404),
        ("/api/v1/../../etc/passwd", 404),
        ("/docs/../../../etc/passwd", 404),
        ("/api/v1/runs/%00", 404),
        ("/api/v1/runs/%ff%fe", 404),
        ("/api/v1/jobs/%F0%9F%98%80", 404),
        ("/api/v1/jobs/x%0d%0aSet-Cookie:%20a=b", 404),
        ("/api/v1/runs/x%0d%0aSet-Cookie:%20a=b/log", 404),
        ("/api/v1/runs/" + "a" * 60_000, 404),
        ("/api/v1/runs/" + "a" * 300_000, 431),
        ("/api/v1/runs?page_size=" + "9" * 400, 400),
        ("/api/v1/runs?page_size=1e400", 400),
        ("/api/v1/runs?page_token=AAAA", 400),
        ("/api/v1/runs?page_token=%F0%9F%98%80%ff%00", 400),
        ("/api/v1/runs?page_size=0&page_size=-1", 400),
        ("/api/v1/runs?job=good&job=other", 400),
        ("/api/v1/runs?label=a=b&label=c=d&state=dead&state=queued", 200),
        ("/api/v1/runs?job=%ff%ed%a0%80", 400),
        ("/api/v1/runs?label=a%00=%ff", 400),
        ("/api/v1/runs?since=9999-12-31T23:59:59.999999-23:59", 400),
        ("/api/v1/jobs/ünï", 400),
    ],
)
def test_addresses_and_queries_that_lead_nowhere(
    target: str, status: int, server: RealServer
) -> None:
    answer = _get(server, target)
    assert answer.status == status, answer
    assert status == 200 or answer.error["message"].isprintable()
    assert "set-cookie" not in answer.head.lower()
    assert "root:" not in answer.body.decode()


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "body"),
        (b'{"job":', "a JSON object"),
        (b"[]", "a JSON object"),
        (b'{"job": "good", "priority": NaN}', "a JSON object"),
        (b'{"job": "good", "priority": 1e400}', "a JSON object"),
        (b'{"job": "good", "priority": ' + b"9" * 5000 + b"}", "a JSON object"),
        (b'{"job": "good", "priority": 1.5}', "a whole number"),
        (b"[" * 100_000, "depth"),
        ('{"job": "good"}'.encode("utf-16"), "UTF-8"),
        (b'{"job": "\xe9"}', "UTF-8"),
        (b'{"job": "good", "overrides": {"args": ["a\\u0000b"]}}', "overrides.args"),
        (b'{"job": "good", "overrides": {"env": {"A=B": "x"}}}', "overrides.env"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_bodies_that_are_no_request(body: bytes, told: str, server: RealServer) -> None:
    answer = server.ask("POST", "/runs", body)
    assert answer.status == 400
    assert told in json.dumps(answer.error)


def test_wrong_overrides_are_told_all_at_once(server: RealServer) -> None:
    env = {"": "x", "A=B": "y", "K_SERVICE": "z"}
    wrong = {"args": [1, "a\0b"], "env": env, "task_count": 0, "timeout": "-1s"}
    body = {"job": "good", "overrides": wrong, "priority": "high", "labels": {"BAD KEY": "v" * 100}}
    answer = server.ask("POST", "/runs", body | {"idempotency_key": "k" * 1000, "colour": 1})
    paths = {fault["path"] for fault in answer.error["details"]}
    assert {"priority", "idempotency_key", "colour", "overrides.task_count"} <= paths
    assert len(answer.error["details"]) >= 10
    assert server.ask("GET", "/runs?job=good").document["runs"] == []


def test_what_is_no_http_is_told_so(server: RealServer) -> None:
    for content in (
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 200,
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"NONSENSE / HTTP/1.1\r\n\r\n",
        b"POST /api/v1/runs HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ):
        with server.connect() as connection:
            connection.sendall(content)
            assert received_from(connection).error["code"] == 400


def test_methods_that_are_not_offered(server: RealServer) -> None:
    for method in ("PUT", "DELETE", "TRACE", "OPTIONS"):
        answer = server.raw(
            f"{method} /api/v1/runs HTTP/1.1", "Host: localhost", "Origin: http://x"
        )
        assert answer.error["code"] == 405
        assert "access-control" not in answer.head.lower()
    answer = server.raw("HEAD /api/v1/runs HTTP/1.1", "Host: localhost")
    assert (answer.status, answer.body) == (405, b"")


def test_a_request_for_another_host_gets_nothing(server: RealServer) -> None:
    for host in (["Host: evil.example"], [], ["Host: [::1"], ["Host: localhost", "Host: evil"]):
        assert server.raw("GET /health HTTP/1.1", *host).error["code"] == 403
    assert _get(server, "http://evil.example/health").status == 200  # for us, by its Host


def test_a_token_is_taken_from_the_header_only(server: RealServer) -> None:
    for name in ("token", "access_token", "authorization"):
        target = f"/api/v1/runs?{name}={server.token}"
        assert _get(server, target, bearer=False).error["code"] == 401
    for line in (f"Authorization: Basic {server.token}", f"Cookie: token={server.token}"):
        assert _get(server, "/api/v1/runs", line, bearer=False).error["code"] == 401
    near = server.token[:-1] + ("a" if server.token[-1] != "a" else "b")
    wrong = _get(server, "/api/v1/runs", f"Authorization: Bearer {near}", bearer=False)
    assert wrong.error["code"] == 401
    assert near not in wrong.body.decode()
    assert server.token not in server.log


def test_a_hundred_megabytes_are_refused_and_not_kept(server: RealServer) -> None:
    before = server.memory_bytes()
    block = b"x" * MIB
    chunk = b"%x\r\n%b\r\n" % (len(block), block)
    length = f"Content-Length: {100 * MIB}"
    for header, part, last in (
        (length, block, b""),
        ("Transfer-Encoding: chunked", chunk, b"0\r\n\r\n"),
    ):
        answer = server.raw(
            "POST /api/v1/jobs:apply HTTP/1.1",
            "Host: localhost",
            JSON,
            header,
            body=part * 100 + last,
        )
        assert answer.error["code"] == 413
        assert "request_bytes_max" in answer.error["hint"]
    assert server.memory_bytes() - before < 32 * MIB


def test_a_head_without_end_is_refused_and_not_kept(server: RealServer) -> None:
    before = server.memory_bytes()
    for line in ("X: " + "a" * 4 * MIB, "\r\n".join(["X: a"] * 100_000)):
        with server.connect() as connection:
            with suppress(ConnectionError):  # refused before all was sent
                connection.sendall(f"GET /health HTTP/1.1\r\nHost: localhost\r\n{line}".encode())
            assert received_from(connection).status in (0, 431)
    assert server.memory_bytes() - before < 16 * MIB


def test_clients_that_send_half_a_request_hold_up_nobody(server: RealServer) -> None:
    halves = [
        b"",
        b"G",
        b"GET /health HTTP/1.1\r\nHo",
        b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nx",
    ]
    with ExitStack() as stack:
        for number in range(400):
            connection = stack.enter_context(server.connect())
            connection.sendall(halves[number % len(halves)])
        assert server.ask("GET", "/runs").status == 200
        assert server.ask("POST", "/jobs:validate", b"{}").status == 400
    assert server.ask("GET", "/runs").status == 200


def test_five_hundred_follow_one_run(server: RealServer) -> None:
    slow = job("/bin/sh", "-c", "read word < /dev/fifo-that-is-not-there; exec sleep 600")
    assert server.apply({"good": job("true"), "slow": slow}).status == 200
    run = server.ask("POST", "/runs", {"job": "slow"}).document["runs"][0]["id"]
    before = server.memory_bytes()
    with ExitStack() as stack:
        followers = [stack.enter_context(server.connect()) for _ in range(500)]
        for follower in followers:
            head = [f"GET /api/v1/runs/{run}/events HTTP/1.1", "Host: localhost", "", ""]
            head.insert(2, f"Authorization: Bearer {server.token}")
            follower.sendall("\r\n".join(head).encode())
        for follower in followers:
            assert follower.recv(12) == b"HTTP/1.1 200"
        assert server.ask("GET", "/status").status == 200
        assert server.memory_bytes() - before < 64 * MIB
        assert server.ask("POST", f"/runs/{run}:cancel", {}).status == 200
        for follower in followers:
            assert _told_the_end(follower)
    assert eventually(lambda: server.ask("GET", f"/runs/{run}").document["state"] == "cancelled")


def _told_the_end(follower: socket.socket) -> bool:
    follower.settimeout(PATIENCE_SECONDS)
    content = b""
    while b"event: end" not in content and (part := follower.recv(65536)):
        content = content[-100:] + part
    return b"event: end" in content
