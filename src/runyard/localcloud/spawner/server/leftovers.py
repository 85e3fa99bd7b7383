"""What a spawner that died has left: its tasks are killed, what they held is removed, all of them
are declared lost. Done before anything new is started.
"""

from __future__ import annotations

import os
import select
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from runyard.localcloud.spawner.server import groups, processes
from runyard.localcloud.spawner.server.hierarchies import HOME, Subtree
from runyard.localcloud.spawner.server.journal import Journal
from runyard.localcloud.spawner.server.order import end_of
from runyard.localcloud.spawner.server.removal import remove

_ROUNDS = 20
_DEATH_MILLISECONDS = 2000  #: how long one killed process may take to die


class Found:
    """What was removed and what stayed, by the name of the task that held it."""

    def __init__(self) -> None:
        self.removed: dict[str, dict[str, int]] = {}
        self.left: dict[str, list[str]] = {}

    def note(self, name: str, kind: str, remains: list[str], number: int = 1) -> None:
        """`number` things of `kind` are gone, unless something `remains`."""
        if remains:
            self.left.setdefault(name, []).extend(remains)
        elif number:
            counts = self.removed.setdefault(name, {})
            counts[kind] = counts.get(kind, 0) + number


def clear(
    tag: str, folders: dict[str, str], subtrees: list[Subtree], journal: Journal, now: int
) -> None:
    """Kill and remove everything, and put a lost end into the journal for every begun key.

    `folders` are the parents of what tasks held, by kind (folder, memory_folder). `subtrees`: ours,
    then that of the one before, which is removed if it is elsewhere (we were started from another
    group).
    """
    found = Found()
    _kill(tag, subtrees, journal, found)
    for base in {base for each in subtrees[1:] for base in each.folders} - set(subtrees[0].folders):
        with suppress(OSError):
            os.rmdir(f"{base}/{HOME}")
            os.rmdir(base)
    for kind, parent in folders.items():
        _remove_all_in(parent, kind, found)
    for key, (started_at, name) in list(journal.begun.items()):
        journal.end(
            end_of(
                key,
                started_at,
                now,
                lost=True,
                message="the process that started it died; what it was doing was ended",
                removed=found.removed.get(name, {}),
                left=found.left.get(name, []),
            )
        )


def _kill(tag: str, subtrees: list[Subtree], journal: Journal, found: Found) -> None:
    for group in [group for each in subtrees for group in groups.leftovers(each)]:
        found.note(group.name, "process", [], _kill_until_none(group.pids))
        found.note(group.name, "cgroup", group.remove())
    for key, (_, name) in journal.begun.items():
        own = f"{tag}:{key}".encode("utf-8", "surrogateescape")
        found.note(name, "process", [], _kill_until_none(partial(_carrying, tag, own)))
    _kill_until_none(lambda: [pid for pid, _ in processes.tagged(tag)])


def _remove_all_in(parent: str, kind: str, found: Found) -> None:
    with suppress(OSError):
        for name in os.listdir(parent):
            remains: list[str] = []
            for _ in remove(f"{parent}/{name}", remains):
                pass
            found.note(name.removesuffix("-mounts"), kind, remains)


def _carrying(tag: str, own: bytes) -> list[int]:
    return [pid for pid, mark in processes.tagged(tag) if mark == own]


def _kill_until_none(find: Callable[[], list[int]]) -> int:
    """Kill all that `find` finds until it finds none; how many they were."""
    killed: set[int] = set()
    for _ in range(_ROUNDS):
        pids = find()
        if not pids:
            break
        killed.update(pids)
        processes.kill(pids)
        for pid in pids:
            _await_death(pid)
    return len(killed)


def _await_death(pid: int) -> None:
    try:
        handle = os.pidfd_open(pid)
    except OSError:
        return
    try:
        waiting = select.poll()
        waiting.register(handle, select.POLLIN)
        waiting.poll(_DEATH_MILLISECONDS)
    finally:
        os.close(handle)
