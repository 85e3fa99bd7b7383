"""Whether a process that works still lives, judged by one who would take its place.

Only what the watcher saw itself counts, on its own clock: the count of signs that stood still
through a whole lease of looking. A watcher that could not look for a while, because it hung or the
database was away, begins anew; it cannot know who was at fault.
"""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Watched:
    """`beat` of `name` was seen first at `since_seconds` and last at `looked_seconds`."""

    name: str
    beat: int
    since_seconds: float
    looked_seconds: float


def look(
    before: Watched | None, name: str, beat: int, now_seconds: float, lease_seconds: float
) -> Watched:
    """What is known after one more look."""
    if (
        before is None
        or (name, beat) != (before.name, before.beat)
        or now_seconds - before.looked_seconds > lease_seconds / 2
    ):
        return Watched(name, beat, now_seconds, now_seconds)
    return replace(before, looked_seconds=now_seconds)


def is_hung(watched: Watched, lease_seconds: float) -> bool:
    """True when it gave no sign for a whole lease."""
    return watched.looked_seconds - watched.since_seconds >= lease_seconds
