"""Time zones by their names in the tz database, as this machine has it."""

from __future__ import annotations

from datetime import tzinfo
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from runyard.model.errors import Fault, InvalidSpec
from runyard.model.zones import NAME_MAX, ZoneBook

ZONES = ZoneBook(ZoneInfo, cache(available_timezones))


def zone_named(option: str, name: str) -> tzinfo:
    """The zone `name`, such as Europe/Berlin. Raises InvalidSpec, with what may have been meant."""
    found = ZONES.find(name) if name.isprintable() and len(name) <= NAME_MAX else None
    if found is None:
        fault = Fault(
            option, repr(name[:NAME_MAX]), "a time zone of the tz database", ZONES.near(name)
        )
        raise InvalidSpec(f"{option} is not understood", faults=(fault,))
    return found
