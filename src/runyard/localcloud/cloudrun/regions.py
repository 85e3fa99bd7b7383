"""Who may start next in a region: capacity, and turns in order. Pure but for its own turn order.

Executions that can start something stand in one line per region. Each that gets a turn starts one
task and goes to the end of the line, so one of 10,000 tasks does not starve a small one. Nothing
overtakes the first in line while it waits for room, so a large task does not starve either.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from runyard.localcloud.cloudrun.blueprint import Blueprint
from runyard.localcloud.cloudrun.resources import Faults, Region


@dataclass(frozen=True, slots=True)
class Room:
    """An amount of CPU and memory."""

    vcpu_milli: int = 0
    memory_bytes: int = 0

    def plus(self, other: Room) -> Room:
        """Both together."""
        return Room(self.vcpu_milli + other.vcpu_milli, self.memory_bytes + other.memory_bytes)

    def times(self, count: int) -> Room:
        """As much for each of `count`."""
        return Room(self.vcpu_milli * count, self.memory_bytes * count)

    def minus(self, other: Room) -> Room:
        """What is left without `other`."""
        return Room(self.vcpu_milli - other.vcpu_milli, self.memory_bytes - other.memory_bytes)

    def holds(self, other: Room) -> bool:
        """True when `other` fits."""
        return self.vcpu_milli >= other.vcpu_milli and self.memory_bytes >= other.memory_bytes


def demand(region: Region, plan: Blueprint) -> Room:
    """What a task takes of `region`: what it asks for, at most all of it (it then runs alone)."""
    return Room(
        min(plan.vcpu_milli, region.vcpu_milli), min(plan.memory_bytes, region.memory_bytes)
    )


@dataclass(slots=True)
class RegionLine:
    """A region at work: what is taken of it, and who stands in line."""

    region: Region
    faults: Faults = field(default_factory=Faults)
    used: Room = Room()
    executions: int = 0  #: open ones
    _line: deque[str] = field(default_factory=deque)
    _standing: set[str] = field(default_factory=set)

    def stand(self, execution: str) -> None:
        """Put `execution` at the end of the line, unless it stands there already."""
        if execution not in self._standing:
            self._standing.add(execution)
            self._line.append(execution)

    def at_once(self, needed: Room, wanted: int) -> int:
        """How many of `wanted` tasks may start without standing in line: none while anybody
        stands there."""
        if self._line or self.faults.down:
            return 0
        free = Room(self.region.vcpu_milli, self.region.memory_bytes).minus(self.used)
        count = 0
        while count < wanted and free.holds(needed):
            free, count = free.minus(needed), count + 1
        return count

    def turns(
        self, startable: Callable[[str], int], demand_of: Callable[[str], Room], limit: int
    ) -> Iterator[str]:
        """Who starts one task each, in order, at most `limit`.

        `startable` says how many tasks an execution could start, before any of these turns.
        Changes nothing but the order of the line: `used` changes when starts are recorded.
        """
        free = Room(self.region.vcpu_milli, self.region.memory_bytes).minus(self.used)
        given: dict[str, int] = {}
        while self._line and sum(given.values()) < limit and not self.faults.down:
            name = self._line.popleft()
            if startable(name) <= given.get(name, 0):
                self._standing.discard(name)
                continue
            needed = demand_of(name)
            if not free.holds(needed):
                self._line.appendleft(name)
                return
            free = free.minus(needed)
            given[name] = given.get(name, 0) + 1
            self._line.append(name)
            yield name
