"""What the end of a run is to the triggers that follow it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from runyard.flow.chaining import absent, armed, chain, counted, happened, sources_of, spec_in
from runyard.model.ids import RunId
from runyard.model.run import Run, State, TriggerKind
from runyard.model.strict import Strict
from runyard.model.trigger.absence import AbsenceSpec
from runyard.model.trigger.chain import STATES, ChainSpec
from runyard.model.trigger.instant import Fate
from runyard.model.trigger.row import Trigger, TriggerState
from runyard.model.trigger.schedule import ScheduleSpec
from runyard.model.trigger.spec import TriggerSpec
from tests.support.runs import NOW, make_run

LATER = NOW + timedelta(hours=1)


def make_row(kind: TriggerKind, document: dict[str, Any], **changes: Any) -> Trigger:
    row = Trigger("shop", "local", "report", kind.value, kind, document, NOW)
    return replace(row, **changes)


def read(row: Trigger, kind: type[Strict]) -> Any:
    spec = spec_in(row, kind)
    assert not isinstance(spec, str)
    return spec


def ended(state: State, **changes: Any) -> Run:
    return replace(make_run(), job="x", state=state, ended_at=NOW, **changes)


def test_a_row_that_this_version_does_not_understand() -> None:
    row = make_row(TriggerKind.CHAIN, {"after": {"twice": "x"}})
    words = "this version does not understand it: expected a mapping with exactly one of"
    assert str(spec_in(row, ChainSpec)).startswith(words)


@pytest.mark.parametrize(
    ("kind", "document", "jobs"),
    [
        (ChainSpec, {"after": {"any": ["x", "y"]}}, ("x", "y")),
        (AbsenceSpec, {"absence": {"of": {"job": "x"}, "within": "1h"}}, ("x",)),
        (ScheduleSpec, {"schedule": "@daily"}, ()),
        (ScheduleSpec, {"schedule": "@daily", "pauseOnFailures": 1}, ("report",)),
    ],
)
def test_whose_ends_a_trigger_is_told_of(
    kind: type[TriggerSpec], document: dict[str, Any], jobs: tuple[str, ...]
) -> None:
    spec = read(make_row(TriggerKind(kind.kind), document), kind)
    assert sources_of(spec, "report") == jobs


@pytest.mark.parametrize("on", ["succeeded", "failed", "dead", "any"])
@pytest.mark.parametrize("state", [State.SUCCEEDED, State.DEAD, State.CANCELLED, State.SKIPPED])
def test_a_chain_follows_what_ended_as_it_says(on: str, state: State) -> None:
    row = make_row(TriggerKind.CHAIN, {"after": {"job": "x", "on": on}})
    spec = read(row, ChainSpec)
    run = ended(state)
    step = chain(row, spec, run, LATER)
    if state in STATES[spec.after.on]:
        assert (step.follows, step.record, step.trigger.last_instant) == ((run.id,), None, NOW)
    else:
        assert step.record is not None
        assert (step.follows, step.trigger) == ((), row)
        assert (step.record.fate, step.record.origin) == (Fate.UNMATCHED, run.id)
        assert step.record.reason == f"x ended as {state}, not as {on}"


def test_a_skipped_run_is_never_followed() -> None:
    assert all(State.SKIPPED not in states for states in STATES.values())


@pytest.mark.parametrize(("reason", "words"), [("", "paused by ann"), ("so", "paused by ann: so")])
def test_a_paused_chain_says_who_paused_it(reason: str, words: str) -> None:
    row = make_row(
        TriggerKind.CHAIN,
        {"after": {"job": "x"}},
        state=TriggerState.PAUSED,
        said_by="ann",
        reason=reason,
    )
    record = chain(row, read(row, ChainSpec), ended(State.SUCCEEDED), LATER).record
    assert record is not None
    assert (record.fate, record.reason) == (Fate.PAUSED, words)


SCHEDULED = {"schedule": "@daily", "pauseOnFailures": 1}


def test_one_dead_run_may_be_enough() -> None:
    row = make_row(TriggerKind.SCHEDULE, SCHEDULED)
    after = counted(row, read(row, ScheduleSpec), ended(State.DEAD, reason="no disk"), LATER)
    assert (after.state, after.said_by, after.said_at) == (TriggerState.PAUSED, row.path, LATER)
    assert after.reason == f"a dead run, the last is {make_run().id}: no disk"
    assert after.version == row.version + 1


@pytest.mark.parametrize("state", [State.CANCELLED, State.SKIPPED])
def test_what_was_stopped_or_never_started_counts_neither_way(state: State) -> None:
    row = make_row(TriggerKind.SCHEDULE, SCHEDULED, failures=3)
    assert counted(row, read(row, ScheduleSpec), ended(state), LATER) is row


@pytest.mark.parametrize("changes", [{"state": TriggerState.PAUSED, "said_by": "ann"}, {}])
def test_what_is_paused_already_or_has_no_limit_only_counts(changes: dict[str, Any]) -> None:
    document = SCHEDULED if changes else {"schedule": "@daily"}
    row = make_row(TriggerKind.SCHEDULE, document, **changes)
    after = counted(row, read(row, ScheduleSpec), ended(State.DEAD), LATER)
    assert after == replace(row, failures=1, version=2)


WATCHED = {"absence": {"of": {"job": "x", "on": "any"}, "within": "30m"}}


def test_an_absence_counts_from_the_latest_end() -> None:
    row = make_row(TriggerKind.ABSENCE, WATCHED)
    spec = read(row, AbsenceSpec)
    first = armed(row, spec, NOW)
    assert first.next_at == first.next_instant == NOW + timedelta(minutes=30)
    again = happened(first, spec, State.DEAD, LATER)
    assert (again.last_instant, again.next_at) == (LATER, LATER + timedelta(minutes=30))
    assert happened(again, spec, State.DEAD, NOW) is again
    assert happened(again, spec, State.SKIPPED, LATER + timedelta(hours=1)) is again
    rests, words = absent(again, spec)
    assert (rests.next_at, rests.next_instant) == (None, None)
    assert words == "no run of x ended within 1800s, since 2026-11-01 13:00:00 UTC"
    paused = replace(again, state=TriggerState.PAUSED)
    assert happened(paused, spec, State.DEAD, LATER + timedelta(hours=1)).next_at is None


def test_a_chain_of_all_keeps_the_newest_end_of_each() -> None:
    row = make_row(TriggerKind.CHAIN, {"after": {"all": ["x", "y"]}}, ended=(("x", RunId("old")),))
    spec = read(row, ChainSpec)
    run = ended(State.SUCCEEDED)
    waits = chain(row, spec, run, LATER).trigger
    assert waits.ended == (("x", run.id),)
    fires = chain(waits, spec, replace(run, id=RunId("other"), job="y"), LATER)
    assert fires.follows == (run.id, RunId("other"))
    assert fires.trigger.ended == ()
