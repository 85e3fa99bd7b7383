"""The guards of an environment at an instant: whether it is frozen, who may. Pure: zones are handed
in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta, tzinfo

from runyard.model.environment import WEEK, Environment, Freeze, edge_of
from runyard.model.errors import Fault
from runyard.model.policy import Frozen, Guards

NOBODY = "(nobody)"  #: no name that a principal can have
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


def guards_at(environments: Sequence[Environment], at: datetime, zones: Zones) -> Guards:
    """What holds people up at `at` in environments of one name, of several projects: the strictest
    of each. A person who is named in one and not in another may not."""
    freezes = [freeze for one in environments for freeze in one.freeze]
    frozen = freeze_at(freezes, at, zones)
    return Guards(
        approvals=max((one.approvals for one in environments), default=0),
        frozen=Frozen(frozen.reason, _until(frozen)) if frozen else None,
        changers=_named([one.allow.change for one in environments]),
        runners=_named([one.allow.run for one in environments]),
        approvers=_named([one.allow.approve for one in environments]),
    )


def _until(freeze: Freeze) -> str:
    weekly = isinstance(edge_of(freeze.until), timedelta)
    return f"{freeze.until} {freeze.time_zone}" if weekly else freeze.until


def _named(lists: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """Those who are in every list that names anybody; where the lists share nobody, nobody is."""
    naming = [names for names in lists if names]
    if not naming:
        return ()
    shared = tuple(name for name in naming[0] if all(name in names for names in naming))
    return shared or (NOBODY,)


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
        if not _is_zone(freeze.time_zone, zones):
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


def _is_zone(name: str, zones: Zones) -> bool:
    try:
        zones(name)
    except (KeyError, ValueError, OSError):
        return False
    return True
