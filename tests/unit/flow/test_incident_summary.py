"""How a month went: every number of a summary, and that it does not depend on the order."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from runyard.flow.incident_summary import (
    JOBS_MAX,
    NOISIEST,
    JobCount,
    RuleCount,
    Summary,
    Tally,
    Times,
    month,
    times,
)
from runyard.model.alert import AlertId, IncidentId
from runyard.model.incident import Incident, IncidentState, Member, Remedied, RemedyAction
from runyard.model.notice import Severity

OPENED = datetime(2026, 11, 3, 12, tzinfo=UTC)


def member(alert: str, rule: str = "dead") -> Member:
    return Member(AlertId(alert), rule, Severity.ERROR, "it is dead", is_open=False)


def incident(
    job: str = "report",
    acknowledged: float | None = None,
    resolved: float | None = None,
    **more: Any,
) -> Incident:
    """Acknowledged and resolved after so many seconds; None: not at all."""
    made = Incident(
        id=IncidentId("inc_1"),
        environment="local",
        project="shop",
        job=job,
        group="g",
        state=IncidentState.OPEN if resolved is None else IncidentState.RESOLVED,
        severity=Severity.ERROR,
        title="it is dead",
        opened_at=OPENED,
        members=(member("a1"),),
        acknowledged_at=_after(acknowledged),
        resolved_at=_after(resolved),
    )
    return replace(made, **more)


def _after(seconds: float | None) -> datetime | None:
    return None if seconds is None else OPENED + timedelta(seconds=seconds)


def summary(*incidents: Incident, did: tuple[Remedied, ...] = ()) -> Summary:
    tally = Tally()
    for one in incidents:
        tally.add(one)
    return tally.summary(did)


def test_incidents_are_counted_by_severity() -> None:
    found = summary(incident(), incident(), incident(severity=Severity.CRITICAL))
    assert dict(found.by_severity)[Severity.ERROR] == 2
    assert dict(found.by_severity)[Severity.CRITICAL] == 1


def test_a_month_without_incidents() -> None:
    found = summary()
    assert (found.incidents, found.open, found.to_resolve) == (0, 0, Times())
    assert (found.by_job, found.rules, found.actions) == ((), (), ())
    assert dict(found.by_severity) == dict.fromkeys(Severity, 0)


def test_each_incident_is_counted_by_what_became_of_it() -> None:
    found = summary(
        incident(),
        incident(acknowledged=60),
        incident(acknowledged=30, resolved=90, resolved_by="ann", escalated=1),
        incident("other", resolved=10, severity=Severity.CRITICAL),
        incident("", acknowledged=30, resolved=50),
    )
    assert (found.incidents, found.open, found.escalated) == (5, 2, 1)
    assert (found.by_itself, found.by_people, found.unseen) == (2, 1, 1)
    assert found.by_severity == (
        (Severity.CRITICAL, 1), (Severity.ERROR, 4), (Severity.WARNING, 0), (Severity.INFO, 0),
    )  # fmt: skip
    assert found.by_job == (
        JobCount("shop", "report", 3), JobCount("shop", "", 1), JobCount("shop", "other", 1),
    )  # fmt: skip
    assert found.to_acknowledge == Times(3, 40, 30, 60)
    assert found.to_resolve == Times(3, 50, 50, 90)


def test_the_noisiest_rules_come_first() -> None:
    noisy = (member("a1", "slow"), member("a2", "slow"), member("a3"))
    found = summary(
        incident(resolved=10, members=noisy),
        incident(acknowledged=5, resolved=10, members=(member("a4", "slow"),)),
        incident(resolved=10, resolved_by="ann"),
    )
    assert found.rules == (
        RuleCount("shop", "report", "slow", alerts=3, incidents=2, unseen=1),
        RuleCount("shop", "report", "dead", alerts=2, incidents=2, unseen=1),
    )
    many = [incident(f"job-{number:03}") for number in range(JOBS_MAX + 1)]
    found = summary(*many)
    assert (len(found.rules), len(found.by_job)) == (NOISIEST, JOBS_MAX)


def test_what_was_done_is_counted_by_kind() -> None:
    did = [Remedied("ann", action, "x") for action in (RemedyAction.PAUSE, RemedyAction.ROLLBACK)]
    found = summary(did=(*did, did[0]))
    assert found.actions == ((RemedyAction.ROLLBACK, 1), (RemedyAction.PAUSE, 2))


@given(st.lists(st.floats(0, 1e6), min_size=1), st.randoms(use_true_random=False))
def test_quantiles_are_values_that_there_were(values: list[float], random: Any) -> None:
    found = times(values)
    assert found.p50_seconds in values
    assert found.p90_seconds in values
    assert found.p50_seconds <= found.p90_seconds
    assert sum(one <= found.p90_seconds for one in values) >= 0.9 * len(values)
    assert sum(one >= found.p50_seconds for one in values) >= len(values) / 2
    random.shuffle(values)
    assert times(values) == found


def test_months_end_where_the_next_begins() -> None:
    assert month("2026-11") == (
        datetime(2026, 11, 1, tzinfo=UTC),
        datetime(2026, 12, 1, tzinfo=UTC),
    )
    assert month("2026-12")[1] == month("2027-01")[0]
