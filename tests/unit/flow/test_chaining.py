"""What the end of a run is to the triggers that follow it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from runyard.flow.chaining import (
    absent,
    armed,
    chain,
    counted,
    happened,
    heard,
    output_of,
    overrides,
    sources_of,
    spec_in,
)
from runyard.model.ids import RunId
from runyard.model.run import Run, State, TriggerKind
from runyard.model.strict import Strict
from runyard.model.trigger.absence import AbsenceSpec
from runyard.model.trigger.chain import STATES, ChainSpec
from runyard.model.trigger.instant import Fate, Instant
from runyard.model.trigger.row import Trigger, TriggerState
from runyard.model.trigger.schedule import ScheduleSpec
from runyard.model.trigger.spec import TriggerSpec
from tests.support.runs import NOW, make_outcome, make_run

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
        (AbsenceSpec, {"absence": {"of": {"event": {"topic": "things"}}, "within": "1h"}}, ()),
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
        words = f"x ended as {state}, not as {on}"
        assert step.record == Instant(row.path, NOW, Fate.UNMATCHED, LATER, words, origin=run.id)


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
    assert (record.fate, record.reason, record.decided_at) == (Fate.PAUSED, words, LATER)


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


def test_an_absence_of_events_counts_from_the_latest_message() -> None:
    document = {"absence": {"of": {"event": {"topic": "orders"}}, "within": "30m"}}
    row = make_row(TriggerKind.ABSENCE, document)
    spec = read(row, AbsenceSpec)
    half = timedelta(minutes=30)
    first = armed(row, spec, NOW)
    assert (first.next_at, first.next_instant) == (None, NOW + half)
    again = heard(first, spec, LATER)
    assert (again.last_instant, again.next_instant, again.next_at) == (LATER, LATER + half, None)
    assert heard(again, spec, NOW) is again
    assert heard(again, spec, LATER) is again  # told twice
    assert heard(replace(first, next_at=NOW), spec, LATER).next_at is None
    resumed = armed(again, spec, LATER + 10 * half)
    assert heard(resumed, spec, LATER + half).next_instant == LATER + 11 * half
    assert happened(again, spec, State.SUCCEEDED, LATER + half) is again
    _, words = absent(again, spec)
    assert words == (
        "no message of orders that fits came within 1800s, since 2026-11-01 13:00:00 UTC"
    )


def test_when_an_absence_begins_to_watch_is_left_to_the_clock() -> None:
    document = {"absence": {"of": {"event": {"topic": "orders"}}, "within": "30m"}}
    row = make_row(TriggerKind.ABSENCE, document)
    spec = read(row, AbsenceSpec)
    resumed = replace(row, next_at=LATER, next_instant=None)
    after = heard(resumed, spec, NOW)  # what was published while it was paused
    assert (after.last_instant, after.next_at, after.next_instant) == (NOW, LATER, None)
    half = timedelta(minutes=30)
    assert armed(after, spec, LATER).next_instant == LATER + half
    newer = heard(resumed, spec, LATER + half)  # the clock looks, as of when it began to
    assert armed(newer, spec, LATER).next_instant == LATER + 2 * half


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


def test_why_a_chain_asks_for_nothing_is_kept_whole() -> None:
    row = make_row(TriggerKind.CHAIN, {"after": {"all": ["x", "y", "z"]}})
    spec = read(row, ChainSpec)
    run = ended(State.SUCCEEDED)
    step = chain(row, spec, run, LATER)
    words = "y, z did not end so yet"
    assert step.record == Instant(row.path, NOW, Fate.WAITING, LATER, words, origin=run.id)
    assert step.trigger == replace(row, ended=(("x", run.id),), version=2)
    changed = chain(row, spec, replace(run, job="w", ended_at=None), LATER)
    words = "its trigger was changed before its turn came"
    assert changed.record == Instant(row.path, LATER, Fate.MISSED, LATER, words, origin=run.id)
    assert (changed.trigger, changed.follows) == (row, ())


def test_the_runs_that_ended_are_kept_by_the_names_of_their_jobs() -> None:
    row = make_row(TriggerKind.CHAIN, {"after": {"all": ["x", "b", "c"]}})
    row = replace(row, ended=(("c", RunId("run_c")),))
    spec = read(row, ChainSpec)
    run = ended(State.SUCCEEDED)
    after = chain(row, spec, replace(run, job="b"), LATER).trigger
    assert after.ended == (("b", run.id), ("c", RunId("run_c")))
    fires = chain(after, spec, run, LATER)
    assert fires.follows == (run.id, run.id, RunId("run_c"))
    assert fires.trigger == replace(row, ended=(), last_instant=NOW, version=3)


def test_a_run_is_told_what_it_follows_and_what_that_wrote() -> None:
    document = {
        "after": {"job": "x", "on": "any"},
        "with": {"env": {"B": "1", "Z": "2"}},
        "map": {"env": {"A": {"from": "body.n"}, "C": {"from": "attributes.state"}},
                "args": [{"from": "attributes.job"}, {"from": "attributes.run"}]},
    }  # fmt: skip
    row = make_row(TriggerKind.CHAIN, document)
    run = ended(State.DEAD, outcome=make_outcome(output='{"n":7}'))
    found = overrides(read(row, ChainSpec), [run])
    names = f'[{{"job":"x","run":"{run.id}","state":"dead"}}]'
    assert found.env == (
        ("A", "7"), ("B", "1"), ("C", "dead"), ("RUNYARD_AFTER", names), ("Z", "2"),
    )  # fmt: skip
    assert found.args == ("x", run.id)


def test_a_run_that_follows_several_finds_each_by_its_job() -> None:
    document = {
        "after": {"all": ["x", "y"]},
        "map": {"env": {"N": {"from": "body.y.n"}, "STATE": {"from": "attributes.x.state"},
                        "JOB": {"from": "attributes.y.job"}, "RUN": {"from": "attributes.y.run"}}},
    }  # fmt: skip
    row = make_row(TriggerKind.CHAIN, document)
    first = ended(State.SUCCEEDED)
    second = replace(first, id=RunId("run_y"), job="y", outcome=make_outcome(output='{"n":7}'))
    found = dict(overrides(read(row, ChainSpec), [first, second]).env)
    told = {name: found[name] for name in ("N", "STATE", "JOB", "RUN")}
    assert told == {"N": "7", "STATE": "succeeded", "JOB": "y", "RUN": "run_y"}


def test_what_a_run_did_not_write_is_nothing() -> None:
    assert output_of(make_run()) is None
    assert output_of(make_run(outcome=make_outcome())) is None


def test_dead_runs_in_a_row_pause_a_schedule_at_its_limit() -> None:
    row = make_row(TriggerKind.SCHEDULE, {"schedule": "@daily", "pauseOnFailures": 3}, next_at=NOW)
    spec = read(row, ScheduleSpec)
    dead = ended(State.DEAD, reason="no disk")
    second = counted(counted(row, spec, dead, LATER), spec, dead, LATER)
    assert second == replace(row, failures=2, version=3)
    stricter = read(
        replace(row, document={"schedule": "@daily", "pauseOnFailures": 2}), ScheduleSpec
    )
    paused = counted(replace(row, failures=1), stricter, dead, LATER)
    assert paused.reason == f"2 dead runs in a row, the last is {dead.id}: no disk"
    assert counted(second, spec, ended(State.SUCCEEDED), LATER) == replace(row, version=4)
    assert counted(row, spec, ended(State.SUCCEEDED), LATER) is row
    assert counted(second, spec, dead, LATER) == replace(
        row,
        state=TriggerState.PAUSED,
        next_at=None,
        failures=3,
        said_by=row.path,
        said_at=LATER,
        reason=f"3 dead runs in a row, the last is {dead.id}: no disk",
        version=4,
    )


def test_an_absence_watches_once_for_each_end() -> None:
    row = make_row(TriggerKind.ABSENCE, {"absence": {"of": {"job": "x"}, "within": "30m"}})
    spec = read(row, AbsenceSpec)
    due = LATER + timedelta(minutes=30)
    after = happened(row, spec, State.SUCCEEDED, LATER)
    assert after == replace(row, last_instant=LATER, next_instant=due, next_at=due, version=2)
    assert happened(after, spec, State.SUCCEEDED, LATER) is after
    rests, words = absent(row, spec)
    assert rests == replace(row, version=2)
    assert words == "no run of x ended as succeeded within 1800s, since it was asked for"
    asleep = happened(replace(row, state=TriggerState.PAUSED), spec, State.SUCCEEDED, LATER)
    assert asleep == replace(after, state=TriggerState.PAUSED, next_at=None)
