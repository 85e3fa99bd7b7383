"""One control group for each task: its limits, what it used, and everyone who is in it.

The spawner moves itself into the task's group, starts the task, and moves back out: the child is
in the group from its first instruction on, with no shell or fork in between. Limits are set after
the spawner has left, so that a task that runs out of memory at once can never take it along.
"""

from __future__ import annotations

import errno
import functools
import os
from contextlib import suppress

from runyard.localcloud.spawner.server import processes
from runyard.localcloud.spawner.server.hierarchies import HOME, Subtree
from runyard.localcloud.spawner.server.kernel import read, write
from runyard.localcloud.spawner.server.meters import PREFIX, Meter, Meters

_KILL_PASSES = 100  #: then the loop has its turn, and comes back
_PERIOD_MICROS = 100_000  #: the kernel's default period of a CPU quota (cpu.max, cpu.cfs_period_us)


class Groups:
    """The subtree, with the doors of the spawner's own group held open."""

    __slots__ = ("_door", "_home_doors", "_meters", "subtree")

    def __init__(self, subtree: Subtree) -> None:
        """Move into the home group. Raises OSError if the subtree cannot be used after all."""
        self.subtree = subtree
        # v1: a single-threaded process moves faster through `tasks` (no lock on all threads)
        self._door = "cgroup.procs" if subtree.kind == "v2" else "tasks"
        self._home_doors = [
            os.open(f"{folder}/{HOME}/{self._door}", os.O_WRONLY | os.O_CLOEXEC)
            for folder in subtree.folders
        ]
        has_meters = subtree.kind != "v2" and "cpuacct" in subtree.bases
        self._meters = Meters(subtree.bases["cpuacct"]) if has_meters else None
        self.leave()
        probe = self.make(f"probe-{os.getpid()}", needs_cpu=True)
        try:
            probe.limit(64 << 20, 1000)  # as every task will: better to know now
        finally:
            probe.remove()
            self.remove_spares()

    def leave(self) -> None:
        """Move the spawner into its home group."""
        for door in self._home_doors:
            os.pwrite(door, b"0", 0)

    def make(self, name: str, *, needs_cpu: bool) -> Group:
        """A fresh group. Raises OSError."""
        bases = dict(self.subtree.bases)
        is_v2 = self.subtree.kind == "v2"
        if not is_v2 and not needs_cpu:
            bases.pop("cpu", None)
        if not is_v2 and bases.get("cpu") != bases.get("cpuacct"):
            bases.pop("cpuacct", None)  # a meter does it
        folders = {controller: f"{base}/{name}" for controller, base in bases.items()}
        group = Group(folders, self._door, is_v2=is_v2)
        try:
            for folder in group.folders:
                os.mkdir(folder)
            if self._meters and "cpuacct" not in bases:
                group.borrow(self._meters)
        except OSError:
            group.remove()
            raise
        return group

    def remove_spares(self) -> None:
        """No task runs: nothing needs to be held ready."""
        if self._meters:
            self._meters.remove_spares()


def leftovers(subtree: Subtree) -> list[Group]:
    """The groups of a spawner that was here before; meters last, their members are in others."""
    names: set[str] = set()
    for base in subtree.folders:
        with suppress(OSError), os.scandir(base) as found:
            names.update(e.name for e in found if e.is_dir() and e.name != HOME)
    is_v2 = subtree.kind == "v2"
    door = "cgroup.procs" if is_v2 else "tasks"
    return [
        Group({key: f"{base}/{name}" for key, base in subtree.bases.items()}, door, is_v2=is_v2)
        for name in sorted(names, key=lambda name: (name.startswith(PREFIX), name))
    ]


