"""Instants and spans as people read them: local time with its age, `1m 12s`, `1.5 GiB`."""

from __future__ import annotations

from datetime import UTC, datetime

_SPANS = ((86400, "d"), (3600, "h"), (60, "m"), (1, "s"))
_SIZES = ("B", "KiB", "MiB", "GiB", "TiB")


def parse(text: str) -> datetime:
    """The instant in RFC 3339 `text`, UTC."""
    return datetime.fromisoformat(text).astimezone(UTC)


def span(seconds: float) -> str:
    """`40ms`, `2.5s`, `12s`, `1m 12s`, `2h 5m`, `3d 4h`: never more than two units."""
    if 0 < seconds < 1:
        return f"{round(seconds * 1000)}ms"
    if seconds < 10 and seconds != round(seconds):
        return f"{seconds:.1f}s"
    whole = round(seconds)
    for place, (size, unit) in enumerate(_SPANS):
        if whole >= size:
            rest = whole % size
            below = _SPANS[place + 1] if place + 1 < len(_SPANS) else None
            more = f" {rest // below[0]}{below[1]}" if below and rest >= below[0] else ""
            return f"{whole // size}{unit}{more}"
    return "0s"


def age(at: datetime, now: datetime) -> str:
    """`3m 2s ago`, `in 12s`, `now`."""
    seconds = (now - at).total_seconds()
    if abs(seconds) < 1:
        return "now"
    if seconds < 0:
        return f"in {span(round(-seconds))}"
    return f"{span(round(seconds))} ago"


def local(text: str | None, now: datetime) -> str:
    """RFC 3339 `text` in the local zone with its age; the date only when it is not today's."""
    if not text:
        return ""
    at = parse(text)
    here, today = at.astimezone(), now.astimezone().date()
    shown = here.strftime("%H:%M:%S" if here.date() == today else "%Y-%m-%d %H:%M:%S")
    return f"{shown} ({age(at, now)})"


def size(count: float) -> str:
    """`512 MiB`, `1.5 GiB`."""
    for unit in _SIZES[:-1]:
        if abs(count) < 1024:
            return f"{count:.4g} {unit}"
        count /= 1024
    return f"{count:.4g} {_SIZES[-1]}"
