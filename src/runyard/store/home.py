"""The home of a database's runs: the one cloud on one machine that they run in.

A cloud on a machine knows only what it started itself. If the engines of two such clouds worked on
one database, each would take the other's runs for lost; so the first cloud moves in for good.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from runyard.database.port import Tx


@dataclass(frozen=True, slots=True)
class Home:
    """A cloud's id, and its place in words."""

    cloud: str
    place: str


class Homes:
    """The home's port to the database."""

    def __init__(self, queries: Mapping[str, str]) -> None:
        self._q = queries

    async def move_in(self, tx: Tx, home: Home) -> Home:
        """Who lives here: `home`, unless another cloud was first."""
        await tx.execute(self._q["home_insert"], (home.cloud, home.place))
        ((cloud, place),) = await tx.fetch(self._q["home"])
        return Home(cloud, place)
