"""Lengths of time as people write them (`900s`, `10m`, `2h30m`) and as Google does (`900s`).

Google's JSON form of a duration is seconds with up to nine decimals and an `s`
(https://protobuf.dev/reference/protobuf/google.protobuf/#duration). It is the canonical form.
"""

from __future__ import annotations

import re

SECOND_NANOS = 1_000_000_000

# Nine digits a part: more than 31 years of seconds, and no number grows without bound.
_FORM = re.compile(r"(?:([0-9]{1,9})h)?(?:([0-9]{1,9})m)?(?:([0-9]{1,9})(?:\.([0-9]{1,9}))?s)?")
FORM_EXPECTED = "a duration such as 900s, 10m or 2h30m"


def nanos_of(text: str) -> int:
    """Nanoseconds in `text`. Raises ValueError when it is not a duration."""
    match = _FORM.fullmatch(text)
    if not text or match is None:
        raise ValueError(FORM_EXPECTED)
    hours, minutes, seconds, fraction = match.groups(default="")
    whole = int(hours or 0) * 3600 + int(minutes or 0) * 60 + int(seconds or 0)
    return whole * SECOND_NANOS + int(fraction.ljust(9, "0") or 0)


def seconds_of(text: str) -> float:
    """Seconds in `text`. Raises ValueError when it is not a duration."""
    return nanos_of(text) / SECOND_NANOS


def canonical(text: str) -> str:
    """`text` in Google's form: `15m` is `900s`. Raises ValueError when it is not a duration."""
    return google_form(nanos_of(text))


def google_form(nanos: int) -> str:
    """Google's JSON form of `nanos` nanoseconds (not negative)."""
    whole, rest = divmod(nanos, SECOND_NANOS)
    fraction = f".{rest:09d}".rstrip("0") if rest else ""
    return f"{whole}{fraction}s"
