"""One task attempt, from its first process to the last thing it held.

running ─▶ (asked to end: SIGTERM, grace, SIGKILL) ─▶ first process dead ─▶ clearing: everyone
else it started is killed ─▶ output drained ─▶ removing: folders, files in memory, group ─▶ ended
"""

from __future__ import annotations

import os
import resource
import signal
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

from runyard.localcloud.spawner.server import processes, result
from runyard.localcloud.spawner.server.folders import Folders
from runyard.localcloud.spawner.server.order import Order, end_of
from runyard.localcloud.spawner.server.output import Stream, TaskLog
from runyard.localcloud.spawner.server.removal import remove
from runyard.localcloud.spawner.server.start import Holdings
from runyard.localcloud.spawner.server.timers import Timer


class Task:
    """What the yard knows of a running task. `pid` is its first process, its session and group."""

    __slots__ = (
        "cpu_milliseconds",
        "deadline",
        "ended_at",
        "held",
        "is_over_limit",
        "key",
        "killed",
        "left",
        "log",
        "marker",
        "memory_bytes",
        "order",
        "pid",
        "removed",
        "started_at",
        "started_ticks",
        "status",
        "stopped",
        "streams",
        "timed_out",
        "usage",
    )

    def __init__(
        self,
        order: Order,
        pid: int,
        held: Holdings,
        log: TaskLog,
        streams: Sequence[Stream],
        started_at: int,
        marker: str,
    ) -> None:
        self.order = order
        self.key = order.key
        self.pid = pid
        self.held = held
        self.log = log
        self.streams = streams
        self.started_at = started_at
        self.ended_at = 0
        self.marker = marker.encode("utf-8", "surrogateescape")
        self.started_ticks = 0  # looked up only where there is no group
        self.deadline: Timer | None = None
        self.stopped = False
        self.timed_out = False
        self.is_over_limit = False
        self.status: int | None = None
        self.usage: resource.struct_rusage | None = None
        self.removed: dict[str, int] = {}
        self.left: list[str] = []
        self.killed: set[int] = set()

    def ask_to_end(self) -> None:
        """SIGTERM to the whole process group."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGTERM)

    def kill_all(self, others: Sequence[tuple[int, int]]) -> None:
        """SIGKILL to its first process, which is not yet reaped, and to everyone it started.

        The first process goes first: it must not live to see its children die and call that an
        end of its own.
        """
        found = [pid for pid in self.others(others) if pid != self.pid]
        processes.kill((self.pid,))
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        self.kill_others(found)

    def others(self, elsewhere: Sequence[tuple[int, int]]) -> list[int]:
        """The living processes of the task. `elsewhere`: first pid and start of other tasks."""
        if self.held.group:
            return self.held.group.pids()
        return processes.kin(self.marker, self.pid, elsewhere, os.getpid())

    def kill_others(self, pids: list[int]) -> None:
        """SIGKILL to those, which are not the first process."""
        self.killed.update(pids)
        if self.held.group:
            self.held.group.kill(pids)
        else:
            processes.kill(pids)

    def measure(self) -> dict[str, Any]:
        """CPU time and peak memory: the group's where there is one, else what wait4 says.

        wait4 counts the first process and the children it waited for. Its peak memory is never
        below the spawner's own size, which the kernel hands on through exec.
        """
        usage = self.usage
        cpu = int((usage.ru_utime + usage.ru_stime) * 1000) if usage else 0
        peak, by = (usage.ru_maxrss * 1024, "rusage") if usage else (0, "")
        oom = False
        if self.held.group:
            measured = self.held.group.cpu_milliseconds()
            cpu = cpu if measured is None else measured
            group_peak = self.held.group.peak_bytes()
            if group_peak:
                peak, by = group_peak, "cgroup"
            limit = self.order.memory_bytes
            if self.status or peak * 2 > limit:  # else it cannot have happened
                oom = self.is_over_limit or self.held.group.oom_kills() > 0
        return {
            "cpu_milliseconds": cpu,
            "memory_peak_bytes": peak,
            "memory_measured_by": by,
            "out_of_memory": oom,
        }

    def collect(self) -> str:
        """What it wrote as its result; the log tells what is wrong with it."""
        if self.order.task != 0:
            return ""
        path = f"{self.held.folder}/{result.FILE}"
        output, complaint = result.collect(path, self.order.redactions)
        if complaint:
            self.log.say(complaint)
        return output

    def end(self) -> dict[str, Any]:
        """How it ended, without what was measured and said."""
        code = os.waitstatus_to_exitcode(self.status or 0)
        return end_of(
            self.key,
            self.started_at,
            self.ended_at,
            exit_code=code if code >= 0 else None,
            signal=-code if code < 0 else None,
            stopped=self.stopped,
            timed_out=self.timed_out,
            removed=self.removed,
            left=self.left,
        )


def remove_folders(
    held: Holdings, removed: dict[str, int], left: list[str], folders: Folders, *, is_last: bool
) -> Iterator[None]:
    """Remove the folders of `held`, a bit with each `next`, and count each that is gone.

    A working folder as good as new is kept for the next task; after the last one none is.
    """
    if held.folder and not is_last and folders.give_back(held.folder.rpartition("/")[2]):
        held.folder = ""
        removed["folder"] = 1
    for spare in folders.spares() if is_last else ():
        yield from remove(spare, left)
    for kind, folder in (("folder", held.folder), ("memory_folder", held.memory_folder)):
        if folder:
            before = len(left)
            yield from remove(folder, left)
            if len(left) == before:
                removed[kind] = removed.get(kind, 0) + 1
