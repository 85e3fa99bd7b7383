"""Time zones by their names in the tz database, as this machine has it."""

from __future__ import annotations

import difflib
from zoneinfo import ZoneInfo, available_timezones

from runyard.model.errors import Fault, InvalidSpec

NAME_MAX = 64


def zone_named(option: str, name: str) -> ZoneInfo:
    """The zone `name`, such as Europe/Berlin. Raises InvalidSpec, with what may have been meant."""
    known = available_timezones() if name.isprintable() and len(name) <= NAME_MAX else set()
    if name in known:
        return ZoneInfo(name)
    by_lower = {each.lower(): each for each in known}
    near = difflib.get_close_matches(name.lower().replace(" ", "_"), by_lower, n=1)
    hint = f"did you mean {by_lower[near[0]]}?" if near else "names are like America/New_York"
    fault = Fault(option, repr(name[:NAME_MAX]), "a time zone of the tz database", hint)
    raise InvalidSpec(f"{option} is not understood", faults=(fault,))
