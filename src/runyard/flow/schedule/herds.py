"""Minutes in which many runs start at once, and what would spread them. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from heapq import nlargest

from runyard.flow.schedule.boards import Board, first_minute
from runyard.flow.schedule.placing import Asker, Look, Placed
from runyard.flow.schedule.ranges import at_second
from runyard.model.instants import to_micros

HERD_MIN = 10  #: starts in a minute; fewer are no herd
FLATTER = 5  #: a herd is spread when no minute has more than a fifth of it, or than `FEW`
FEW = 3
JITTERS_SECONDS = (60, 120, 300, 600, 900, 1800, 3600)  #: that are looked at for an advice
AROUND_MINUTES = 30  #: a calm minute is looked for so near
_MINUTES_MAX = 2_000  #: that are looked at for who starts in them
_MINUTE = timedelta(minutes=1)
_MINUTE_MICROS = 60_000_000
Minute = tuple[str, int]  #: of a region; its number on the region's board


@dataclass(frozen=True, slots=True)
class Herd:
    """Runs that start in the minute `at`, the first of `times` in which the same triggers do
    (project, job, name)."""

    at: datetime
    region: str
    starts: int
    times: int
    triggers: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class Advice:
    """What would spread a herd. With a jitter of so much for those `triggers` no minute has more
    than `starts_after` starts (None: no jitter helps); around it a minute has `quiet_starts`."""

    herd: Herd
    triggers: int
    jitter_seconds: int | None
    starts_after: int
    quiet_at: datetime
    quiet_starts: int


def herds(placed: Sequence[Placed], found: Mapping[str, Board], seen: Look) -> list[Herd]:
    """The herds, the largest first, each once."""
    crowded = nlargest(
        _MINUTES_MAX,
        (
            (count, region, minute)
            for region, board in found.items()
            for minute, count in enumerate(board.starts)
            if count >= HERD_MIN
        ),
    )
    members = _members(placed, {(region, minute) for _, region, minute in crowded}, seen)
    alike: dict[tuple[str, frozenset[int]], list[tuple[int, int]]] = {}
    for count, region, minute in crowded:
        alike.setdefault((region, members[region, minute]), []).append((minute, count))
    made = [_herd(placed, seen, *key, minutes) for key, minutes in alike.items()]
    return sorted(made, key=lambda one: (-one.starts, one.at, one.region))


def _members(
    placed: Sequence[Placed], minutes: set[Minute], seen: Look
) -> dict[Minute, frozenset[int]]:
    """Who starts in these minutes, by the number in `placed`."""
    first = first_minute(seen)
    found: dict[Minute, set[int]] = {each: set() for each in minutes}
    for number, one in enumerate(placed):
        for region in one.regions:
            for at in one.starts:
                minute = (region, at // 60 - first)
                if minute in found:
                    found[minute].add(number)
    return {minute: frozenset(each) for minute, each in found.items()}


def _herd(
    placed: Sequence[Placed],
    seen: Look,
    region: str,
    members: frozenset[int],
    minutes: Sequence[tuple[int, int]],
) -> Herd:
    first = min(minute for minute, _ in minutes)
    names = sorted((*placed[each].job, placed[each].name) for each in members)
    most = max(count for _, count in minutes)
    return Herd(_at(seen, first), region, most, len(minutes), tuple(names))


def _at(seen: Look, minute: int) -> datetime:
    return at_second((first_minute(seen) + minute) * 60)


def advice(herd: Herd, placed: Sequence[Placed], board: Board, seen: Look) -> Advice | None:
    """What would spread a herd; None where too few of its triggers have no jitter yet."""
    minute = to_micros(herd.at) // _MINUTE_MICROS - first_minute(seen)
    wanted = set(herd.triggers)
    movable = [
        (one.asker, list(_within(one, herd.at)))
        for one in placed
        if one.asker is not None
        and (*one.job, one.name) in wanted
        and herd.region in one.regions
        and not one.asker.timing.jitter
    ]
    if len(movable) < HERD_MIN:
        return None
    rest = board.starts[minute] - sum(len(instants) for _, instants in movable)
    limit = min(asker.jitter_below_seconds for asker, _ in movable)
    tried = [
        (jitter, _peak(movable, timedelta(seconds=jitter), board, minute, rest))
        for jitter in JITTERS_SECONDS
        if jitter < limit
    ]
    enough = max(FEW, herd.starts // FLATTER)
    best = next((one for one in tried if one[1] <= enough), None)
    if best is None:
        best = min(tried, key=lambda one: one[1], default=None)
    jitter, after = best if best is not None and best[1] < herd.starts else (None, herd.starts)
    quiet, count = _quiet(board, minute)
    return Advice(herd, len(movable), jitter, after, _at(seen, quiet), count)


def _within(one: Placed, at: datetime) -> Iterator[datetime]:
    """Its starts in the minute at `at`."""
    begin = int(at.timestamp())
    return (at_second(each) for each in one.starts if begin <= each < begin + 60)


def _peak(
    movable: Sequence[tuple[Asker, Sequence[datetime]]],
    jitter: timedelta,
    board: Board,
    minute: int,
    rest: int,
) -> int:
    """The most starts of a minute, were these instants spread by `jitter`. `rest`: what stays in
    the minute."""
    there = [rest, *board.starts[minute + 1 : minute + 1 + jitter // _MINUTE]]
    for asker, instants in movable:
        timing = replace(asker.timing, jitter=jitter)
        for at in instants:
            begin = at.replace(second=0)
            late = (timing.due_at(at) - begin) // _MINUTE
            if late < len(there):
                there[late] += 1
    return max(there)


def _quiet(board: Board, minute: int) -> tuple[int, int]:
    """The calmest minute around one, the nearest of them, and its starts. The first one is past."""
    first = max(1, minute - AROUND_MINUTES)
    last = min(len(board.starts), minute + AROUND_MINUTES + 1)
    around = [each for each in range(first, last) if each != minute]
    best = min(around, key=lambda each: (board.starts[each], abs(each - minute)))
    return best, board.starts[best]
