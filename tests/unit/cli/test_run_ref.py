"""The span of time that the first digits of an id stand for."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from runyard.cli.run_ref import span_of
from runyard.model.ids import stamped


@given(
    st.integers(946_684_800, 16_725_225_600).map(lambda at: datetime.fromtimestamp(at, UTC)),
    st.integers(0, 2**80 - 1),
    st.integers(1, 25),
)
def test_an_id_lies_in_the_span_of_each_of_its_beginnings(
    at: datetime, chance: int, length: int
) -> None:
    digits = stamped("run", at, chance).removeprefix("run_")[:length]
    since, until = span_of(digits)
    assert since <= at <= until


@given(st.text("0123456789abcdefghjkmnpqrstvwxyz", min_size=1, max_size=25))
def test_every_beginning_has_a_span(digits: str) -> None:
    since, until = span_of(digits)
    assert since <= until
