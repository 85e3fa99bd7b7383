"""A delivery: somebody called a webhook, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from runyard.model.ids import DeliveryId, RunId


class DeliveryFate(StrEnum):
    """What became of a delivery."""

    ACCEPTED = "accepted"  # runs were asked for
    FILTERED = "filtered"  # it asks for no run
    REFUSED = "refused"  # it was believed, and no run could come of it: why not
    GATHERED = "gathered"  # it waits for others, to be one run with them
    DOUBTED = "doubted"  # it did not prove to be who it should be; counted by the hour


@dataclass(frozen=True, slots=True)
class Delivery:
    """One row. `trigger` is the path of the webhook's trigger.

    `key` tells it from the trigger's other deliveries (empty: nothing does); one with a key that
    led to runs, or waits for others, is not taken again. `count` says how often it came, `last_at`
    when it came last. `headers` are those that are no secrets. `address` is where it came from.
    `body_bytes` is the size of the content, which is kept beside. `redelivers` is the delivery
    that it repeats, `by` who had it repeated. `revision` is the job's that it was decided on by
    (0: none was kept).
    """

    id: DeliveryId
    environment: str
    trigger: str
    key: str
    received_at: datetime
    last_at: datetime
    fate: DeliveryFate = DeliveryFate.REFUSED
    reason: str = ""
    runs: tuple[RunId, ...] = ()
    count: int = 1
    headers: Mapping[str, str] = field(default_factory=dict, hash=False)
    address: str = ""
    body_bytes: int = 0
    redelivers: str = ""
    by: str = ""
    revision: int = 0

    def evolve(self, **changes: Any) -> Delivery:
        """This row with `changes`."""
        return replace(self, **changes)
