"""Time zones by their names in the tz database. Where they come from is handed in."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, tzinfo
from functools import lru_cache

NAME_MAX = 64
_KEPT_MAX = 256  #: names that were mistaken for another: a manifest has the same one in many jobs
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
        asked = name[:NAME_MAX].lower().replace(" ", "_")
        near = _nearest(asked, frozenset(self.names()))
        return f"did you mean {near}?" if near else "names are like America/New_York"


@lru_cache(maxsize=_KEPT_MAX)
def _nearest(asked: str, names: frozenset[str]) -> str:
    by_lower = {each.lower(): each for each in names}
    near = difflib.get_close_matches(asked, by_lower, n=1)
    return by_lower[near[0]] if near else ""


def _utc(name: str) -> tzinfo:
    return UTC


#: Takes every name for one of UTC: for who reads a manifest and asks nothing of its times.
ANY_ZONE = ZoneBook(_utc, tuple)
