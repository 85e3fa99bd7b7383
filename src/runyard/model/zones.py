"""Time zones by their names in the tz database. Where they come from is handed in."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, tzinfo

NAME_MAX = 64
EXPECTED = "a time zone of the tz database such as Europe/Berlin"


@dataclass(frozen=True, slots=True)
class ZoneBook:
    """The zones of a machine. `named` raises KeyError, ValueError or OSError for no name of one;
    `names` lists them all, and is asked only when a name is not among them."""

    named: Callable[[str], tzinfo]
    names: Callable[[], Collection[str]]

    def __call__(self, name: str) -> tzinfo:
        """The zone `name`. Raises what `named` does."""
        return self.named(name)

    def find(self, name: str) -> tzinfo | None:
        """The zone `name`; None when there is none."""
        try:
            return self.named(name)
        except (KeyError, ValueError, OSError):
            return None

    def near(self, name: str) -> str:
        """The hint with the name nearest to `name`, or what names are like."""
        by_lower = {each.lower(): each for each in self.names()}
        asked = name[:NAME_MAX].lower().replace(" ", "_")
        near = difflib.get_close_matches(asked, by_lower, n=1)
        return f"did you mean {by_lower[near[0]]}?" if near else "names are like America/New_York"


def _utc(name: str) -> tzinfo:
    return UTC


#: Takes every name for one of UTC: for who reads a manifest and asks nothing of its times.
ANY_ZONE = ZoneBook(_utc, tuple)
