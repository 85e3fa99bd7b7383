"""The port of every provider for deployed jobs: what operations ask of a cloud.

Promises of an implementation (held by the tests of each):

1. Every call is idempotent: asked again, it answers as the first time, whatever of it was done.
2. A later operation wins: what comes with a smaller fence than a resource has seen is refused, so
   that an engine that slept through its lease cannot undo what was done after it.
3. `deploy` with an etag changes nothing that was changed behind our back: it is refused. What is
   there already as it is wanted is no change.
4. `deployed` is level-based: it says how things are, also what others made of them.
5. It raises `ProviderUnavailable`, `ProviderTimeout` or `ProviderRefused`, and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from runyard.model.deployed import DeployedJob, Place


@dataclass(frozen=True, slots=True)
class DeployOrder:
    """A resource as it shall be. `etag`: what it has now (empty: it is not there); None: any."""

    place: Place
    template: Mapping[str, Any]
    fence: int
    labels: tuple[tuple[str, str], ...] = ()
    annotations: tuple[tuple[str, str], ...] = ()
    etag: str | None = None


class Deployer(Protocol):
    """The hands that make and remove jobs."""

    async def deploy(self, order: DeployOrder) -> DeployedJob:
        """Make the resource, or make it as it shall be."""

    async def deployed(self, places: Sequence[Place]) -> list[DeployedJob | None]:
        """How the resource of each place is now, in the same order; None: there is none."""

    async def remove(self, place: Place, fence: int) -> bool:
        """Remove the resource; False when there is none any more."""

    async def network(self, place: Place, template: Mapping[str, Any]) -> str:
        """What of a template's network this provider keeps, as a sentence; refused when it keeps
        none of what a job cannot do without."""
