"""A pattern: what several error lines of a job have in common."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

EXAMPLES_MAX = 3
EXAMPLE_CHARACTERS_MAX = 500


@dataclass(frozen=True, slots=True)
class LogExample:
    """A line of a pattern, and the attempt that wrote it."""

    at: datetime
    attempt_key: str
    text: str


@dataclass(frozen=True, slots=True)
class LogPattern:
    """`template` has a kind (`<number>`), or `<*>` where words differ, for what is not the same in
    all of them. `id` stays when the template becomes more general. `examples`: the first lines."""

    id: str
    template: str
    first_seen_at: datetime
    last_seen_at: datetime
    count: int
    examples: tuple[LogExample, ...] = ()
