"""What one task attempt adds to its execution's figures. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from runyard.flow.costing import billed_milliseconds
from runyard.localcloud.cloudrun.resources import LEFT_KEPT, Tally, Task
from runyard.localcloud.spawner.port import TaskEnd

_MILLISECOND = timedelta(milliseconds=1)


def with_attempt(tally: Tally, task: Task, end: TaskEnd) -> Tally:
    """`tally` with one more ended attempt of `task`.

    An attempt whose command could not be executed never was an instance: it is not billed.
    """
    wall = 0 if end.not_started else _wall_milliseconds(task, end)
    removed = dict(tally.removed)
    for what, count in end.removed.items():
        removed[what] = removed.get(what, 0) + count
    return replace(
        tally,
        attempts=tally.attempts + (not end.not_started),
        wall_milliseconds=tally.wall_milliseconds + wall,
        billed_milliseconds=tally.billed_milliseconds
        + (0 if end.not_started else billed_milliseconds(wall)),
        cpu_milliseconds=tally.cpu_milliseconds + end.cpu_milliseconds,
        memory_peak_bytes=max(tally.memory_peak_bytes, end.memory_peak_bytes),
        log_bytes_dropped=tally.log_bytes_dropped + end.log_bytes_dropped,
        output=end.output if task.index == 0 else tally.output,
        removed=tuple(sorted(removed.items())),
        left=(tally.left + end.left)[:LEFT_KEPT],
    )


def _wall_milliseconds(task: Task, end: TaskEnd) -> int:
    """From start to end, rounded up. A lost attempt's start is the one we recorded."""
    started_at = (task.started_at or end.started_at) if end.lost else end.started_at
    return max(0, -(-(end.ended_at - started_at) // _MILLISECOND))
