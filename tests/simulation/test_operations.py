"""A few worlds of operations; `make sim` lives through many more."""

from __future__ import annotations

import pytest

from tests.simulation.operations import live

SEEDS = range(501, 509)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_world_of_operations_keeps_its_promises(seed: int) -> None:
    live(seed)
