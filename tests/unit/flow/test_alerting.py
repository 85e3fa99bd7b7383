"""Alerts and incidents: every step of their tables, and their promises as properties."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runyard.flow import alerting, incident
from runyard.flow.alerting import CALM, CALM_MAX, FLAP_WINDOW, begin, calm, decide, due
from runyard.flow.incident import Emptied
from runyard.flow.notices import notice_of
from runyard.model.alert import (
    Alert,
    AlertId,
    AlertState,
    Calmed,
    Cleared,
    Closed,
    Held,
    Observation,
    Seen,
    Silence,
    Silenced,
    SilenceId,
    Taken,
    Unsilenced,
)
from runyard.model.channels import Escalation
from runyard.model.errors import IllegalTransition
from runyard.model.incident import (
    EVENTS,
    Acknowledged,
    Assigned,
    Escalated,
    Incident,
    IncidentState,
    Joined,
    Left,
    Noted,
    NotTold,
    Remedied,
    RemedyAction,
    Resolved,
    Told,
)
from runyard.model.notice import NoticeKind, Severity
from runyard.store.alert_rows import alert_of, body_of, fact_of, incident_of, silence_of
from runyard.store.documents import dumps

NOW = datetime(2026, 9, 1, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SEEN = Observation(
    fingerprint="job/prod/shop/report/dead",
    group="job/shop/report",
    seen=True,
    environment="prod",
    project="shop",
    job="report",
    rule="dead",
    severity=Severity.ERROR,
    title="report is dead",
    text="exit status 1",
    run="run_1",
    region="us-central1",
    labels=(("team", "data"),),
    runbook="https://example.com/report",
)


def firing(**changes: Any) -> Alert:
    return replace(begin(SEEN, None, NOW), **changes)


def test_what_is_seen_fires_at_once_or_after_a_while() -> None:
    assert (firing().state, firing().due_at) == (AlertState.FIRING, None)
    held = begin(replace(SEEN, hold_seconds=60), None, NOW)
    assert (held.state, held.due_at) == (AlertState.PENDING, NOW + MINUTE)
    assert due(held) == Held()
    again = decide(held, Seen(replace(SEEN, run="run_2")), NOW + MINUTE / 2)
    assert (again.due_at, again.seen_count, again.run) == (NOW + MINUTE, 2, "run_2")
    fired = decide(again, Held(), NOW + MINUTE)
    assert (fired.state, fired.due_at) == (AlertState.FIRING, None)
    over = decide(held, Cleared("fine"), NOW)
    assert (over.state, over.reason, over.due_at) == (AlertState.RESOLVED, "fine", None)


def test_the_same_decision_makes_the_same_id() -> None:
    assert firing().id == begin(SEEN, None, NOW).id
    assert firing().id != begin(SEEN, None, NOW + MINUTE).id
    assert firing().id != begin(SEEN, firing(), NOW).id, "two of one batch are two"
    assert incident.begin(firing(), "", NOW).id == incident.begin(firing(), "", NOW).id
    assert incident.begin(firing(), "", NOW).id != incident.begin(firing(), "inc_1", NOW).id


def test_what_is_over_for_the_first_time_is_over_at_once() -> None:
    over = decide(firing(), Cleared("run_2 succeeded"), NOW + MINUTE)
    assert (over.state, over.resolved_at) == (AlertState.RESOLVED, NOW + MINUTE)


def test_what_comes_back_must_stay_away() -> None:
    last = decide(firing(), Cleared("fine"), NOW)
    back = begin(SEEN, last, NOW + FLAP_WINDOW - MINUTE)
    assert back.flaps == 1
    assert begin(SEEN, last, NOW + FLAP_WINDOW).flaps == 0
    away = decide(back, Cleared("fine"), NOW)
    assert (away.state, away.cleared_at, away.due_at) == (AlertState.FIRING, NOW, NOW + CALM)
    assert decide(away, Cleared("fine"), NOW + MINUTE).due_at == NOW + CALM
    assert due(away) == Calmed()
    assert decide(away, Calmed(), NOW + CALM).reason == "fine"
    again = decide(away, Seen(SEEN), NOW + MINUTE)
    assert (again.cleared_at, again.due_at, again.reason) == (None, None, "")


def test_calm_doubles_to_an_hour() -> None:
    assert [calm(flaps) for flaps in (0, 1, 2, 3)] == [timedelta(), CALM, 2 * CALM, 4 * CALM]
    assert calm(5) == calm(500) == CALM_MAX


def test_a_silence_holds_back_and_gives_back() -> None:
    hushed = decide(firing(), Silenced("by ann", NOW + MINUTE), NOW)
    assert (hushed.state, hushed.due_at, due(hushed)) == (
        AlertState.SILENCED, NOW + MINUTE, Unsilenced(),
    )  # fmt: skip
    assert decide(hushed, Seen(SEEN), NOW).due_at == NOW + MINUTE
    given_back = decide(hushed, Unsilenced(), NOW + MINUTE)
    assert (given_back.state, given_back.silence, given_back.is_told) == ("firing", "", True)
    assert decide(replace(hushed, flaps=3), Cleared("x"), NOW).state is AlertState.RESOLVED
    longer = decide(hushed, Silenced("by bob", NOW + 2 * MINUTE), NOW)
    assert (longer.silence, longer.due_at) == ("by bob", NOW + 2 * MINUTE)


def test_who_resolves_by_hand_is_named() -> None:
    assert decide(firing(), Closed("ann"), NOW).reason == "resolved by ann"
    assert decide(firing(), Closed("ann", "why"), NOW).reason == "resolved by ann: why"
    taken = decide(firing(), Taken("ann"), NOW)
    assert (taken.state, taken.is_told) == (AlertState.ACKNOWLEDGED, True)


def test_a_silence_is_of_one_job_and_one_rule_or_of_all() -> None:
    usual: dict[str, Any] = {"begins_at": NOW, "ends_at": NOW + MINUTE, "by": "a", "reason": ""}
    one = Silence(SilenceId("s"), "prod", "report", "", **usual)
    assert one.holds("report", "dead", NOW)
    assert not one.holds("other", "dead", NOW)
    assert not one.holds("report", "dead", NOW + MINUTE)
    assert not replace(one, ended_by="a").holds("report", "dead", NOW)
    assert not replace(one, rule="failing").holds("report", "dead", NOW)
    assert replace(one, job="").holds("other", "dead", NOW)


EVENTS_OF_ALERTS = [
    Seen(SEEN), Cleared("fine"), Held(), Calmed(), Taken("ann"), Closed("ann"), Unsilenced(),
    Silenced("by ann", NOW + MINUTE),
]  # fmt: skip


@given(st.lists(st.sampled_from(EVENTS_OF_ALERTS), max_size=30), st.integers(0, 4))
def test_alerts_keep_their_promises(events: list[Any], flaps: int) -> None:
    alert = replace(firing(), flaps=flaps)
    seen = 1
    for number, event in enumerate(events):
        now = NOW + number * MINUTE
        before = alert
        try:
            alert = decide(alert, event, now)
        except IllegalTransition:
            assert alert == before
            continue
        assert before.state is not AlertState.RESOLVED, "final is final"
        seen += isinstance(event, Seen)
        assert alert.version == before.version + 1
        assert alert.seen_count == seen
        assert (alert.resolved_at is None) is (alert.state is not AlertState.RESOLVED)
        assert alert.due_at is None or alert.state is not AlertState.RESOLVED
        assert alert_of(body_of(alert)) == alert


# -- incidents -----------------------------------------------------------------------------------
STEPS = [
    Escalation.model_validate({"after": "60s", "to": ("lead",)}),
    Escalation.model_validate({"after": "600s", "to": ("boss",)}),
]
JOINED = Joined(
    AlertId("a1"), "dead", Severity.ERROR, "report is dead", "exit 1", "run_1", "us", ("ops",)
)


def opened(**changes: Any) -> Incident:
    row = incident.begin(firing(), "", NOW)
    return replace(incident.decide(row, JOINED, STEPS, NOW).incident, **changes)


def after(row: Incident, event: Any, minutes: float = 1) -> Incident:
    return incident.decide(row, event, STEPS, NOW + minutes * MINUTE).incident


def test_the_first_alert_opens_and_the_last_resolves() -> None:
    row = opened()
    assert (row.state, row.due_at, row.told) == ("open", NOW + MINUTE, ("ops",))
    second = replace(JOINED, alert=AlertId("a2"), severity=Severity.CRITICAL, to=("lead",))
    row = after(row, second)
    assert (row.severity, row.told) == (Severity.CRITICAL, ("ops", "lead"))
    row = after(row, Left(AlertId("a1"), "fine"))
    assert row.state is IncidentState.OPEN
    row = after(row, Left(AlertId("a2"), "fine too"))
    assert (row.state, row.reason, row.resolved_by) == (IncidentState.RESOLVED, "fine too", "")
    assert (row.resolved_at, row.due_at) == (NOW + MINUTE, None)
    assert not any(member.is_open for member in row.members)
    again = after(opened(), replace(JOINED, severity=Severity.WARNING))
    assert (len(again.members), again.severity) == (1, Severity.ERROR)


def test_only_the_first_of_a_queue_is_on_its_way() -> None:
    row = opened()
    assert row.queues == (("ops", (1,)),)
    assert row.next_for("ops") == 1
    assert row.next_for("lead") is None
    more = incident.decide(row, replace(JOINED, alert=AlertId("a2")), STEPS, NOW)
    assert (more.effects, more.incident.queues) == ((), (("ops", (1, 2)),))
    with pytest.raises(IllegalTransition):
        incident.decide(more.incident, Told("ops", 2), STEPS, NOW)
    told = incident.decide(more.incident, Told("ops", 1), STEPS, NOW)
    assert [one.number for one in told.effects] == [2]
    last = incident.decide(told.incident, NotTold("ops", 2, "no"), STEPS, NOW)
    assert (last.effects, last.incident.queues) == ((), ())


def test_nothing_is_told_to_the_channel_that_is_down() -> None:
    row = replace(incident.begin(firing(but="ops"), "inc_0", NOW))
    decision = incident.decide(row, replace(JOINED, to=("ops", "lead")), STEPS, NOW)
    assert [one.channel for one in decision.effects] == ["lead"]
    assert decision.incident.previous == "inc_0"


def test_it_escalates_step_by_step_until_somebody_has_it() -> None:
    row = after(opened(), Escalated(1, ("lead",)))
    assert (row.escalated, row.due_at) == (1, NOW + 10 * MINUTE)
    done = after(row, Escalated(2, ("boss",)))
    assert (done.due_at, done.told) == (None, ("ops", "lead", "boss"))
    taken = after(row, Acknowledged("ann", "on it"))
    assert (taken.state, taken.due_at, taken.assignee) == (IncidentState.ACKNOWLEDGED, None, "ann")
    bob = after(taken, Acknowledged("bob"), 5)
    assert (bob.acknowledged_by, bob.acknowledged_at, bob.assignee) == (
        "bob", NOW + MINUTE, "ann",
    )  # fmt: skip
    assert after(taken, Assigned("ann", "")).assignee == ""


def test_what_is_resolved_takes_notes_and_what_was_done_only() -> None:
    row = after(opened(), Resolved("ann", "a new disk"))
    assert (row.resolved_by, row.reason) == ("ann", "a new disk")
    assert after(row, Noted("ann", "x")).version == row.version + 1
    assert after(row, Remedied("ann", RemedyAction.PAUSE, "x")).version == row.version + 1
    for event in (JOINED, Acknowledged("ann"), Escalated(1, ()), Resolved("b"), Assigned("a", "b")):
        with pytest.raises(IllegalTransition):
            after(row, event)


EVENTS_OF_INCIDENTS: list[Callable[[Incident], Any]] = [
    lambda _: JOINED,
    lambda _: replace(JOINED, alert=AlertId("a2"), to=("lead", "ops")),
    lambda _: Left(AlertId("a1"), "fine"),
    lambda _: Left(AlertId("a2"), "fine"),
    lambda _: Acknowledged("ann"),
    lambda row: Escalated(row.escalated + 1, ("boss",)),
    lambda _: Resolved("ann"),
    lambda _: Noted("ann", "x"),
    lambda _: Remedied("ann", RemedyAction.REPLAY, "2 runs", "a new disk", "k", ("run_2", "run_3")),
    lambda row: Told("ops", row.next_for("ops") or 0),
    lambda row: NotTold("lead", row.next_for("lead") or 0, "no"),
    lambda row: Told("boss", row.next_for("boss") or 0),
]


@given(st.lists(st.sampled_from(EVENTS_OF_INCIDENTS), max_size=40))
def test_incidents_keep_their_promises(makers: list[Callable[[Incident], Any]]) -> None:
    row = opened()
    out = {("ops", 1)}
    for maker in makers:
        event = maker(row)
        try:
            decision = incident.decide(row, event, STEPS, NOW)
        except IllegalTransition:
            continue
        if isinstance(event, Told | NotTold):
            out.remove((event.channel, event.number))
        wanted = {(one.channel, one.number) for one in decision.effects}
        assert not wanted & out, "asked for twice"
        out |= wanted
        before, row = row, decision.incident
        assert len({channel for channel, _ in out}) == len(out), "two on their way to one channel"
        assert out == {(name, numbers[0]) for name, numbers in row.queues}
        assert row.version == before.version + 1
        assert not before.is_final or row.is_final
        assert row.due_at is None or row.state is IncidentState.OPEN
        assert incident_of(body_of(row)) == row
        assert (
            fact_of(next(k for k, v in EVENTS.items() if v is type(event)), dumps(event)) == event
        )


@pytest.mark.parametrize(
    ("number", "fact", "minutes", "kind", "title", "text"),
    [
        (1, JOINED, 0, NoticeKind.OPENED, "report is dead", "exit 1"),
        (2, JOINED, 0, NoticeKind.WORSENED, "report is dead", "exit 1"),
        (3, Acknowledged("ann", "on it"), 1, NoticeKind.ACKNOWLEDGED, "ann has it: ", "on it"),
        (4, Escalated(1, ("x",)), 1, NoticeKind.ESCALATED, "Still open: ", "in 60 s: `runyard"),
        (5, Left(AlertId("a1"), "fine"), 30, NoticeKind.RESOLVED, "Resolved: ", "30 min: fine."),
        (
            6,
            Resolved("ann"),
            180,
            NoticeKind.RESOLVED,
            "Resolved: ",
            "Resolved by ann after 3.0 h.",
        ),
        (7, Noted("ann", "x"), 1, NoticeKind.ANNOUNCED, "report is dead", ""),
    ],
)
def test_each_fact_is_told_in_words(
    number: int, fact: Any, minutes: float, kind: NoticeKind, title: str, text: str
) -> None:
    row = opened(assignee="ann")
    notice = notice_of(row, number, fact, NOW + minutes * MINUTE)
    assert notice.kind is kind
    assert title in notice.title
    assert text in notice.text
    assert (notice.key, notice.thread) == (f"{row.id}/{number}", row.id)
    assert dict(notice.details) == {"incident": row.id, "assignee": "ann"}
    assert notice.link == "https://example.com/report"
    assert notice_of(opened(), 1, JOINED, NOW).details == (("incident", row.id),)


def test_every_state_has_a_row() -> None:
    assert set(alerting.TRANSITIONS) == set(AlertState)
    assert set(incident.TRANSITIONS) == set(IncidentState)
    causes = {cause for row in incident.TRANSITIONS.values() for cause in row}
    assert causes - {Emptied} == set(EVENTS.values())


def test_a_silence_comes_back_from_its_row() -> None:
    one = Silence(SilenceId("s"), "prod", "report", "dead", NOW, NOW + MINUTE, "ann", "why")
    assert silence_of(body_of(one)) == one
