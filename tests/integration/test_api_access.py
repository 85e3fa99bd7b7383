"""Who gets in, and what everybody is told in the same shape when something is wrong."""

from __future__ import annotations

import json
import logging
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from runyard.api.edge.host import known_hosts
from runyard.api.shapes import ErrorShape
from tests.support.api_server import TOKEN, Answer, Api, serving

BYTES_MAX = 100_000


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """A server that several tests ask."""
    folder = tmp_path_factory.mktemp("api")
    with serving(folder, hosts=known_hosts("127.0.0.1", "https://jobs.example.com/x")) as started:
        yield started


def refused(answer: Answer, status: int, name: str) -> dict[str, Any]:
    """The error of an answer that has the one shape."""
    assert answer.status == status, answer.content
    error = ErrorShape.model_validate_json(answer.content, strict=True).error
    assert (error.code, error.status) == (status, name)
    assert answer.headers["content-type"] == "application/json"
    return answer.error


@pytest.mark.parametrize(
    "authorization", ["", "Bearer", "Bearer wrong", "Basic YWJj", f"Bearer {TOKEN}x", TOKEN]
)
@pytest.mark.parametrize("path", ["/runs", "/nowhere", "//metrics", "//api"])
def test_nothing_is_answered_without_a_token(api: Api, authorization: str, path: str) -> None:
    answer = api.ask("GET", path, headers={"Authorization": authorization})
    error = refused(answer, 401, "UNAUTHENTICATED")
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert TOKEN not in json.dumps(error)


@pytest.mark.parametrize("path", ["//health", "//ready", "//openapi.json", "//docs"])
def test_some_things_need_no_token(api: Api, path: str) -> None:
    assert api.ask("GET", path, headers={"Authorization": ""}).status == 200


def test_the_scheme_is_read_in_any_case(api: Api) -> None:
    assert api.ask("GET", "/runs", headers={"Authorization": f"bearer {TOKEN}"}).status == 200


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:99", "127.0.0.1", "[::1]:80", "jobs.example.com", "LOCALHOST"]
)
def test_names_of_this_server_are_answered(api: Api, host: str) -> None:
    assert api.ask("GET", "//health", headers={"Host": host}).status == 200


@pytest.mark.parametrize("host", ["evil.example.com", "127.0.0.1.evil.com", "[::1", "localhost@e"])
def test_other_names_are_refused(api: Api, host: str) -> None:
    answer = api.ask("GET", "/runs", headers={"Host": host})
    assert "Host header" in refused(answer, 403, "PERMISSION_DENIED")["message"]


def test_a_request_without_a_name_is_refused(api: Api) -> None:
    with socket.create_connection(_address(api)) as connection:
        connection.sendall(b"GET /health HTTP/1.0\r\n\r\n")
        assert b" 403 " in connection.recv(100)


def test_only_loopback_has_names_of_its_own() -> None:
    assert known_hosts("0.0.0.0", "https://x.example.com") is None
    assert known_hosts("10.1.2.3") is None
    assert known_hosts("runyard.internal") is None
    assert known_hosts("localhost") == frozenset({"localhost", "127.0.0.1", "::1"})
    usual = ["localhost", "127.0.0.1", "::1"]
    assert known_hosts("127.0.0.2", "http://Jobs.Example.com:8") == frozenset(
        [*usual, "127.0.0.2", "jobs.example.com"]
    )


def test_an_open_server_answers_to_any_name(tmp_path: Path) -> None:
    with serving(tmp_path, hosts=None) as started:
        assert started.ask("GET", "//health", headers={"Host": "any.example.com"}).status == 200


def test_unknown_routes_and_methods_have_the_shape(api: Api) -> None:
    assert "GET /api/v1/nowhere" in refused(api.ask("GET", "/nowhere"), 404, "NOT_FOUND")["message"]
    answer = api.ask("DELETE", "/runs")
    assert "DELETE" in refused(answer, 405, "INVALID_ARGUMENT")["message"]
    assert answer.headers["allow"]
    refused(api.ask("GET", "/runs/"), 404, "NOT_FOUND")
    refused(api.ask("GET", "//docs/other.js"), 404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "empty"),
        (b"{", "unexpected end"),
        (b'{"job": report}', "a JSON object"),
        (b"\xff\xfe", "a JSON object"),
        (b"[" * 50_000, "a JSON object"),
        (b'{"job": "\\ud800"}', "a JSON object"),
        (b"[]", "a JSON object"),
        (b'"job"', "a JSON object"),
        (b"NaN", "a JSON object"),
    ],
)
def test_broken_json_is_a_fault_with_its_place(api: Api, content: bytes, expected: str) -> None:
    error = refused(api.ask("POST", "/runs", content), 400, "INVALID_ARGUMENT")
    (detail,) = error["details"]
    assert detail["path"] == "body"
    assert expected in detail["expected"]


