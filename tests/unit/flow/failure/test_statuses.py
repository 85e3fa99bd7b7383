"""Status codes in a text: where a number is one, and which of several decides."""

from __future__ import annotations

import pytest

from runyard.flow.failure.saying import Rule, Said, Whole
from runyard.flow.failure.statuses import GRPC, Broad, Clear
from runyard.model.failure import FailureClass

F = FailureClass


def said(rule: Rule, text: str) -> Said | None:
    reader = rule.reader(Whole(text))
    return None if reader is None else reader(text)


@pytest.mark.parametrize(
    ("text", "code", "failure_class"),
    [
        ("status = StatusCode.ABORTED", "ABORTED", F.PLATFORM),
        ('"grpc_status":5}', "NOT_FOUND", F.APPLICATION),
        ("rpc error: code = ResourceExhausted desc = x", "RESOURCE_EXHAUSTED", F.RESOURCE),
        ("rpc error: code = 14 desc = x", "UNAVAILABLE", F.PLATFORM),
        ("rpc error: code = 1 desc = x", "CANCELLED", F.CANCELLED),
        ("rpc error: code = 16 desc = x", "UNAUTHENTICATED", F.PERMISSION),
        ("BadStatus: 14: x, code", "UNAVAILABLE", F.PLATFORM),
        ("Error: 4 DEADLINE_EXCEEDED: too late", "DEADLINE_EXCEEDED", F.TIMEOUT),
        ("HTTP/1.1 418", "418", F.APPLICATION),
        ("Error 507", "507", F.RESOURCE),
        ("status code: 500", "500", F.PLATFORM),
        ("got 502", "502", F.PLATFORM),
        ("Received status code 501 from server", "501", F.APPLICATION),
        ("409 Conflict", "409", F.APPLICATION),
        ("402 Payment Required", "402", F.PERMISSION),
        ("rpc error: code = PermissionDenied desc = x", "PERMISSION_DENIED", F.PERMISSION),
        ("status = StatusCode.OUT_OF_RANGE", "OUT_OF_RANGE", F.APPLICATION),
        ("HTTP/1.1 499", "499", F.CANCELLED),
        ("HTTP/1.1 505", "505", F.APPLICATION),
        ("status code: 509", "509", F.RESOURCE),
        ("status code: 511", "511", F.PERMISSION),
        ("got 598", "598", F.NETWORK),
        ("got 599", "599", F.NETWORK),
        ('spanner: code = "Aborted", desc = "x"', "ABORTED", F.PLATFORM),
        ("google.api_core.exceptions.Aborted: 409 x", "ABORTED", F.PLATFORM),
        ("google.api_core.exceptions.Unknown: None x", "UNKNOWN", F.PLATFORM),
        ("com.google.api.gax.rpc.AbortedException: x", "ABORTED", F.PLATFORM),
        ("StatusException: DATA_LOSS: x", "DATA_LOSS", F.PLATFORM),
        ("Error: 10 ABORTED: x", "ABORTED", F.PLATFORM),
        ("Error code: 13 (INTERNAL)", "INTERNAL", F.PLATFORM),
        ("it failed: StatusCodeError: 503", "503", F.PLATFORM),
        ("it failed: ServerError: 500", "500", F.PLATFORM),
        ("shop.exceptions.TooMany: 429 x", "429", F.RESOURCE),
        ("RestClient::Gone: 410 x", "410", F.APPLICATION),
        ("error occurred (503) when calling", "503", F.PLATFORM),
        ("too many 502 error responses", "502", F.PLATFORM),
        ("it responded with 503", "503", F.PLATFORM),
        ("google.api_core.exceptions.BadRequest: 400 POST https://x.example", "400", F.APPLICATION),
    ],
)
def test_status_codes_are_read(text: str, code: str, failure_class: FailureClass) -> None:
    found = said(Broad(), text)
    assert found is not None
    assert (found.rule, found.failure_class) == (f"status {code}", failure_class)


@pytest.mark.parametrize(
    "text",
    [
        "code = Nonsense",
        'grpc_status":99',
        "port 443 is open",
        "took 500.3 s",
        "it is 404 lines long",
        "error_perm: 550 x",
        "ftplib.error_perm: 550 x",
        "too many 404s",
        "it has 500 errors",
    ],
)
def test_what_is_no_status_is_none(text: str) -> None:
    assert said(Broad(), text) is None
    assert said(Clear(), text) is None


def test_a_clear_status_is_found_behind_a_broad_one() -> None:
    text = "status: 404, and then status: 403"
    assert said(Clear(), text) == Said("status 403", F.PERMISSION)
    assert said(Broad(), text) == Said("status 404", F.APPLICATION)
    assert said(Clear(), "status: 404") is None


def test_every_code_of_google_has_a_class() -> None:
    assert len(GRPC) == 16
