"""A schedule in sentences: its instants, what changes of clocks do to it, its policies. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, tzinfo

from runyard.flow.schedule.preview import Preview, Transition
from runyard.flow.wording import count, listed, sentence, span
from runyard.model.durations import seconds_of
from runyard.model.recurrence.nouns import Calendar
from runyard.model.trigger.schedule import OverlapPolicy, ScheduleSpec

_TIMES_SHOWN = 4  #: of those a change touches; `* * * * *` has 60
# fmt: off
_OVERLAPS = {
    OverlapPolicy.ALLOW: "runs side by side with one that is under way",
    OverlapPolicy.SKIP: "is skipped while a run of it is under way",
    OverlapPolicy.QUEUE: "waits for a run of it that is under way",
    OverlapPolicy.CANCEL_RUNNING: "cancels a run of it that is under way, and takes its place",
    OverlapPolicy.QUEUE_LATEST: "waits for a run of it that is under way; of several that wait "
                                "only the latest stays",
}
# fmt: on


def utc(at: datetime) -> str:
    """`2026-03-29T01:00:00Z`."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def local(at: datetime, zone: tzinfo) -> str:
    """`Sun 2026-03-29 03:00:00 +02:00`, as clocks of `zone` show it."""
    return shown(at.astimezone(zone))


def shown(at: datetime) -> str:
    """`Sun 2026-03-29 03:00:00 +02:00`, as clocks of its own zone show it."""
    return f"{at:%a %Y-%m-%d %H:%M:%S} {at.isoformat()[-6:]}"


def transitions(seen: Preview, zone_name: str) -> Iterator[str]:
    """What the next changes of clocks do, a sentence each."""
    if not seen.transitions:
        yield f"Clocks do not change in {zone_name} in the two years that follow."
    for transition in seen.transitions:
        yield f"{_change(transition)}: {_consequence(transition, seen)}."


def _change(transition: Transition) -> str:
    change = transition.change
    way = "forward" if change.forward else "back"
    return (
        f"On {change.before:%Y-%m-%d} clocks go {way} from {change.before:%H:%M} to "
        f"{change.after:%H:%M}"
    )


def _consequence(transition: Transition, seen: Preview) -> str:
    touched = transition.touched
    if not touched:
        return "no time of this schedule is touched"
    times = _listed([f"{one.local:%H:%M}" for one in touched])
    verb = "s" if len(touched) == 1 else ""
    if not transition.change.forward:
        how = {"first": "the first time", "second": "the second time", "both": "both times"}
        return f"{times} come{verb} twice and run{verb} {how[seen.overlap]}"
    if not any(one.instants for one in touched):
        return f"{times} do{'es' if verb else ''} not exist and {'is' if verb else 'are'} skipped"
    return f"{times} do{'es' if verb else ''} not exist and run{verb} once, at the end of the gap"


def _listed(times: Sequence[str]) -> str:
    shown = ", ".join(times[:_TIMES_SHOWN])
    more = len(times) - _TIMES_SHOWN
    return f"{shown} and {more} more" if more > 0 else shown


def shifts(spec: ScheduleSpec, seen: Preview) -> Iterator[str]:
    """What the next change of clocks means for a time of day: here, and in UTC."""
    recurrence = spec.recurrence
    if not (seen.transitions and isinstance(recurrence, Calendar) and recurrence.by_clock):
        return
    first = seen.transitions[0]
    change = first.change
    way = "earlier" if change.forward else "later"
    moved = f"from then on each instant is {span(abs(change.after - change.before))} {way} in UTC"
    if first.touched:
        moved = f"{_consequence(first, seen)}; {moved}"
    yield f"{_change(first)}: {moved}."


def policies(spec: ScheduleSpec) -> Iterator[str]:
    """What becomes of its instants, a sentence each."""
    if not spec.enabled:
        yield "It is not enabled, and asks for nothing."
        return
    yield sentence("an instant", _OVERLAPS[spec.overlap])
    yield sentence(_catch_up(spec))
    if spec.start_by is not None:
        yield sentence("one that cannot start within", _span(spec.start_by), "is skipped")
    if spec.jitter_seconds:
        yield sentence(
            "each starts up to", span(spec.jitter_seconds), "later, always by the same time"
        )
    if spec.windows:
        parts = [f"{one.days} {one.begin} to {one.to}" for one in spec.windows]
        yield sentence("it has instants only within", listed(parts))
    if spec.start_at or spec.end_at:
        begin = f"from {spec.start_at}" if spec.start_at else ""
        end = f"until {spec.end_at}" if spec.end_at else ""
        yield sentence("it has instants only", begin, end)
    if spec.blackouts:
        yield sentence("instants in", count(len(spec.blackouts), "blackout"), "are skipped")
    if spec.pause_on_failures is not None:
        dead = count(spec.pause_on_failures, "dead run")
        yield sentence("it is paused after", dead, "in a row")


def _catch_up(spec: ScheduleSpec) -> str:
    if spec.catch_up.latest is not None:
        age = _span(spec.catch_up.latest)
        return f"of missed instants the latest is made up for, if it is not older than {age}"
    if spec.catch_up.all is not None:
        age = _span(spec.catch_up.all)
        return f"missed instants not older than {age} are made up for, {spec.catch_up.max} at most"
    return "missed instants are not made up for"


def _span(text: str) -> str:
    return span(seconds_of(text))
