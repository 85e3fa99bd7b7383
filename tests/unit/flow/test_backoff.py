"""How long a run backs off: a table of pauses, and what is drawn for a key, always the same."""

from __future__ import annotations

import pytest

from runyard.flow.backoff import delay_seconds
from runyard.model.ids import AttemptKey
from runyard.model.run import Backoff, Jitter

KEY = AttemptKey("run_0000000000000000000000000a/1")
CHANCE = 0.2554898723592539  # of that key: drawn once, and kept here


@pytest.mark.parametrize(
    ("jitter", "attempt", "seconds"),
    [
        (Jitter.NONE, 1, 10),
        (Jitter.NONE, 3, 40),
        (Jitter.NONE, 5000, 100),  # more than a float holds
        (Jitter.EQUAL, 1, 5 + 5 * CHANCE),
        (Jitter.EQUAL, 9, 50 + 50 * CHANCE),
        (Jitter.FULL, 1, 10 * CHANCE),
        (Jitter.FULL, 9, 100 * CHANCE),
    ],
)
def test_pauses_grow_to_the_most_and_are_drawn_by_their_key(
    jitter: Jitter, attempt: int, seconds: float
) -> None:
    backoff = Backoff(10, 2.0, 100, jitter)
    assert delay_seconds(backoff, KEY, attempt) == pytest.approx(seconds)


def test_another_key_draws_another_chance() -> None:
    backoff = Backoff(10, 2.0, 100, Jitter.FULL)
    other = AttemptKey("run_0000000000000000000000000a/2")
    assert delay_seconds(backoff, KEY, 1) != delay_seconds(backoff, other, 1)
