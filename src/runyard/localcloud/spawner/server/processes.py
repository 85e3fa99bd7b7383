"""Who runs: read from /proc. The way to find what belongs to a task where there is no cgroup."""

from __future__ import annotations

import os
import signal
from collections.abc import Container, Iterable, Sequence
from contextlib import suppress

from runyard.localcloud.spawner.server.kernel import read_bytes

MARKER = "RUNYARD_TASK"  #: environment variable of every task: `<tag of the spawner>:<key>`


class Process:
    """One line of /proc/PID/stat. `started` is in clock ticks since the machine came up."""

    __slots__ = ("parent", "pid", "session", "started")

    def __init__(self, pid: int, parent: int, session: int, started: int) -> None:
        self.pid = pid
        self.parent = parent
        self.session = session
        self.started = started


def look(pid: int) -> Process | None:
    """The process `pid`; None if it is gone, dead or a zombie."""
    with suppress(OSError, ValueError, IndexError):
        fields = read_bytes(f"/proc/{pid}/stat").rpartition(b")")[2].split()  # name: any characters
        if fields[0] not in (b"Z", b"X"):
            return Process(pid, int(fields[1]), int(fields[3]), int(fields[19]))
    return None


def everyone() -> list[Process]:
    """All living processes that /proc shows us."""
    found = (look(int(name)) for name in os.listdir("/proc") if name.isdigit())
    return [each for each in found if each is not None]


def marker(pid: int) -> bytes:
    """The marker in the environment `pid` was started with; empty if none or not ours to read."""
    with suppress(OSError):
        for entry in read_bytes(f"/proc/{pid}/environ").split(b"\0"):
            name, _, value = entry.partition(b"=")
            if name == MARKER.encode():
                return value
    return b""


def kin(own: bytes, session: int, others: Sequence[tuple[int, int]], self_pid: int) -> list[int]:
    """The living processes of a task whose first process is dead.

    They carry its marker `own`, are in its `session`, or descend from such. An orphan that wiped
    its environment and left the session came to us, the subreaper, without a name: it is taken
    once no other task that still runs (`others`: first pid and start of each) is older than it.
    """
    processes = everyone()
    firsts = {pid for pid, _ in others}
    oldest = min((start for _, start in others), default=None)
    tag = own.partition(b":")[0] + b":"
    taken: set[int] = set()
    for each in processes:
        if each.pid == self_pid or each.pid in firsts:
            continue
        mark = marker(each.pid)
        nameless = each.parent == self_pid and not mark.startswith(tag)
        stray = nameless and (oldest is None or each.started < oldest)
        if stray or mark == own or each.session == session:
            taken.add(each.pid)
    return sorted(_with_descendants(taken, processes, firsts | {self_pid}))


def has_orphans(self_pid: int, firsts: Container[int]) -> bool:
    """False if no process came to us as an orphan: then nobody is left of a task that is dead.

    `firsts` are the first processes of those that run. Cheaper than any other way to know: v1
    control groups keep a list for a second for everyone who asks who is in them. A dead task's
    descendants are our children or have an ancestor that is: we are their subreaper (prctl(2)).
    The kernel's list of our children cannot miss one, for nobody but we takes any off it.
    """
    try:
        children = read_bytes(f"/proc/{self_pid}/task/{self_pid}/children").split()
        return any(int(pid) not in firsts for pid in children)
    except OSError:  # a kernel without CONFIG_PROC_CHILDREN
        return True


def tagged(tag: str) -> list[tuple[int, bytes]]:
    """All living processes that carry a marker of the spawner `tag`, with the marker."""
    prefix = tag.encode() + b":"
    marks = ((each.pid, marker(each.pid)) for each in everyone())
    return [(pid, mark) for pid, mark in marks if mark.startswith(prefix)]


def kill(pids: Iterable[int]) -> None:
    """SIGKILL each; those already gone do not matter, nor those that are not ours to kill."""
    for pid in pids:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)


def _with_descendants(taken: set[int], processes: list[Process], never: set[int]) -> set[int]:
    children: dict[int, list[int]] = {}
    for each in processes:
        children.setdefault(each.parent, []).append(each.pid)
    queue = list(taken)
    while queue:
        for child in children.get(queue.pop(), ()):
            if child not in taken and child not in never:
                taken.add(child)
                queue.append(child)
    return taken
