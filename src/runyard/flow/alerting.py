"""The lifecycle of an alert. All of it; nothing about it lives elsewhere.

    PENDING --Held--> FIRING --Taken--> ACKNOWLEDGED
       |                | ^                  |
       |       Silenced | | Unsilenced       | Silenced
       |                v |                  |
       +--Silenced--> SILENCED <-------------+
    every one of them --Calmed, Closed--> RESOLVED

Rule 1  What may follow what is said by TRANSITIONS, and by nothing else.
Rule 2  What is over is told at once the first time. What comes back within `FLAP_WINDOW` must then
        stay away for `calm`, which doubles with each return: it goes on as one alert meanwhile, and
        nobody is told of its comings and goings.

Promises, each an invariant of the property and simulation tests: one alert for a fingerprint until
it is resolved; final is final; whatever is seen is counted in exactly one alert.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any

from runyard.model.alert import (
    Alert,
    AlertEvent,
    AlertId,
    AlertState,
    Calmed,
    Cleared,
    Closed,
    Held,
    Observation,
    Seen,
    Silenced,
    Taken,
    Unsilenced,
)
from runyard.model.errors import IllegalTransition
from runyard.model.ids import stamped

State = AlertState

# fmt: off
TRANSITIONS: dict[State, dict[type, State]] = {
    State.PENDING:      {Seen: State.PENDING, Held: State.FIRING, Silenced: State.SILENCED,
                         Calmed: State.RESOLVED, Closed: State.RESOLVED},
    State.FIRING:       {Seen: State.FIRING, Cleared: State.FIRING, Taken: State.ACKNOWLEDGED,
                         Silenced: State.SILENCED, Calmed: State.RESOLVED,
                         Closed: State.RESOLVED},
    State.ACKNOWLEDGED: {Seen: State.ACKNOWLEDGED, Cleared: State.ACKNOWLEDGED,
                         Taken: State.ACKNOWLEDGED, Silenced: State.SILENCED,
                         Calmed: State.RESOLVED, Closed: State.RESOLVED},
    State.SILENCED:     {Seen: State.SILENCED, Silenced: State.SILENCED, Unsilenced: State.FIRING,
                         Calmed: State.RESOLVED, Closed: State.RESOLVED},
    State.RESOLVED:     {},
}
# fmt: on
FLAP_WINDOW = timedelta(minutes=30)  #: what comes back sooner after its end flaps
CALM = timedelta(minutes=5)  #: how long what came back once must stay away
CALM_MAX = timedelta(hours=1)
_QUIET = frozenset({State.PENDING, State.SILENCED})  #: nobody was told of it


def begin(seen: Observation, last: Alert | None, now: datetime) -> Alert:
    """The alert of something that was seen and has none. `last` was its alert before.

    Its id is of that one too: within one batch there may be two at the same instant.
    """
    came_back = last is not None and now - (last.resolved_at or now) < FLAP_WINDOW
    holds = seen.hold_seconds > 0
    key = seen.fingerprint if last is None else f"{seen.fingerprint} after {last.id}"
    return Alert(
        id=AlertId(stamped("alert", now, chance_of(key, now))),
        fingerprint=seen.fingerprint,
        group=seen.group,
        environment=seen.environment,
        project=seen.project,
        job=seen.job,
        rule=seen.rule,
        state=State.PENDING if holds else State.FIRING,
        severity=seen.severity,
        title=seen.title,
        text=seen.text,
        opened_at=now,
        last_seen_at=now,
        run=seen.run,
        region=seen.region,
        labels=seen.labels,
        runbook=seen.runbook,
        but=seen.but,
        due_at=now + timedelta(seconds=seen.hold_seconds) if holds else None,
        flaps=last.flaps + 1 if last is not None and came_back else 0,
    )


def chance_of(key: str, now: datetime) -> int:
    """What an id is made with: the same decision made twice makes the same id."""
    said = f"{key}@{now.isoformat()}".encode()
    return int.from_bytes(blake2b(said, digest_size=10).digest(), "big")


def calm(flaps: int) -> timedelta:
    """How long what came back so often must stay away until it is over."""
    return timedelta() if not flaps else min(CALM_MAX, CALM * 2 ** min(flaps - 1, 10))


def decide(alert: Alert, event: AlertEvent, now: datetime) -> Alert:
    """Say what `event`, at `now` (UTC), makes of `alert`.

    Raises IllegalTransition when the table has no such step.
    """
    match event:
        case Seen(seen):
            return _seen(alert, seen, now)
        case Cleared(reason):
            return _cleared(alert, reason, now)
        case Held() | Unsilenced():
            return _to(alert, type(event), due_at=None, silence="")
        case Calmed():
            return _over(alert, Calmed, now, alert.reason)
        case Closed(by, reason):
            words = f"resolved by {by}" + (f": {reason}" if reason else "")
            return _over(alert, Closed, now, words)
        case Silenced() if alert.cleared_at is not None:  # nobody need be told that it stays away
            return _over(alert, Calmed, now, alert.reason)
        case Silenced(silence, until):
            return _to(alert, Silenced, silence=silence, due_at=until)
        case _:
            return _to(alert, Taken)


def due(alert: Alert) -> AlertEvent:
    """What happens to an alert when its instant has come."""
    if alert.cleared_at is not None:
        return Calmed()
    return Held() if alert.state is State.PENDING else Unsilenced()


def _seen(alert: Alert, seen: Observation, now: datetime) -> Alert:
    was_away = alert.cleared_at is not None
    return _to(
        alert,
        Seen,
        last_seen_at=now,
        seen_count=alert.seen_count + 1,
        severity=seen.severity,
        title=seen.title,
        text=seen.text,
        run=seen.run,
        region=seen.region,
        labels=seen.labels,
        runbook=seen.runbook,
        reason="",
        cleared_at=None,
        due_at=None if was_away else alert.due_at,
    )


def _cleared(alert: Alert, reason: str, now: datetime) -> Alert:
    stays_away = timedelta() if alert.state in _QUIET else calm(alert.flaps)
    if not stays_away:
        return _over(alert, Calmed, now, reason)
    since = alert.cleared_at or now
    return _to(alert, Cleared, cleared_at=since, due_at=since + stays_away, reason=reason)


def _over(alert: Alert, cause: type, now: datetime, reason: str) -> Alert:
    return _to(alert, cause, resolved_at=now, due_at=None, reason=reason)


def _to(alert: Alert, cause: type, **changes: Any) -> Alert:
    try:
        state = TRANSITIONS[alert.state][cause]
    except KeyError:
        message = f"{alert.id}: {cause.__name__} cannot happen while it is {alert.state}"
        raise IllegalTransition(message) from None
    return replace(alert, state=state, version=alert.version + 1, **changes)
