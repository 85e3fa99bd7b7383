"""What is promised of absences that wait for events:

- nothing is said to be absent while a message that came in time was there to be looked at;
- one silence is told once, and each that lasts is told in the end;
- who was resumed watches no shorter than from there on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from runyard.model.instants import from_micros
from runyard.model.run import Run
from runyard.model.trigger.instant import Fate, Instant
from runyard.model.trigger.row import Trigger
from tests.simulation.message_promises import Item

WITHIN = {
    "sim/local/silent/told": timedelta(seconds=75),
    "sim/local/silent/asked": timedelta(seconds=180),
}


Place = tuple[int, int]  #: of what had happened last to topics; of those who looked then


@dataclass(slots=True)
class Watch:
    """One absence: what was recorded of it, and when it was told to watch anew, by
    a clock that showed so much. `armings` are those too that nobody knows the end of."""

    within: timedelta
    records: list[Instant] = field(default_factory=list)
    armed: list[tuple[Place, datetime]] = field(default_factory=list)
    armings: int = 0


class SilencePromises:
    """`of` gives all that came to an absence by its path. `slack` is how far clocks are apart."""

    def __init__(self, of: Callable[[str], Iterable[Item]], slack: timedelta) -> None:
        self._of = of
        self._slack = slack
        self._watches = {path: Watch(within) for path, within in WITHIN.items()}

    def arming(self, path: str) -> None:
        """Somebody is about to have an absence watch anew."""
        if path in self._watches:
            self._watches[path].armings += 1

    def armed(self, path: str, place: Place, now: datetime) -> None:
        """An absence has come into force, or was resumed, by a clock that showed `now`."""
        if path in self._watches:
            self._watches[path].armed.append((place, now))

    def check(self, row: Trigger, records: Sequence[Instant], looked: Place) -> None:
        """What is recorded of an absence now. `looked`: whoever recorded what is new looked
        after that."""
        watch = self._watches[row.path]
        new = [one for one in records if one not in watch.records]
        for one in new:
            self._check(row.path, watch, one, looked)
        watch.records = list(records)
        if new:
            self._check_count(row.path, watch)

    def _check(self, path: str, watch: Watch, one: Instant, looked: Place) -> None:
        there = [item.published_at for item in self._of(path) if item.planned <= looked[0]]
        in_time = [at for at in map(from_micros, there) if at + watch.within > one.at]
        assert not in_time, f"{path}: {one.at} was missed, though messages came at {in_time}"
        for place, now in watch.armed:
            since = now + watch.within - self._slack
            assert place > looked or one.at >= since, f"{path}: {one.at} is before {since}"

    def _check_count(self, path: str, watch: Watch) -> None:
        """Each silence begins with a message, or with its being told to watch."""
        begun = {from_micros(item.published_at) for item in self._of(path)}
        others = [one for one in watch.records if one.at - watch.within not in begun]
        most = watch.armings
        assert len(others) <= most, f"{path}: {len(others)} silences of {most} that began"

    def check_rest(self, row: Trigger, runs: Iterable[Run], announced: int) -> None:
        """Nothing has come for longer than any waits. `announced`: how often people were told."""
        watch = self._watches[row.path]
        assert row.next_instant is None, f"{row.path} was not told of the last silence"
        last = max((item.published_at for item in self._of(row.path)), default=0)
        at = max(one.at for one in watch.records)
        assert at >= from_micros(last) + watch.within, f"{row.path}: {at} is the last that was told"
        asked = [run.triggered_by for run in runs if run.requested_by == row.path]
        instants = sorted(by.instant for by in asked if by is not None and by.instant is not None)
        is_told = all(one.fate is Fate.ALERT for one in watch.records)
        ats = sorted(one.at for one in watch.records)
        assert instants == ([] if is_told else ats), f"{row.path}: {instants} for {ats}"
        assert not is_told or announced == len(ats), f"{row.path}: {announced} words of {ats}"
