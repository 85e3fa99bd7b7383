"""What the rule about waits says of a job, from its runs that wait."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from runyard.flow.rule_subject import Subject
from runyard.flow.rule_words import words
from runyard.flow.rules import fingerprint, judge, of_time
from runyard.flow.waiting import DEATH_TOLD_WITHIN, wait_too_long_at
from runyard.model.alert import Alert, Observation
from runyard.model.alert_rules import named
from runyard.model.errors import InvalidSpec
from runyard.model.ids import RunId
from runyard.model.notice import Severity
from runyard.model.recovery import Awaiting
from runyard.model.run import Run, State
from tests.support.judging import MINUTE, NOW, OFF, opened, run, said
from tests.support.runs import make_run, make_spec

RULE = {"waiting": {"permission": "0s", "network": "10m"}}


def waits(state: State, minutes: float, number: int = 1, seen: str = "") -> Run:
    """A run that waits since so many minutes."""
    since = NOW - minutes * MINUTE
    awaiting = Awaiting(since, since + timedelta(hours=1), NOW + MINUTE, 1, seen)
    return make_run(
        id=RunId(f"run_{number}"), state=state, attempt=1, reason="refused", awaiting=awaiting
    )


@pytest.mark.parametrize(
    ("state", "minutes", "is_late"),
    [
        (State.AWAITING_PERMISSION, 0, True),
        (State.AWAITING_NETWORK, 9.99, False),
        (State.AWAITING_NETWORK, 10, True),
        (State.AWAITING_FIX, 100, False),  # the rule does not name it
        (State.BACKING_OFF, 100, False),
    ],
)
def test_a_wait_is_wrong_from_the_instant_on_at_which_it_lasted_so_long(
    state: State, minutes: float, is_late: bool
) -> None:
    assert bool(said([], RULE, waits=[waits(state, minutes)])) is is_late
    none = replace(waits(state, minutes), awaiting=None)
    assert said([], RULE, waits=[none]) == []


@pytest.mark.parametrize(
    ("state", "title", "to_do"),
    [
        ("network", "until what it needs can be reached", "goes on by itself once it can be"),
        ("capacity", "until there is room", "goes on by itself once there is room"),
        ("permission", "until it may do what it needs", "`runyard explain run_1` says which"),
        ("fix", "for a newer revision of its job, or for somebody who resumes it",
         "`runyard apply` a revision that works, or `runyard resume run_1`"),
    ],
)  # fmt: skip
def test_it_says_what_is_waited_for_and_what_to_do(state: str, title: str, to_do: str) -> None:
    late = waits(State(f"awaiting_{state}"), 15, seen="no binding")
    (found,) = judge(_subject([late]), {}, NOW)
    assert (found.rule, found.severity, found.run) == ("stuck", Severity.WARNING, "run_1")
    assert found.title == f"report: run_1 waits {title}"
    seen, do = found.text.split("\n")
    assert seen == "refused; no binding"
    assert to_do in do


def test_what_is_not_known_is_left_out() -> None:
    late = replace(waits(State.AWAITING_FIX, 1), reason="")
    (found,) = judge(_subject([late]), {}, NOW)
    assert found.text.startswith("`runyard apply`")


def test_it_is_of_the_run_that_is_too_late_for_the_longest_and_over_once_none_is() -> None:
    late = [waits(State.AWAITING_PERMISSION, 5), waits(State.AWAITING_NETWORK, 16, 2)]
    found = said([], RULE, waits=late)
    alert = opened(found)
    assert alert.run == "run_2"
    assert said([], RULE, alert, waits=late) == []
    (moved,) = said([], RULE, alert, waits=late[:1])
    assert (moved.seen, moved.run) == (True, "run_1")
    (over,) = said([], RULE, alert, waits=[waits(State.AWAITING_NETWORK, 1)])
    assert (over.seen, over.reason) == (False, "no run of it waits so long any more")


@pytest.mark.parametrize(
    ("ended", "death", "is_over"),
    [
        (("dead", 1), None, False),
        (("dead", 1), "dead", True),
        (("dead", 1), "failing", False),
        (("dead", DEATH_TOLD_WITHIN / MINUTE), None, True),  # it cannot be told
        (("succeeded", 1), None, True),
        (("cancelled", 1), None, True),
    ],
)
def test_a_death_is_told_before_its_wait_is_over(
    ended: tuple[str, float], death: str | None, is_over: bool
) -> None:
    subject = _subject([], runs=[run(1, *ended)])
    found = judge(subject, _open(subject, death), NOW)
    assert [one.rule for one in found if not one.seen and one.rule == "stuck"] == (
        ["stuck"] if is_over else []
    )


def test_where_no_death_is_told_nothing_is_waited_for() -> None:
    subject = _subject([], runs=[run(1, "dead", 1)], alerts=OFF[:1])
    assert [one.rule for one in judge(subject, _open(subject, None), NOW)] == ["stuck"]


def test_when_a_wait_will_have_lasted_too_long_is_known() -> None:
    def at(*found: Run, **more: Any) -> datetime | None:
        subject = _subject(found, **more)
        return wait_too_long_at(subject, named(subject.spec.alerts), NOW)

    network, capacity = waits(State.AWAITING_NETWORK, 5), waits(State.AWAITING_CAPACITY, 9, 2)
    assert at(network, capacity) == NOW + 6 * MINUTE
    assert at(network, waits(State.AWAITING_CAPACITY, 15, 2)) == NOW + 10 * MINUTE
    assert at(waits(State.AWAITING_PERMISSION, 0)) is None
    assert at() is None
    assert at(network, alerts=OFF) is None


def test_time_alone_makes_nothing_wrong_of_a_job_without_waits() -> None:
    assert not of_time(named(()), scheduled=False)


def test_a_wait_has_a_name_and_may_last_for_nothing_at_all() -> None:
    (rule,) = make_spec(alerts=[RULE]).alerts
    assert words(rule) == "a run awaits network for 10m, permission"
    with pytest.raises(InvalidSpec) as caught:
        make_spec(alerts=[{"waiting": {}}])
    some = "a mapping with at least one of network, capacity, permission, application"
    assert some in caught.value.faults[0].expected
    with pytest.raises(InvalidSpec):
        make_spec(alerts=[{"waiting": {"fix": "0s"}}])


def _subject(found: Any, runs: Any = (), **spec: Any) -> Subject:
    return Subject("prod", make_spec(**spec), NOW - timedelta(days=1), runs, waits=found)


def _open(subject: Subject, death: str | None) -> dict[str, Alert]:
    """The alert of a wait of run_1, and one of another rule, if it is named."""
    late = _subject([waits(State.AWAITING_FIX, 5)])
    seen: list[Observation] = judge(late, {}, NOW)
    alert = opened(seen)
    found = {alert.fingerprint: alert}
    if death is not None:
        key = fingerprint("prod", subject.spec, death)
        found[key] = replace(alert, fingerprint=key, rule=death)
    return found
