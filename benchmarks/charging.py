"""How many attempts can be charged a second, on one core."""

from __future__ import annotations

from datetime import UTC, datetime
from time import perf_counter

from runyard.flow.costing import billed_milliseconds, charge
from runyard.model.ids import AttemptKey
from runyard.model.outcome import Usage

NAME = "attempts charged"
UNIT = "a second"
COUNT = 20_000


def measure() -> float:
    """Charges a second."""
    at, key = datetime(2026, 10, 5, tzinfo=UTC), AttemptKey("run_1/1")
    began = perf_counter()
    for wall in range(COUNT):
        charge(Usage(billed_milliseconds=billed_milliseconds(wall)), "us-central1", at, key=key)
    return COUNT / (perf_counter() - began)
