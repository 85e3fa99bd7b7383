"""Whether an environment is frozen at an instant. Pure: zones are handed in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta, tzinfo

from runyard.model.environment import WEEK, Freeze, edge_of
from runyard.model.errors import Fault

Zones = Callable[[str], tzinfo]  #: a zone by its name; raises KeyError or ValueError for no name


def freeze_at(freezes: Sequence[Freeze], at: datetime, zones: Zones) -> Freeze | None:
    """The first freeze that is in force at the instant `at`; None when there is none."""
    return next((one for one in freezes if holds(one, at, zones)), None)


def holds(freeze: Freeze, at: datetime, zones: Zones) -> bool:
    """True when `freeze` is in force at `at`. In a week it may go over Sunday's end."""
    begin, until = edge_of(freeze.begin), edge_of(freeze.until)
    if isinstance(begin, datetime) and isinstance(until, datetime):
        return begin <= at < until
    if isinstance(begin, timedelta) and isinstance(until, timedelta):
        here = _in_week(at.astimezone(zones(freeze.time_zone)))
        return (here - begin) % WEEK < (until - begin) % WEEK
    return False  # half of each: `faults` refuses it


def faults(freezes: Sequence[Freeze], path: str, zones: Zones) -> list[Fault]:
    """What is wrong with freezes that stand at `path`, beyond what each field says."""
    found = []
    for number, freeze in enumerate(freezes):
        where, begin, until = f"{path}[{number}]", edge_of(freeze.begin), edge_of(freeze.until)
        if type(begin) is not type(until):
            expected = "an instant where `from` is one, a time of the week where that is one"
            found.append(Fault(f"{where}.until", repr(freeze.until), expected))
        elif begin == until or (isinstance(begin, datetime) and begin > until):  # type: ignore[operator]
            found.append(Fault(f"{where}.until", repr(freeze.until), "to come after `from`"))
        if not is_zone(freeze.time_zone, zones):
            expected = "a time zone of the tz database such as Europe/Berlin"
            found.append(Fault(f"{where}.timeZone", repr(freeze.time_zone), expected))
    return found


def _in_week(local: datetime) -> timedelta:
    return timedelta(
        days=local.weekday(),
        hours=local.hour,
        minutes=local.minute,
        seconds=local.second,
        microseconds=local.microsecond,
    )


def is_zone(name: str, zones: Zones) -> bool:
    """True when `zones` has a zone of this name."""
    try:
        zones(name)
    except (KeyError, ValueError, OSError):
        return False
    return True
