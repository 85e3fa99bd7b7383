"""What is open now: executions that are not final, their tasks that run or wait. In memory.

The board follows the book: it is changed only by `add` and by `apply` of an entry that is already
kept, so that it can be made anew from the book at any time. It holds nothing of a task that has
not been started or has ended, so it stays small whatever the size of an execution.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from runyard.localcloud.cloudrun.book import Entry
from runyard.localcloud.cloudrun.lifecycle import startable_count
from runyard.localcloud.cloudrun.names import attempt_name
from runyard.localcloud.cloudrun.regions import RegionLine, Room, demand
from runyard.localcloud.cloudrun.resources import (
    Execution,
    Region,
    RegionUse,
    Task,
    TaskState,
)


@dataclass(slots=True)
class Open:
    """An execution that is not final. `waiting` tasks were started before and will be again."""

    execution: Execution
    demand: Room
    running: dict[int, Task] = field(default_factory=dict)
    waiting: dict[int, Task] = field(default_factory=dict)

    def next_tasks(self) -> Iterator[Task]:
        """Tasks in the order in which they are to be started: retries first, then by index."""
        yield from self.waiting.values()
        begun, count = self.execution.tally.begun_count, self.execution.blueprint.task_count
        for index in range(begun, count):
            yield Task(index, TaskState.PENDING)

    def running_keys(self) -> list[str]:
        """The spawner's keys of what runs."""
        name = self.execution.name
        return [attempt_name(name, task.index, task.attempt) for task in self.running.values()]


class Board:
    """Every open execution, and the regions they stand in line for."""

    def __init__(self, regions: Sequence[Region]) -> None:
        self.lines = {region.name: RegionLine(region) for region in regions}
        self._open: dict[str, Open] = {}

    def __iter__(self) -> Iterator[Open]:
        return iter(list(self._open.values()))

    def get(self, name: str) -> Open | None:
        """An open execution; None when it is final or was never there."""
        return self._open.get(name)

    def add(self, execution: Execution, tasks: Iterable[Task] = ()) -> None:
        """Take in an open execution. One of an unknown region is held, but never in line."""
        if execution.name in self._open:
            return
        line = self.lines.get(execution.region)
        needed = demand(line.region, execution.blueprint) if line else Room()
        self._open[execution.name] = Open(execution, needed)
        if line:
            line.executions += 1
        for task in tasks:
            self._place(self._open[execution.name], task)
        self._stand(execution)

    def apply(self, entry: Entry) -> list[Execution]:
        """Follow an entry that the book has; the executions whose state it changed."""
        for name, task in entry.tasks:
            if name in self._open:
                self._place(self._open[name], task)
        changed = []
        for name, execution in entry.executions.items():
            held = self._open.get(name)
            if held is None:
                continue
            if held.execution.state is not execution.state:
                changed.append(execution)
            held.execution = execution
            if execution.is_final:
                self._leave(execution)
            else:
                self._stand(execution)
        return changed

    def turns(self, limit: int) -> list[tuple[Execution, Task]]:
        """Who starts what now, over all regions, each at most `limit`. Changes turns, no more."""
        found: list[tuple[Execution, Task]] = []
        for line in self.lines.values():
            tasks: dict[str, Iterator[Task]] = {}
            for name in line.turns(self._startable, self._demand, limit):
                held = self._open[name]
                task = next(tasks.setdefault(name, held.next_tasks()))
                found.append((held.execution, task))
        return found

    def stand_all(self) -> None:
        """Put everyone in line who belongs there: after turns that came to nothing."""
        for held in self._open.values():
            self._stand(held.execution)

    def uses(self) -> list[RegionUse]:
        """What each region is doing."""
        return [
            RegionUse(
                region=line.region,
                executions=self.executions_in(line.region.name),
                running_tasks=sum(
                    len(held.running)
                    for held in self._open.values()
                    if held.execution.region == line.region.name
                ),
                vcpu_milli=line.used.vcpu_milli,
                memory_bytes=line.used.memory_bytes,
                faults=line.faults,
            )
            for line in self.lines.values()
        ]

    def executions_in(self, region: str) -> int:
        """How many executions are open in `region`, which this cloud has."""
        return self.lines[region].executions

    def _leave(self, execution: Execution) -> None:
        del self._open[execution.name]
        line = self.lines.get(execution.region)
        if line:
            line.executions -= 1

    def _startable(self, name: str) -> int:
        held = self._open.get(name)
        return startable_count(held.execution) if held else 0

    def _demand(self, name: str) -> Room:
        return self._open[name].demand

    def _stand(self, execution: Execution) -> None:
        line = self.lines.get(execution.region)
        if line and startable_count(execution) > 0:
            line.stand(execution.name)

    def _place(self, held: Open, task: Task) -> None:
        line = self.lines.get(held.execution.region)
        was_running = held.running.pop(task.index, None) is not None
        held.waiting.pop(task.index, None)
        runs = task.state is TaskState.RUNNING
        if runs:
            held.running[task.index] = task
        elif task.state is TaskState.PENDING:
            held.waiting[task.index] = task
        if line and runs and not was_running:
            line.used = line.used.plus(held.demand)
        elif line and was_running and not runs:
            line.used = line.used.minus(held.demand)