def test_broken_json_says_line_and_column(api: Api) -> None:
    (detail,) = api.ask("POST", "/runs", b'{\n "job": report}').error["details"]
    assert (detail["line"], detail["column"]) == (2, 9)


def test_query_faults_come_at_once(api: Api) -> None:
    path = (
        "/runs?state=ded&state=dead&stat=x&page_size=0&since=2026&until=2026-01-01T00:00:00+01:00"
    )
    path += "&sort=-started&label=nope&page_token=%21"
    error = refused(api.ask("GET", path), 400, "INVALID_ARGUMENT")
    by_path = {detail["path"]: detail for detail in error["details"]}
    assert set(by_path) == {
        "state[0]", "stat", "page_size", "since", "until", "sort", "label[0]", "page_token",
    }  # fmt: skip
    assert by_path["state[0]"]["hint"] == "did you mean 'dead'?"
    assert by_path["stat"]["hint"] == "did you mean 'state'?"
    assert by_path["sort"]["hint"] == "did you mean '-started_at'?"
    assert by_path["until"]["hint"] == "write + as %2B in a URL"


def test_a_body_that_says_it_is_too_large_is_refused(api: Api) -> None:
    error = refused(api.ask("POST", "/runs", b"x" * (BYTES_MAX + 1)), 413, "INVALID_ARGUMENT")
    assert str(BYTES_MAX) in error["details"][0]["expected"]


def test_a_body_that_turns_out_too_large_is_refused(api: Api) -> None:
    connection = api.connect()
    headers = {"Authorization": f"Bearer {TOKEN}"}
    chunks = (b" " * 10_000 for _ in range(30))
    connection.request("POST", "/api/v1/runs", chunks, headers, encode_chunked=False)
    reply = connection.getresponse()
    refused(Answer(reply.status, dict(_lowered(reply.getheaders())), reply.read()), 413,
            "INVALID_ARGUMENT")  # fmt: skip
    assert reply.getheader("connection") == "close"


def test_who_waits_for_the_go_ahead_is_refused_before_sending(api: Api) -> None:
    with socket.create_connection(_address(api)) as connection:
        connection.sendall(
            b"POST /api/v1/runs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999999999\r\n"
            b"Authorization: Bearer " + TOKEN.encode() + b"\r\nExpect: 100-continue\r\n\r\n"
        )
        assert connection.recv(100).startswith(b"HTTP/1.1 413 ")


def test_a_body_at_the_limit_is_read(api: Api) -> None:
    text = json.dumps({"job": "missing-job"}).encode().ljust(BYTES_MAX)
    refused(api.ask("POST", "/runs", text), 404, "NOT_FOUND")


def test_an_unexpected_fault_has_an_id_that_is_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with serving(tmp_path) as started:
        del started.behind.secrets._cloud  # break it
        with caplog.at_level(logging.ERROR, "runyard.api"):
            answer = started.ask("GET", "/secrets")
    error = refused(answer, 500, "INTERNAL")
    identity = error["message"].partition("(")[2].strip(")")
    assert identity.startswith("error_")
    assert identity in caplog.text
    assert "AttributeError" in caplog.text
    assert b"AttributeError" not in answer.content
    assert b"Traceback" not in answer.content


def test_answers_say_nothing_of_the_server_and_are_not_kept(api: Api) -> None:
    headers = api.ask("GET", "/runs").headers
    assert "server" not in headers
    assert "access-control-allow-origin" not in headers
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"].startswith("default-src 'none'")


def test_the_documentation_asks_no_other_host(api: Api) -> None:
    page = api.ask("GET", "//docs")
    assert "://" not in page.content.decode()
    assert "<script>" not in page.content.decode()
    policy = page.headers["content-security-policy"]
    assert "script-src 'self';" in policy
    assert "http" not in policy
    for name, kind in (
        ("swagger-ui.css", "text/css"),
        ("swagger-ui-bundle.js", "text/javascript"),
        ("start.js", "text/javascript"),
        ("NOTICE", "text/plain"),
    ):
        answer = api.ask("GET", f"//docs/{name}")
        assert answer.status == 200
        assert answer.headers["content-type"].startswith(kind)
        assert len(answer.content) > 50


def _address(api: Api) -> tuple[str, int]:
    parts = urlsplit(api.url)
    return parts.hostname or "", parts.port or 0


def _lowered(headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(name.lower(), value) for name, value in headers]
