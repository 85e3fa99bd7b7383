"""How long a run backs off: exponential, capped, jittered by chance that is always the same."""

from __future__ import annotations

from hashlib import blake2b

from runyard.model.ids import AttemptKey
from runyard.model.run import Backoff, Jitter

_CHANCES = 2**64


def delay_seconds(backoff: Backoff, key: AttemptKey, attempt: int) -> float:
    """Seconds from the end of `attempt` (from 1) to the next: 0 .. `max_seconds`.

    The jitter's chance is drawn from the attempt's key, so that a decision made twice is the
    same decision, while runs that fail together still come back apart.
    """
    try:
        grown = backoff.initial_seconds * backoff.factor ** (attempt - 1)
    except OverflowError:
        grown = backoff.max_seconds
    longest = min(grown, backoff.max_seconds)
    match backoff.jitter:
        case Jitter.NONE:
            return longest
        case Jitter.EQUAL:
            return longest / 2 + longest / 2 * _chance(key)
        case _:
            return longest * _chance(key)


def _chance(key: AttemptKey) -> float:
    """A number in [0, 1) that looks random and is always the same for `key`."""
    return int.from_bytes(blake2b(key.encode(), digest_size=8).digest(), "big") / _CHANCES
