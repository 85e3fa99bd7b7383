"""A run as a value: a changed row is a new row."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runyard.model.run import Run, State
from tests.support.runs import NOW, make_outcome, make_run

CHANGES: dict[str, st.SearchStrategy[Any]] = {
    "state": st.sampled_from(State),
    "attempt": st.integers(0, 9),
    "due_at": st.sampled_from([None, NOW]),
    "waiting_on": st.sampled_from(["", "job/shop/local/report"]),
    "outcome": st.sampled_from([None, make_outcome()]),
    "version": st.integers(1, 9),
}


@given(st.fixed_dictionaries({}, optional=CHANGES), st.fixed_dictionaries({}, optional=CHANGES))
def test_evolving_is_what_replacing_is(first: dict[str, Any], then: dict[str, Any]) -> None:
    run = make_run(**first)
    before = {field.name: getattr(run, field.name) for field in fields(Run)}
    after = run.evolve(**then)
    assert after == replace(run, **then)
    assert hash(after) == hash(replace(run, **then))
    assert {field.name: getattr(run, field.name) for field in fields(Run)} == before


def test_a_run_has_no_field_that_it_has_not() -> None:
    with pytest.raises(TypeError, match="a run has no colour, size"):
        make_run().evolve(size=1, version=2, colour="red")
