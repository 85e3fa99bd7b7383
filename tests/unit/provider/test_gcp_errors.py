"""Google's errors in our words."""

from __future__ import annotations

import json

import pytest
import requests
from google.api_core import exceptions as google
from google.auth import exceptions as auth

from runyard.model.errors import (
    ProviderError,
    ProviderRefused,
    ProviderTimeout,
    ProviderUnavailable,
)
from runyard.provider.gcp.errors import MESSAGE_MAX, as_ours, code_of


def answer(http: int, body: object) -> Exception:
    """What the library raises for an answer."""
    response = requests.Response()
    response.status_code = http
    response._content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    response.request = requests.Request("POST", "https://run.googleapis.com/v2/x?etag=1").prepare()
    made: Exception = google.from_http_response(response)
    return made


def said(http: int, status: str, message: str = "because") -> Exception:
    """An answer in Google's form."""
    return answer(http, {"error": {"code": http, "status": status, "message": message}})


@pytest.mark.parametrize(
    ("error", "kind", "code"),
    [
        (said(429, "RESOURCE_EXHAUSTED"), ProviderUnavailable, "RESOURCE_EXHAUSTED"),
        (said(503, "UNAVAILABLE"), ProviderUnavailable, "UNAVAILABLE"),
        (said(500, "INTERNAL"), ProviderUnavailable, "INTERNAL"),
        (said(409, "ABORTED"), ProviderUnavailable, "ABORTED"),
        (said(401, "UNAUTHENTICATED"), ProviderUnavailable, "UNAUTHENTICATED"),
        (said(504, "DEADLINE_EXCEEDED"), ProviderTimeout, "DEADLINE_EXCEEDED"),
        (said(409, "ALREADY_EXISTS"), ProviderRefused, "ALREADY_EXISTS"),
        (said(400, "FAILED_PRECONDITION"), ProviderRefused, "FAILED_PRECONDITION"),
        (said(400, "INVALID_ARGUMENT"), ProviderRefused, "INVALID_ARGUMENT"),
        (said(403, "PERMISSION_DENIED"), ProviderRefused, "PERMISSION_DENIED"),
        (said(404, "NOT_FOUND"), ProviderRefused, "NOT_FOUND"),
        (answer(502, "<html>bad gateway</html>"), ProviderUnavailable, "UNAVAILABLE"),
        (answer(404, []), ProviderRefused, "NOT_FOUND"),
        (answer(418, {"error": {"status": 7}}), ProviderUnavailable, "UNKNOWN"),
        (google.Aborted("no answer"), ProviderUnavailable, "ABORTED"),
    ],
)
def test_answers(error: Exception, kind: type[ProviderError], code: str) -> None:
    made = as_ours(error, "run job", "run_a/1")
    assert type(made) is kind
    assert (made.reason, code_of(error)) == (code, code)
    assert (made.name, made.operation, made.key) == ("gcp", "run job", "run_a/1")
    assert made.message.startswith(f"Google said {code}: ")
    assert "googleapis.com/v2" not in made.message


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (requests.ConnectTimeout("x"), ProviderUnavailable),
        (requests.ReadTimeout("x"), ProviderTimeout),
        (requests.ConnectionError("x"), ProviderTimeout),
        (google.RetryError("x", None), ProviderTimeout),
        (auth.RefreshError("invalid_grant", {}), ProviderUnavailable),
        (auth.TransportError("x"), ProviderUnavailable),
        (ValueError("no such field"), ProviderRefused),
    ],
)
def test_no_answer(error: Exception, kind: type[ProviderError]) -> None:
    made = as_ours(error, "get job")
    assert type(made) is kind
    assert (made.reason, made.message != "") == ("", True)


def test_what_to_do_is_told() -> None:
    assert "roles/run.developer" in as_ours(said(403, "PERMISSION_DENIED"), "run job").hint
    assert "application-default login" in as_ours(auth.RefreshError("x"), "run job").hint


def test_values_and_long_words_are_not_passed_on() -> None:
    words = "bad value topsecret-1 topsecret and " + "long " * 200
    made = as_ours(
        said(400, "INVALID_ARGUMENT", words), "run job", hide=["topsecret", "topsecret-1", "and"]
    )
    assert "bad value (hidden) (hidden) and long" in made.message
    assert len(made.message) == MESSAGE_MAX
