"""Runs of a job, what its rules say of them, and the alert of that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from runyard.flow.alerting import begin
from runyard.flow.rule_subject import Subject
from runyard.flow.rules import fingerprint, judge
from runyard.model.alert import Alert, Observation
from runyard.model.ids import RunId
from runyard.model.run import RunView, State
from tests.support.runs import make_spec

NOW = datetime(2026, 9, 1, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
OFF = [{"name": name, kind: about, "enabled": False} for name, kind, about in
       (("dead", "dead", {}), ("failing", "consecutiveFailures", 3),
        ("stuck", "waiting", {"permission": "0s"}),
        ("overdue", "overdue", {"within": "10m"}))]  # fmt: skip


def run(number: int, state: str, ago: float, seconds: float = 10) -> RunView:
    """A run that ended so many minutes ago, or (not final) was asked for then."""
    at, final = NOW - ago * MINUTE, state in ("succeeded", "dead", "cancelled")
    started = None if state == "queued" else at - timedelta(seconds=seconds if final else 0)
    return RunView(
        RunId(f"run_{number}"), State(state), "us-central1",
        (started or at) - timedelta(seconds=final), started, at if final else None,
    )  # fmt: skip


def runs(states: str, **more: Any) -> list[RunView]:
    """Runs that ended a minute apart, the last one now: d for dead, s for succeeded, c for
    cancelled."""
    words = {"d": "dead", "s": "succeeded", "c": "cancelled"}
    count = len(states)
    found = [run(n, words[one], count - 1 - n, **more) for n, one in enumerate(states)]
    return found[::-1]


def said(
    found: Sequence[RunView], rule: dict[str, Any], alert: Alert | None = None, **more: Any
) -> list[Observation]:
    """What a rule that stands alone, called `mine`, says of a job with these runs."""
    spec = make_spec(alerts=[*OFF, rule | {"name": "mine"}])
    subject = Subject("prod", spec, NOW - timedelta(days=1), found, **more)
    key = fingerprint("prod", spec, "mine")
    return judge(subject, {key: alert} if alert else {}, NOW)


def opened(found: Sequence[Observation], **changes: Any) -> Alert:
    """The alert of the one thing that was said to be wrong."""
    (one,) = found
    assert one.seen
    return replace(begin(one, None, NOW), **changes)