class Group:
    """One task's group: a folder in each tree."""

    __slots__ = ("_by_controller", "_door", "_is_v2", "_meter", "_meters", "folders")

    def __init__(self, by_controller: dict[str, str], door: str, *, is_v2: bool) -> None:
        self._by_controller = by_controller
        self._door = door
        self._is_v2 = is_v2
        self._meters: Meters | None = None
        self._meter: Meter | None = None
        self.folders = list(dict.fromkeys(by_controller.values()))

    @property
    def name(self) -> str:
        """What it is called inside the subtree."""
        return self.folders[0].rpartition("/")[2]

    def borrow(self, meters: Meters) -> None:
        """Measure CPU time with one of `meters`, until it is removed. Raises OSError."""
        self._meter = meters.take()
        self._meters = meters

    def enter(self) -> None:
        """Move the spawner in. Raises OSError."""
        for folder in self.folders:
            write(f"{folder}/{self._door}", "0")
        if self._meter:
            self._meter.enter()

    def limit(self, memory_bytes: int, vcpu_milli: int) -> bool:
        """Set the limits; False if the task uses more memory than that already. Raises OSError."""
        memory = self._by_controller["memory"]
        try:
            if memory_bytes and self._is_v2:
                write(f"{memory}/memory.max", str(memory_bytes))
                with suppress(OSError):
                    write(f"{memory}/memory.swap.max", "0")
                with suppress(OSError):
                    write(f"{memory}/memory.oom.group", "1")
            elif memory_bytes:
                write(f"{memory}/memory.limit_in_bytes", str(memory_bytes))
                if _has_swap():
                    with suppress(OSError):
                        write(f"{memory}/memory.memsw.limit_in_bytes", str(memory_bytes))
        except OSError as error:
            if error.errno == errno.EBUSY:  # v1; v2 kills by itself
                return False
            raise
        self._limit_cpu(vcpu_milli)
        return True

    def _limit_cpu(self, vcpu_milli: int) -> None:
        cpu = self._by_controller.get("cpu")
        if not cpu or not vcpu_milli:
            return
        quota = vcpu_milli * _PERIOD_MICROS // 1000
        with suppress(OSError):
            if self._is_v2:
                write(f"{cpu}/cpu.max", f"{quota} {_PERIOD_MICROS}")
            else:
                write(f"{cpu}/cpu.cfs_quota_us", str(quota))

    def pids(self) -> list[int]:
        """Everyone in it and in groups made inside it, zombies not counted."""
        return _members(self._by_controller["memory"])

    def kill(self, pids: list[int]) -> None:
        """SIGKILL `pids`, just read; where the kernel can (v2 since 5.14), everyone at once."""
        if self._is_v2:
            with suppress(OSError):
                write(f"{self._by_controller['memory']}/cgroup.kill", "1")
                return
        done: set[int] = set()
        for _ in range(_KILL_PASSES):  # someone may just have forked
            if done.issuperset(pids):
                break
            processes.kill(set(pids) - done)
            done.update(pids)
            pids = self.pids()

    def oom_kills(self) -> int:
        """How many processes the kernel killed because the group reached its memory limit."""
        memory = self._by_controller["memory"]
        name = "memory.events" if self._is_v2 else "memory.oom_control"
        return _entry(read(f"{memory}/{name}"), "oom_kill")

    def peak_bytes(self) -> int:
        """The most memory it ever used; 0 if the kernel does not say."""
        name = "memory.peak" if self._is_v2 else "memory.max_usage_in_bytes"
        return int(read(f"{self._by_controller['memory']}/{name}") or 0)

    def cpu_milliseconds(self) -> int | None:
        """CPU time of everyone who was ever in it; None if the kernel does not say."""
        if self._is_v2:
            text = read(f"{self._by_controller['memory']}/cpu.stat")
            return _entry(text, "usage_usec") // 1000 if text else None
        if self._meter:
            return self._meter.milliseconds()
        if "cpuacct" not in self._by_controller:
            return None
        text = read(f"{self._by_controller['cpuacct']}/cpuacct.usage")
        return int(text) // 1_000_000 if text else None

    def remove(self) -> list[str]:
        """Remove it; the folders that could not be removed (yet)."""
        left = []
        for folder in self.folders:
            try:
                os.rmdir(folder)
            except FileNotFoundError:
                pass
            except OSError:
                try:
                    _remove_nested(folder)
                except OSError as error:
                    left.append(f"{folder}: {error.strerror}")
        if self._meter and self._meters and not left:
            self._meters.give_back(self._meter)
            self._meter = None
        return left


@functools.cache
def _has_swap() -> bool:
    """Without any, a limit on memory and swap together costs time and changes nothing."""
    return read("/proc/swaps").count("\n") > 1


def _members(folder: str) -> list[int]:
    found = [int(pid) for pid in read(f"{folder}/cgroup.procs").split()]
    with suppress(OSError):
        if os.stat(folder).st_nlink > 2:
            for inner in _inner(folder):
                found += _members(inner)
    return found


def _inner(folder: str) -> list[str]:
    with os.scandir(folder) as found:
        return [entry.path for entry in found if entry.is_dir(follow_symlinks=False)]


def _remove_nested(folder: str) -> None:
    for inner in _inner(folder):
        _remove_nested(inner)
    os.rmdir(folder)


def _entry(text: str, name: str) -> int:
    for line in text.splitlines():
        key, _, value = line.partition(" ")
        if key == name:
            return int(value)
    return 0
