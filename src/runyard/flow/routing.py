"""Who is told of what: by an environment's routes, and by its escalation. Pure: zones are handed
in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from runyard.flow import freezing
from runyard.flow.freezing import Zones
from runyard.model.channels import EmailChannel, Escalation, Hours, Route
from runyard.model.environment import Environment, Maintenance
from runyard.model.errors import Fault
from runyard.model.notice import Severity
from runyard.model.validation import did_you_mean, one_of, shown

DAYS = 7


@dataclass(frozen=True, slots=True)
class Subject:
    """What is told of, as far as routes ask. `job` is empty for what is about none."""

    severity: Severity
    job: str = ""
    labels: Mapping[str, str] | None = None


def channels_for(
    environment: Environment, subject: Subject, now: datetime, zones: Zones, but: Iterable[str] = ()
) -> tuple[str, ...]:
    """The channels that are told of `subject` at `now`, but those of `but`: of every route that
    fits, each once; all there are where no route is."""
    if not environment.routes:
        found = list(environment.channels)
    else:
        fitting = (one for one in environment.routes if fits(one, subject, now, zones))
        found = [name for route in fitting for name in route.to]
    left = set(but)
    return tuple(dict.fromkeys(name for name in found if name not in left))


def fits(route: Route, subject: Subject, now: datetime, zones: Zones) -> bool:
    """True when `route` is about `subject` at `now`."""
    labels = subject.labels or {}
    return (
        subject.severity.rank >= route.severity.rank
        and all(labels.get(key) == value for key, value in route.labels.items())
        and (not route.jobs or subject.job in route.jobs)
        and (route.hours is None or within(route.hours, now, zones))
    )


def within(hours: Hours, at: datetime, zones: Zones) -> bool:
    """True when the instant `at` is within `hours`."""
    local = at.astimezone(zones(hours.time_zone))
    minutes, today = local.hour * 60 + local.minute, local.isoweekday() % DAYS
    begin, to = hours.minutes
    if begin < to:
        return begin <= minutes < to and today in hours.weekdays
    yesterday = (today - 1) % DAYS
    return (minutes >= begin and today in hours.weekdays) or (
        minutes < to and yesterday in hours.weekdays
    )


def escalations(environment: Environment, severity: Severity) -> tuple[Escalation, ...]:
    """What is done, in order, while nobody acknowledges an incident as bad as `severity`."""
    fitting = [one for one in environment.escalation if severity.rank >= one.severity.rank]
    return tuple(sorted(fitting, key=lambda one: one.after_seconds))


def maintenance_of(
    environment: Environment, job: str, now: datetime, zones: Zones
) -> Maintenance | None:
    """The window of maintenance that `job` is in at `now`; None when it is in none."""
    return next(
        (
            one
            for one in environment.maintenance
            if (not one.jobs or job in one.jobs) and freezing.holds(one, now, zones)
        ),
        None,
    )


def faults(environment: Environment, path: str, zones: Zones) -> list[Fault]:
    """What is wrong with how people of an environment are told, beyond what each field says."""
    found = freezing.faults(environment.maintenance, f"{path}.maintenance", zones)
    for key, steps in (("routes", environment.routes), ("escalation", environment.escalation)):
        found += _unknown(steps, f"{path}.{key}", environment)
    for number, route in enumerate(environment.routes):
        zone = route.hours.time_zone if route.hours is not None else "UTC"
        if not freezing.is_zone(zone, zones):
            expected = "a time zone of the tz database such as Europe/Berlin"
            where = f"{path}.routes[{number}].hours.timeZone"
            found.append(Fault(where, shown(zone), expected))
    for name, channel in environment.channels.items():
        if isinstance(channel, EmailChannel):
            email = channel.email
            if (email.user is None) is not (email.password is None):
                lacks = "user" if email.user is None else "password"
                where = f"{path}.channels.{name}.email.{lacks}"
                found.append(Fault(where, "", "user and password, or neither"))
    return found


def _unknown(
    steps: Sequence[Route | Escalation], path: str, environment: Environment
) -> list[Fault]:
    known = environment.channels
    expected = f"a channel of this environment: {one_of(known)}" if known else "a channel"
    hint = "" if known else "declare it under `channels` of the environment"
    return [
        Fault(
            f"{path}[{number}].to[{place}]",
            shown(name),
            expected,
            hint or did_you_mean(name, known),
        )
        for number, step in enumerate(steps)
        for place, name in enumerate(step.to)
        if name not in known
    ]
