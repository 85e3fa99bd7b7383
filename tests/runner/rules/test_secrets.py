"""Secrets, headers and traces."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runyard_runner.rules.headers import name_fault, value_fault
from runyard_runner.rules.masking import Mask, sounds_secret
from runyard_runner.rules.tracing import Trace, read_trace


def test_values_are_masked_in_every_form() -> None:
    mask = Mask(['p ss/"w0rd', "short", 'p ss/"w0rd and more'])
    said = 'p ss/"w0rd, p%20ss%2F%22w0rd, p+ss%2F%22w0rd, p ss/\\"w0rd, p ss/"w0rd and more, short'
    assert mask.text(said) == "***, ***, ***, ***, ***, short"
    assert mask.content(said.encode()) == b"***, ***, ***, ***, ***, short"
    mask.add('p ss/"w0rd')
    assert mask.text("nothing here") == "nothing here"
    assert mask.content(b"nothing here") == b"nothing here"


@given(st.text(min_size=6), st.text(), st.text())
def test_a_secret_is_never_left(secret: str, before: str, after: str) -> None:
    said = Mask([secret]).text(f"{before}{secret}{after}")
    assert secret not in said or secret in f"{before}***{after}"


def test_urls() -> None:
    mask = Mask(["abcdef123456"])
    assert mask.url("https://u:p@x.example/a?token=abc&n=1&api_key=${KEY}") == (
        "https://***@x.example/a?token=***&n=1&api_key=${KEY}"
    )
    assert mask.url("https://x.example/abcdef123456") == "https://x.example/***"
    assert mask.url("https://x.example/") == "https://x.example/"


def test_names_that_sound_secret() -> None:
    mask = Mask([])
    shown = mask.named(
        {
            "url": "https://u:p@x.example/",
            "headers": {"Authorization": "Bearer abc", "X-Token": "Bearer ${TOKEN}", "X-A": "b"},
            "json": {"passwords": ["a", {"n": 1}], "n": 1},
        }
    )
    assert shown == {
        "url": "https://***@x.example/",
        "headers": {"Authorization": "***", "X-Token": "Bearer ${TOKEN}", "X-A": "b"},
        "json": {"passwords": ["***", {"n": 1}], "n": 1},
    }
    assert sounds_secret("API_KEY")
    assert not sounds_secret("BASE_URL")


@pytest.mark.parametrize(
    "name", ["", "a b", "a:b", "a\r\nb", "Ä", "Content-Length", "transfer-encoding", "Connection"]
)
def test_names_of_headers_that_may_not_be(name: str) -> None:
    assert name_fault(name) is not None


@pytest.mark.parametrize("value", ["a\r\nX: b", "a\nb", "a\0b", "\x7f", "€"])
def test_values_of_headers_that_may_not_be(value: str) -> None:
    assert value_fault(value) is not None


def test_headers_that_may_be() -> None:
    assert name_fault("X-Request-Id") is None
    assert value_fault("Bearer a.b-c_d\tü") is None


@given(st.text())
def test_no_value_ends_a_line(value: str) -> None:
    if value_fault(value) is None:
        assert not {"\r", "\n", "\0"} & set(value)


ID = "0af7651916cd43dd8448eb211c80319c"


@pytest.mark.parametrize(
    ("parent", "cloud", "trace"),
    [
        (f"00-{ID}-b7ad6b7169203331-01", None, Trace(ID, "SPAN", "b7ad6b7169203331", True)),
        (f"00-{ID}-b7ad6b7169203331-00", None, Trace(ID, "SPAN", "b7ad6b7169203331", False)),
        (f"cc-{ID}-b7ad6b7169203331-00-x", None, Trace(ID, "SPAN", "b7ad6b7169203331", False)),
        (f"ff-{ID}-b7ad6b7169203331-01", None, Trace("NEW", "SPAN")),
        (f"00-{'0' * 32}-b7ad6b7169203331-01", None, Trace("NEW", "SPAN")),
        ("nonsense", f"{ID}/1;o=1", Trace(ID, "SPAN", f"{1:016x}", True)),
        (None, f"{ID.upper()}/0;o=0", Trace(ID, "SPAN", "", False)),
        (None, ID, Trace(ID, "SPAN", "", True)),
        (None, "0" * 32, Trace("NEW", "SPAN")),
        (None, "x", Trace("NEW", "SPAN")),
        (None, None, Trace("NEW", "SPAN")),
    ],
)
def test_traces(parent: str | None, cloud: str | None, trace: Trace) -> None:
    new = {8: "SPAN", 16: "NEW"}
    assert read_trace(parent, cloud, new.__getitem__) == trace


def test_a_trace_is_passed_on() -> None:
    trace = Trace(ID, "b7ad6b7169203331", sampled=False)
    assert trace.parent() == f"00-{ID}-b7ad6b7169203331-00"
    assert trace.log_name("") == ID
    assert trace.log_name("p") == f"projects/p/traces/{ID}"
