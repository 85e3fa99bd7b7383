"""Identifiers sort and come apart again, instants are exact, every code has a meaning."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runyard.model.codes import TABLE, exit_status, http_status
from runyard.model.errors import (
    ChannelError,
    Code,
    Fault,
    PlatformError,
    ProviderTimeout,
    ProviderUnavailable,
)
from runyard.model.ids import RunId, attempt_key, split_attempt_key, stamped, stamped_at
from runyard.model.instants import from_micros, to_micros
from runyard.model.run_statuses import RUN_EXIT_STATUS

instants = st.integers(0, to_micros(datetime(2200, 1, 1, tzinfo=UTC))).map(from_micros)
chances = st.integers(0, 2**80 - 1)


@given(instants, chances)
def test_an_identifier_carries_its_kind(at: datetime, chance: int) -> None:
    assert re.fullmatch(r"run_[0-9abcdefghjkmnpqrstvwxyz]{26}", stamped("run", at, chance))


@given(instants, instants, chances, chances)
def test_identifiers_sort_by_instant_and_then_by_chance(
    one: datetime, other: datetime, chance: int, other_chance: int
) -> None:
    before = (int(one.timestamp() * 1000), chance)
    after = (int(other.timestamp() * 1000), other_chance)
    ids = stamped("run", one, chance), stamped("run", other, other_chance)
    assert (ids[0] < ids[1], ids[0] == ids[1]) == (before < after, before == after)


@given(instants, chances)
def test_an_identifier_tells_its_instant_to_the_millisecond(at: datetime, chance: int) -> None:
    told = stamped_at(stamped("run", at, chance))
    assert told == at.replace(microsecond=at.microsecond // 1000 * 1000)


def test_more_than_80_bits_of_chance_do_not_change_the_instant() -> None:
    at = datetime(2026, 11, 22, tzinfo=UTC)
    assert stamped("run", at, 2**80 + 7) == stamped("run", at, 7)


@given(st.integers(1, 10**6))
def test_an_attempt_key_comes_apart_again(number: int) -> None:
    assert split_attempt_key(attempt_key(RunId("run_0a"), number)) == ("run_0a", number)


@given(instants)
def test_microseconds_are_exact(at: datetime) -> None:
    assert from_micros(to_micros(at)) == at
    assert to_micros(at + timedelta(microseconds=1)) == to_micros(at) + 1


@pytest.mark.parametrize("code", list(Code))
def test_every_code_has_a_status_and_none_is_that_of_a_run(code: Code) -> None:
    assert 400 <= http_status(code) < 600
    assert exit_status(code) not in RUN_EXIT_STATUS.values()
    assert TABLE[code] == (http_status(code), exit_status(code))


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Fault("jobs.a.x", "'y'", "a number"), "jobs.a.x is 'y': expected a number"),
        (Fault("jobs.a.x", "", "a number"), "jobs.a.x: expected a number"),
        (
            Fault("x", "1", "2", "did you mean 2?", "a.yaml", 3, 5),
            "a.yaml:3:5: x is 1: expected 2 (did you mean 2?)",
        ),
    ],
)
def test_a_fault_reads_like_a_compilers(fault: Fault, said: str) -> None:
    assert str(fault) == said


def test_an_error_carries_what_a_caller_needs() -> None:
    fault = Fault("x", "1", "2")
    error = PlatformError("no", hint="yes", faults=(fault,))
    assert (str(error), error.message, error.hint, error.faults) == ("no", "no", "yes", (fault,))
    assert (error.advice, PlatformError("no").advice) == ("no; yes", "no")
    assert (error.code, error.transient) == (Code.INTERNAL, False)


@pytest.mark.parametrize("kind", [ProviderUnavailable, ProviderTimeout, ChannelError])
def test_what_happened_on_the_other_side_says_where(kind: type[ProviderTimeout]) -> None:
    error = kind("late", name="local", operation="launch", key="run_1/1", hint="wait")
    assert (error.name, error.operation, error.key) == ("local", "launch", "run_1/1")
    assert (error.hint, error.transient, error.faults) == ("wait", True, ())
