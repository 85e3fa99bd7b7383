"""What a status says, when to try again, and how long to wait."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runyard_runner.rules.retrying import RETRY_AFTER_SECONDS_MAX, Backoff
from runyard_runner.rules.statuses import (
    Verdict,
    answer_status,
    is_transient,
    judge,
    read_expected,
)


@pytest.mark.parametrize(
    ("status", "expected", "verdict"),
    [
        (200, None, Verdict.SUCCEEDED),
        (204, None, Verdict.SUCCEEDED),
        (207, None, Verdict.WARNED),
        (302, None, Verdict.FAILED),
        (404, None, Verdict.FAILED),
        (404, 404, Verdict.SUCCEEDED),
        (200, 404, Verdict.FAILED),
        (207, "2xx", Verdict.SUCCEEDED),
        (204, "200-204", Verdict.SUCCEEDED),
        (205, "200-204", Verdict.FAILED),
        (409, ["2xx", 409], Verdict.SUCCEEDED),
    ],
)
def test_verdicts(status: int, expected: object, verdict: Verdict) -> None:
    assert judge(status, None if expected is None else read_expected(expected)) is verdict


@pytest.mark.parametrize(
    "value", [99, 600, "6xx", "abc", "204-200", [], [200, "x"], True, 2.5, {}, "", "200-", "²00"]
)
def test_what_says_no_status(value: object) -> None:
    assert read_expected(value) is None


def test_the_answer() -> None:
    assert [answer_status(0, 0, 500), answer_status(0, 1, 500), answer_status(1, 1, 502)] == [
        200,
        207,
        502,
    ]
    assert is_transient(503)
    assert not is_transient(404)


@given(
    st.integers(1, 10_000),
    st.floats(0, 1),
    st.floats(0.01, 300),
    st.floats(0.1, 10),
    st.floats(0.01, 300),
)
def test_a_wait_is_between_half_the_ceiling_and_all_of_it(
    attempt: int, chance: float, initial: float, factor: float, longest: float
) -> None:
    backoff = Backoff(initial, factor, longest)
    wait = backoff.wait_seconds(attempt, chance, None)
    assert backoff.ceiling_seconds(attempt) / 2 <= wait <= longest


def test_what_a_server_asks_for() -> None:
    backoff = Backoff(2.0)
    waits = [backoff.wait_seconds(2, 1.0, asked) for asked in ("7", "9999", "soon", None)]
    assert waits == [7.0, RETRY_AFTER_SECONDS_MAX, 4.0, 4.0]
