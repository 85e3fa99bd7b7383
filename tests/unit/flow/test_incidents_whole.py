"""Alerts, incidents and notices whole: every field of each, and where one word gives way to the
next."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from runyard.flow import alerting, incident
from runyard.flow.alerting import CALM, CALM_MAX, FLAP_WINDOW, begin, calm, decide
from runyard.flow.notices import notice_of
from runyard.model.alert import (
    Alert,
    AlertId,
    AlertState,
    Calmed,
    Cleared,
    IncidentId,
    Observation,
    Seen,
    Silenced,
    Taken,
)
from runyard.model.channels import Escalation
from runyard.model.effect import Notify
from runyard.model.errors import IllegalTransition
from runyard.model.incident import (
    Acknowledged,
    Escalated,
    Incident,
    IncidentState,
    Joined,
    Left,
    Member,
    Noted,
    NotTold,
    Resolved,
    Told,
)
from runyard.model.notice import Notice, NoticeKind, Severity

NOW = datetime(2026, 9, 1, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)
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
    but="ops",
)
FIRING = Alert(
    id=begin(SEEN, None, NOW).id,
    fingerprint="job/prod/shop/report/dead",
    group="job/shop/report",
    environment="prod",
    project="shop",
    job="report",
    rule="dead",
    state=AlertState.FIRING,
    severity=Severity.ERROR,
    title="report is dead",
    text="exit status 1",
    opened_at=NOW,
    last_seen_at=NOW,
    run="run_1",
    region="us-central1",
    labels=(("team", "data"),),
    runbook="https://example.com/report",
    but="ops",
)
INCIDENT = Incident(
    id=incident.begin(FIRING, "inc_0", NOW).id,
    environment="prod",
    project="shop",
    job="report",
    group="job/shop/report",
    state=IncidentState.OPEN,
    severity=Severity.ERROR,
    title="report is dead",
    opened_at=NOW,
    labels=(("team", "data"),),
    runbook="https://example.com/report",
    but="ops",
    previous="inc_0",
)
STEPS = [Escalation.model_validate({"after": "60s", "to": ("lead",)})]
JOINED = Joined(
    AlertId("a1"), "dead", Severity.ERROR, "report is dead", "exit 1", "run_1", "us", ("mail",)
)


# -- alerts --------------------------------------------------------------------------------------
def test_an_alert_knows_all_that_was_seen() -> None:
    assert begin(SEEN, None, NOW) == FIRING
    assert FIRING.id.startswith("alert_")
    assert begin(SEEN, replace(FIRING, id=AlertId("a0")), NOW).id != FIRING.id


def test_what_must_hold_on_for_a_moment_is_pending_for_it() -> None:
    held = begin(replace(SEEN, hold_seconds=0.5), None, NOW)
    assert (held.state, held.due_at) == (AlertState.PENDING, NOW + SECOND / 2)


def test_what_is_seen_again_is_known_as_it_is_now() -> None:
    other = Observation(
        fingerprint=FIRING.fingerprint, group="x", seen=True, environment="x", project="x",
        job="x", rule="x", severity=Severity.CRITICAL, title="worse", text="exit status 2",
        run="run_2", region="europe-west1", labels=(("team", "ops"),), runbook="https://b.org",
    )  # fmt: skip
    later = NOW + MINUTE
    assert decide(FIRING, Seen(other), later) == replace(
        FIRING, last_seen_at=later, seen_count=2, severity=Severity.CRITICAL, title="worse",
        text="exit status 2", run="run_2", region="europe-west1", labels=(("team", "ops"),),
        runbook="https://b.org", version=2,
    )  # fmt: skip


def test_what_comes_back_within_half_an_hour_of_its_end_flaps() -> None:
    over = decide(FIRING, Cleared("fine"), NOW)
    assert over.resolved_at == NOW
    assert begin(SEEN, replace(over, flaps=2), NOW + FLAP_WINDOW - SECOND).flaps == 3
    assert begin(SEEN, replace(over, flaps=2), NOW + FLAP_WINDOW).flaps == 0
    assert begin(SEEN, replace(over, resolved_at=None), NOW).flaps == 1


def test_calm_grows_until_an_hour() -> None:
    found = [calm(flaps) for flaps in range(7)]
    assert found == [timedelta(), CALM, 2 * CALM, 4 * CALM, 8 * CALM, CALM_MAX, CALM_MAX]


def test_who_is_silenced_while_it_stays_away_is_over() -> None:
    """Or it would fire when the silence ends, though what it is about is over."""
    away = decide(replace(FIRING, flaps=1), Cleared("run_2 succeeded"), NOW)
    assert away.state is AlertState.FIRING
    over = decide(away, Silenced("by ann", NOW + 60 * MINUTE), NOW + MINUTE)
    assert (over.state, over.resolved_at) == (AlertState.RESOLVED, NOW + MINUTE)
    assert (over.reason, over.due_at, over.silence) == ("run_2 succeeded", None, "")


def test_a_step_that_an_alert_does_not_have_is_refused_with_its_names() -> None:
    over = decide(FIRING, Cleared("fine"), NOW)
    with pytest.raises(IllegalTransition) as caught:
        decide(over, Taken("ann"), NOW)
    assert caught.value.message == f"{over.id}: Taken cannot happen while it is resolved"
    assert alerting.TRANSITIONS[AlertState.RESOLVED] == {}
    assert decide(replace(FIRING, reason="x"), Calmed(), NOW + MINUTE).resolved_at == NOW + MINUTE


# -- incidents -----------------------------------------------------------------------------------
def test_an_incident_knows_all_of_its_first_alert() -> None:
    assert incident.begin(FIRING, "inc_0", NOW) == INCIDENT
    assert INCIDENT.id.startswith("inc_")


def test_each_fact_is_kept_as_it_is_and_asks_for_its_notices() -> None:
    decision = incident.decide(INCIDENT, JOINED, STEPS, NOW)
    assert decision.fact == JOINED
    assert decision.effects == (Notify(INCIDENT.id, "mail", 1),)
    row = decision.incident
    assert row == replace(
        INCIDENT,
        members=(Member(AlertId("a1"), "dead", Severity.ERROR, "report is dead"),),
        due_at=NOW + MINUTE,
        told=("mail",),
        queues=(("mail", (1,)),),
        version=1,
    )
    told = incident.decide(row, Told("mail", 1), STEPS, NOW)
    assert (told.fact, told.effects) == (Told("mail", 1), ())
    assert told.incident == replace(row, queues=(), version=2)


def test_who_has_it_is_the_first_who_said_so_and_all_who_knew_are_told() -> None:
    row = incident.decide(INCIDENT, JOINED, STEPS, NOW).incident
    decision = incident.decide(row, Acknowledged("ann"), STEPS, NOW + MINUTE)
    after = decision.incident
    assert (after.acknowledged_by, after.acknowledged_at) == ("ann", NOW + MINUTE)
    assert after.queues == (("mail", (1, 2)),)
    assert decision.effects == ()
    freed = incident.decide(after, Told("mail", 1), STEPS, NOW)
    assert freed.effects == (Notify(INCIDENT.id, "mail", 2),)


def test_the_reason_of_the_last_alert_is_that_of_the_end() -> None:
    row = incident.decide(INCIDENT, JOINED, STEPS, NOW).incident
    second = incident.decide(row, replace(JOINED, alert=AlertId("a2")), STEPS, NOW).incident
    one = incident.decide(second, Left(AlertId("a1"), "fine"), STEPS, NOW)
    assert [member.is_open for member in one.incident.members] == [False, True]
    assert one.incident.queues == (("mail", (1, 2)),)  # nobody is told that one of two left
    over = incident.decide(one.incident, Left(AlertId("a2"), "fine"), STEPS, NOW + MINUTE)
    assert over.incident.queues == (("mail", (1, 2, 4)),)
    assert (over.incident.resolved_at, over.incident.reason) == (NOW + MINUTE, "fine")


def test_who_resolves_it_ends_all_of_it() -> None:
    row = incident.decide(INCIDENT, JOINED, STEPS, NOW).incident
    over = incident.decide(row, Resolved("ann", "a new disk"), STEPS, NOW + MINUTE).incident
    assert [member.is_open for member in over.members] == [False]
    assert (over.resolved_at, over.resolved_by, over.reason) == (NOW + MINUTE, "ann", "a new disk")


@pytest.mark.parametrize("event", [Told("mail", 2), NotTold("mail", 2, "no"), Told("other", 1)])
def test_a_delivery_that_is_not_under_way_is_refused_with_its_names(event: Any) -> None:
    row = incident.decide(INCIDENT, JOINED, STEPS, NOW).incident
    with pytest.raises(IllegalTransition) as caught:
        incident.decide(row, event, STEPS, NOW)
    assert caught.value.message == (
        f"{row.id}: fact {event.number} is not on its way to {event.channel}"
    )


def test_a_step_that_an_incident_does_not_have_is_refused_with_its_names() -> None:
    over = incident.decide(INCIDENT, Resolved("ann"), STEPS, NOW).incident
    with pytest.raises(IllegalTransition) as caught:
        incident.decide(over, Acknowledged("bob"), STEPS, NOW)
    assert caught.value.message == f"{over.id}: Acknowledged cannot happen while it is resolved"


# -- notices -------------------------------------------------------------------------------------
TOLD = replace(INCIDENT, id=IncidentId("inc_1"), title="all of report")
PART = Notice(
    key="inc_1/4",
    at=NOW,
    title="",
    text="",
    severity=Severity.ERROR,
    thread="inc_1",
    environment="prod",
    project="shop",
    job="report",
    link="https://example.com/report",
    details=(("incident", "inc_1"),),
)


def test_a_notice_of_an_alert_is_about_its_run_and_as_bad_as_it_is() -> None:
    assert notice_of(TOLD, 1, replace(JOINED, severity=Severity.WARNING), NOW) == replace(
        PART, key="inc_1/1", title="report is dead", text="exit 1", kind=NoticeKind.OPENED,
        severity=Severity.WARNING, run="run_1", region="us", rule="dead",
    )  # fmt: skip
    assert notice_of(TOLD, 2, JOINED, NOW).kind is NoticeKind.WORSENED


@pytest.mark.parametrize(
    ("fact", "kind", "title", "text"),
    [
        (Acknowledged("ann", "on it"), NoticeKind.ACKNOWLEDGED, "ann has it: all of report",
         "on it"),
        (Escalated(2, ("lead",)), NoticeKind.ESCALATED, "Still open: all of report",
         "Nobody acknowledged it in 0 s: `runyard incidents ack inc_1`. This is step 2."),
        (Left(AlertId("a1"), "fine"), NoticeKind.RESOLVED, "Resolved: all of report",
         "Resolved after 0 s: fine."),
        (Left(AlertId("a1"), ""), NoticeKind.RESOLVED, "Resolved: all of report",
         "Resolved after 0 s."),
        (Resolved("ann", "a new disk"), NoticeKind.RESOLVED, "Resolved: all of report",
         "Resolved by ann after 0 s: a new disk."),
        (Noted("ann", "x"), NoticeKind.ANNOUNCED, "all of report", ""),
    ],
)  # fmt: skip
def test_a_notice_of_what_became_of_it_is_about_no_run(
    fact: Any, kind: NoticeKind, title: str, text: str
) -> None:
    assert notice_of(TOLD, 4, fact, NOW) == replace(PART, kind=kind, title=title, text=text)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.9, "0 s"), (119.9, "119 s"), (120, "2 min"), (179, "2 min"), (7199, "119 min"),
        (7200, "2.0 h"), (9000, "2.5 h"), (3_600_000, "1000.0 h"),
    ],
)  # fmt: skip
def test_spans_are_told_in_the_unit_that_fits(seconds: float, words: str) -> None:
    at = NOW + timedelta(seconds=seconds)
    assert notice_of(TOLD, 4, Left(AlertId("a1"), ""), at).text == f"Resolved after {words}."
    assert f" in {words}: " in notice_of(TOLD, 4, Escalated(1, ()), at).text
