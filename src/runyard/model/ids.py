"""Identifiers carry their kind: `job_...`, `run_...`; an attempt is `run_.../2`."""

from __future__ import annotations

from datetime import datetime
from typing import NewType

from runyard.model.instants import from_micros

JobId = NewType("JobId", str)
RunId = NewType("RunId", str)
AttemptKey = NewType("AttemptKey", str)
EffectId = NewType("EffectId", str)
OperationId = NewType("OperationId", str)
TokenId = NewType("TokenId", str)
ExceptionId = NewType("ExceptionId", str)
DeliveryId = NewType("DeliveryId", str)

# Crockford's base 32 in lower case (https://www.crockford.com/base32.html): no i, l, o, u.
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_SHIFTS = range(125, -1, -5)  #: of 26 digits of five bits
RANDOM_BITS = 80  #: as in ULID (https://github.com/ulid/spec): 48 bits of time, 80 of chance


def stamped(kind: str, at: datetime, chance: int) -> str:
    """`kind_` and 26 characters that sort by `at` (milliseconds), then by `chance` (80 bits)."""
    number = (int(at.timestamp() * 1000) << RANDOM_BITS) | (chance & ((1 << RANDOM_BITS) - 1))
    return f"{kind}_{''.join([_ALPHABET[number >> shift & 31] for shift in _SHIFTS])}"


def number_in(identity: str) -> int:
    """The 128 bits in what `stamped` made, time and chance."""
    number = 0
    for digit in identity.rpartition("_")[2]:
        number = number << 5 | _ALPHABET.index(digit)
    return number & ((1 << 128) - 1)


def stamped_at(identity: str) -> datetime:
    """The instant, to the millisecond, that `stamped` was told."""
    return from_micros(1000 * (number_in(identity) >> RANDOM_BITS))


def attempt_key(run: RunId, number: int) -> AttemptKey:
    """The key of attempt `number` (from 1) of `run`; a provider launches it at most once."""
    return AttemptKey(f"{run}/{number}")


def split_attempt_key(key: AttemptKey) -> tuple[RunId, int]:
    """The run and the number in an attempt key."""
    run, _, number = key.rpartition("/")
    return RunId(run), int(number)
