"""What happens next in a world."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import TypeVar

T = TypeVar("T")


def one_of(random: Random, what: Sequence[tuple[T, int]]) -> T:
    """One of several things, each as likely as its weight says."""
    things, weights = zip(*what, strict=True)
    found: T = random.choices(things, weights)[0]
    return found
