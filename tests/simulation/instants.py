"""What is promised of schedules: every instant that came is one run or one reason (promise 6), and
an enabled schedule always has a next one (promise 7)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import takewhile
from zoneinfo import ZoneInfo

from runyard.flow.schedule.compiling import Compiled, compiled
from runyard.model.ids import RunId
from runyard.model.run import Run, TriggerKind
from runyard.model.trigger.instant import Fate, Instant
from runyard.model.trigger.row import Trigger, TriggerState
from tests.simulation.triggers import Fired

Runs = dict[datetime, list[RunId]]


class SchedulePromises:
    """Knows what was looked at and found right: it is not reckoned again until it changes."""

    def __init__(self) -> None:
        self._right: dict[str, tuple[Trigger, Sequence[Instant], Runs]] = {}

    def check(self, fired: Iterable[Fired], runs: Iterable[Run], *, ended: bool) -> None:
        """Look at every schedule, and at all runs there ever were. `ended`: every schedule has
        come to its end."""
        asked: dict[str, Runs] = {}
        for run in runs:
            by = run.triggered_by
            if by is not None and by.instant is not None and not run.replays:
                asked.setdefault(by.trigger, {}).setdefault(by.instant, []).append(run.id)
        for row, kept in fired:
            if row.kind is not TriggerKind.SCHEDULE:
                continue
            found = (row, kept, asked.get(row.path, {}))
            if self._right.get(row.path) != found:
                _check(*found)
                self._right[row.path] = found
            assert not ended or row.state is TriggerState.ENDED, f"{row.path} is {row.state}"

    def forget(self) -> None:
        """The next check is of everything."""
        self._right.clear()


def _check(row: Trigger, kept: Sequence[Instant], runs: Mapping[datetime, list[RunId]]) -> None:
    if row.state is TriggerState.ENABLED:
        assert row.next_at is not None, f"{row.path} has no next instant"
    schedule = compiled(row, ZoneInfo)
    assert isinstance(schedule, Compiled)
    timing = schedule.schedule.timing
    last = row.last_instant
    came = (
        [] if last is None else list(takewhile(lambda at: at <= last, timing.instants(row.since)))
    )
    assert sum(one.count for one in kept) == len(came), f"{row.path}: {kept} for {came}"
    for one in kept:
        assert {one.at, one.end} <= set(came), f"{row.path}: {one} is no instant of it"
        assert sorted(runs.get(one.at, [])) == sorted(one.runs), f"{row.path}: {one}"
        assert bool(one.runs) is (one.fate is Fate.RUN)
    unasked = runs.keys() - {one.at for one in kept}
    assert not unasked, f"{row.path}: runs of no instant: {sorted(unasked)}"
