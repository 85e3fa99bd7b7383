"""A fake spawner, in memory: it runs nothing. A test says how each task ends, and when it dies.

It keeps the port's promises (a key is started at most once, ends repeat until forgotten, what ran
under a dead instance is lost), so that what is proved with it holds above any spawner that does.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from runyard.localcloud.spawner.port import Abilities, TaskEnd, TaskOrder
from runyard.model.errors import ProviderUnavailable

ABILITIES = Abilities(
    cgroup="v2", cgroup_reason="", memory_enforced_by="cgroup", memory_files="/dev/shm",
    user="nobody",
)  # fmt: skip


class FakeSpawner:
    """Both the spawner and its client. `at_once` may end a task as soon as it is started."""

    def __init__(
        self,
        clock: Callable[[], datetime],
        at_once: Callable[[TaskOrder], TaskEnd | None] = lambda order: None,
    ) -> None:
        self.abilities = ABILITIES
        self.instance = "fake-1"
        self.wake: Callable[[], None] = lambda: None
        self.orders: dict[str, TaskOrder] = {}
        self.stopped: list[str] = []
        self.alive: dict[str, TaskOrder] = {}
        self.most_alive = 0
        self.spawned: list[str] = []
        self.dead = False
        self.dies_after_spawns: int | None = None
        self.known: set[str] = set()
        self.kept_ends: dict[str, TaskEnd] = {}
        self._clock = clock
        self._at_once = at_once

    def end(self, key: str, exit_code: int | None = 0, **how: object) -> TaskEnd:
        """How a task ends, after one second."""
        now = self._clock()
        values: dict[str, object] = {
            "started_at": now,
            "ended_at": now + timedelta(seconds=1),
            "removed": {"folder": 1},
        }
        return TaskEnd(key=key, exit_code=exit_code, **{"signal": None, **values, **how})  # type: ignore[arg-type]

    def finish(self, key: str, exit_code: int | None = 0, **how: object) -> None:
        """Let a running task end."""
        del self.alive[key]
        self.kept_ends[key] = self.end(key, exit_code, **how)
        self.wake()

    def die(self) -> None:
        """The spawner is gone, and all it supervised with it."""
        self.dead = True
        self.wake()

    async def start(self) -> None:
        if self.dead:
            self.dead = False
            self.instance = f"fake-{int(self.instance.split('-')[1]) + 1}"
            self.alive.clear()
            self.known.clear()

    async def close(self, *, stop: bool = False) -> None:
        pass

    async def spawn(self, order: TaskOrder) -> bool:
        self._check()
        if self.dies_after_spawns is not None:
            if self.dies_after_spawns == 0:
                self.dies_after_spawns = None
                self.die()
            else:
                self.dies_after_spawns -= 1
        self._check()
        if order.key in self.known:
            return False
        self.known.add(order.key)
        self.spawned.append(order.key)
        self.orders[order.key] = order
        self.alive[order.key] = order
        self.most_alive = max(self.most_alive, len(self.alive))
        ended = self._at_once(order)
        if ended is not None:
            del self.alive[order.key]
            self.kept_ends[order.key] = ended
            self.wake()
        return True

    async def stop(self, key: str) -> None:
        self._check()
        self.stopped.append(key)
        if key in self.alive:
            self.finish(key, None, signal=15, stopped=True)

    async def running(self) -> list[str]:
        self._check()
        return list(self.alive)

    async def ends(self) -> list[TaskEnd]:
        self._check()
        return list(self.kept_ends.values())

    async def forget(self, keys: list[str]) -> None:
        self._check()
        for key in keys:
            self.kept_ends.pop(key, None)
            self.known.discard(key)

    async def lost(self, keys: list[str]) -> list[TaskEnd]:
        self._check()
        unknown = [key for key in keys if key not in self.alive and key not in self.kept_ends]
        return [self.end(key, None, lost=True) for key in unknown]

    def _check(self) -> None:
        if self.dead:
            raise ProviderUnavailable("the fake spawner is dead")
