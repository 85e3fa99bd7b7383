"""Words for spans, instants, counts and amounts, in sentences for people. Pure."""

from __future__ import annotations

import signal
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from runyard.model.quantities import MIB

_SPANS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))
_TEXT_MAX = 500  #: characters of a text that came from outside


def span(length: timedelta | float) -> str:
    """`0 s`, `0.4 s`, `12 s`, `1 min 12 s`, `2 h 5 min`, `3 d 4 h`: never more than two units."""
    seconds = length.total_seconds() if isinstance(length, timedelta) else length
    if 0 < seconds < 0.05:
        return "less than 0.1 s"
    if 0 < seconds < 9.95:
        return f"{seconds:.1f} s".replace(".0 s", " s")
    whole = round(max(0.0, seconds))
    for place, (size, unit) in enumerate(_SPANS[:-1]):
        if whole >= size:
            small, small_unit = _SPANS[place + 1]
            rest = whole % size // small
            return f"{whole // size} {unit}" + (f" {rest} {small_unit}" if rest else "")
    return f"{whole} s"


def instant(at: datetime, beside: datetime) -> str:
    """`at` in UTC; its date only where it is not that of `beside`."""
    here = at.astimezone(UTC)
    same_day = here.date() == beside.astimezone(UTC).date()
    return here.strftime("%H:%M:%S UTC" if same_day else "%Y-%m-%d %H:%M:%S UTC")


def number(amount: float) -> str:
    """`720`, `1,440`, `1.5`: at most three decimals."""
    return f"{amount:,.3f}".rstrip("0").rstrip(".")


def memory(amount_bytes: int) -> str:
    """`512Mi`, `2Gi`: an amount of memory as manifests have it, rounded up to a mebibyte."""
    mebibytes = -(-amount_bytes // MIB)
    return f"{mebibytes // 1024}Gi" if mebibytes % 1024 == 0 else f"{mebibytes}Mi"


def count(amount: int, noun: str, plural: str = "") -> str:
    """`1 task`, `12 tasks`."""
    return f"{amount:,} {noun if amount == 1 else plural or noun + 's'}"


def listed(parts: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} and {parts[-1]}"


def plain(text: str) -> str:
    """`text` from outside as one line of bounded length, without a full stop at its end."""
    line = " ".join(text.split())
    short = line if len(line) <= _TEXT_MAX else f"{line[: _TEXT_MAX - 1]}…"
    return "".join(one if one.isprintable() else "�" for one in short).rstrip(".")


def signal_name(value: int) -> str:
    """`9 (SIGKILL)`."""
    try:
        return f"{value} ({signal.Signals(value).name})"
    except ValueError:
        return str(value)


def sentence(*parts: str) -> str:
    """One sentence of `parts`, the empty ones left out."""
    text = " ".join(part for part in parts if part)
    return f"{text[:1].upper()}{text[1:]}."


def dollars(nano_dollars: int) -> str:
    """A price, all its digits: `$0.000018`."""
    return f"${nano_dollars / 1e9:.9f}".rstrip("0").rstrip(".")


def counts(amounts: Iterable[tuple[int, str]]) -> str:
    """`10 succeeded and 2 failed`: what is not zero."""
    return listed([f"{amount:,} {word}" for amount, word in amounts if amount])
