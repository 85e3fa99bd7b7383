"""The yard: every task from order to end, on one thread, driven by the loop's calls."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from runyard.localcloud.spawner.server import processes
from runyard.localcloud.spawner.server.journal import Journal
from runyard.localcloud.spawner.server.order import Order, end_of
from runyard.localcloud.spawner.server.output import LogFile, Stream, TaskLog, streams
from runyard.localcloud.spawner.server.poll import Poll
from runyard.localcloud.spawner.server.start import (
    Ground,
    Holdings,
    NotStarted,
    pipes,
    prepare,
    spawn,
)
from runyard.localcloud.spawner.server.task import Task, remove_folders
from runyard.localcloud.spawner.server.timers import Timers

CLEAR_SECONDS = 10.0  #: how long killed processes may take to die before they are named as left
_CLEAR_STEP_SECONDS = 0.002
_GROUP_TRIES = 50

End = dict[str, Any]


class Yard:
    """Tasks by key. `on_end` gets every end, as its line in the journal."""

    def __init__(
        self,
        ground: Ground,
        journal: Journal,
        poll: Poll,
        timers: Timers,
        micros: Callable[[], int],
    ) -> None:
        self._ground = ground
        self._journal = journal
        self._poll = poll
        self._timers = timers
        self._micros = micros
        self._pid = os.getpid()
        self._holding = 0  # tasks that may still have a folder
        self.tasks: dict[str, Task] = {}
        self._by_pid: dict[int, Task] = {}
        self._chores: deque[tuple[Iterator[None], Callable[[], None]]] = deque()
        self.on_end: Callable[[bytes], None] = lambda line: None

    # -- orders ----------------------------------------------------------------------------------

    def start(self, order: Order, log_fd: int) -> bool:
        """Start a task; False if its key was started before. The descriptor is ours from now on."""
        key = order.key
        if key in self.tasks or key in self._journal.ends or key in self._journal.begun:
            os.close(log_fd)
            return False
        started_at = self._micros()
        name = self._ground.folders.take(needs_folder=not order.working_folder)
        self._journal.begin(key, started_at, name)
        self._holding += 1
        held = Holdings()
        log = TaskLog(LogFile(log_fd), order.task, order.attempt, order.log_bytes_max, self._micros)
        try:
            prepare(order, name, self._ground, held)
            task = self._spawn(order, held, log, started_at)
        except NotStarted as refusal:
            log.finish()
            self._refuse(key, started_at, held, str(refusal))
            return True
        self.tasks[key] = self._by_pid[task.pid] = task
        if order.timeout_seconds:
            task.deadline = self._timers.after(order.timeout_seconds, lambda: self._time_out(task))
        return True

    def _spawn(self, order: Order, held: Holdings, log: TaskLog, started_at: int) -> Task:
        out, child_out, err, child_err = pipes()
        try:
            pid = spawn(order, self._ground, held, child_out, child_err)
        except NotStarted:
            os.close(out)
            os.close(err)
            raise
        finally:
            os.close(child_out)
            os.close(child_err)
        both = streams(out, err, log, order.redactions)
        marker = f"{self._ground.tag}:{order.key}"
        task = Task(order, pid, held, log, both, started_at, marker)
        self._limit(task)
        for stream in both:
            os.set_blocking(stream.fd, False)
            self._poll.watch(stream.fd, partial(self._read, stream))
        return task

    def _limit(self, task: Task) -> None:
        group, order = task.held.group, task.order
        if group is None:
            found = processes.look(task.pid)
            task.started_ticks = found.started if found else 0
            return
        try:
            task.is_over_limit = not group.limit(order.memory_bytes, order.vcpu_milli)
        except OSError as error:  # tried when we started: somebody changed our groups since
            task.left.append(f"limits not set: {error.strerror}")
            group.kill(group.pids())
        if task.is_over_limit:
            group.kill(group.pids())

    def _refuse(self, key: str, started_at: int, held: Holdings, message: str) -> None:
        removed: dict[str, int] = {}
        left: list[str] = []
        if held.group:
            left += held.group.remove()
        end = end_of(
            key,
            started_at,
            self._micros(),
            not_started=True,
            message=message,
            removed=removed,
            left=left,
        )
        self._remove_folders(held, removed, left, lambda: self._ended(end))

    def stop(self, key: str) -> None:
        """Somebody wants it ended; a key that does not run is ignored."""
        task = self.tasks.get(key)
        if task and task.status is None and not task.timed_out and not task.stopped:
            task.stopped = True
            self._end_softly(task)

    def _time_out(self, task: Task) -> None:
        if task.status is None and not task.stopped:
            task.timed_out = True
            self._end_softly(task)

    def _end_softly(self, task: Task) -> None:
        if task.deadline:
            task.deadline.cancel()
        task.ask_to_end()
        task.deadline = self._timers.after(
            task.order.grace_seconds, lambda: task.kill_all(self._elsewhere(task))
        )

    def kill_everything(self) -> None:
        """SIGKILL to all tasks, at once."""
        for task in list(self.tasks.values()):
            task.stopped = True
            task.kill_all(self._elsewhere(task))

    def _elsewhere(self, task: Task) -> list[tuple[int, int]]:
        return [
            (each.pid, each.started_ticks) for each in self._by_pid.values() if each is not task
        ]

    # -- what the kernel tells -------------------------------------------------------------------

    def _read(self, stream: Stream) -> None:
        if not stream.read():
            self._poll.forget(stream.fd)

    def reap(self) -> None:
        """Some children died: first processes of tasks, or orphans that came to us."""
        while True:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            task = self._by_pid.pop(pid, None)
            if task is not None:
                task.ended_at = self._micros()
                task.status, task.usage = status, usage
                if task.deadline:
                    task.deadline.cancel()
                self._clear(task, 0.0)

    # -- the end of a task -----------------------------------------------------------------------

    def _clear(self, task: Task, waited: float) -> None:
        """Nobody of the task may live on; then drain, measure, remove."""
        alive: list[int] = []
        if processes.has_orphans(self._pid, self._by_pid):
            alive = task.others(self._elsewhere(task))
        if alive and waited < CLEAR_SECONDS:
            task.kill_others(alive)
            step = max(_CLEAR_STEP_SECONDS, waited / 4)
            self._timers.after(step, lambda: self._clear(task, waited + step))
            return
        task.left += [f"process {pid} does not die" for pid in alive]
        for stream in task.streams:
            self._poll.forget(stream.fd)
            stream.drain()
        if task.killed:
            task.removed["process"] = len(task.killed)
        end = task.measure()
        end["output"] = task.collect()
        end["message"] = task.log.finish()
        end["log_bytes_dropped"] = task.log.dropped
        self._remove_group(task, end, 0)

    def _remove_group(self, task: Task, measured: End, tries: int) -> None:
        """The kernel may take a moment to see that a group is empty."""
        group = task.held.group
        if group:
            left = group.remove()
            if left and tries < _GROUP_TRIES:
                step = _CLEAR_STEP_SECONDS * (1 + tries)
                self._timers.after(step, lambda: self._remove_group(task, measured, tries + 1))
                return
            task.left += left
            if not left:
                task.removed["cgroup"] = 1
        self._remove_folders(
            task.held, task.removed, task.left, lambda: self._leave(task, measured)
        )

    def _remove_folders(
        self, held: Holdings, removed: dict[str, int], left: list[str], then: Callable[[], None]
    ) -> None:
        """The group is gone by now: who takes the folder next takes its name for a group too."""
        self._holding -= 1
        is_last = self._holding == 0
        if is_last and self._ground.groups:
            self._ground.groups.remove_spares()
        chore = remove_folders(held, removed, left, self._ground.folders, is_last=is_last)
        self._later(chore, then)

    def _leave(self, task: Task, measured: End) -> None:
        del self.tasks[task.key]
        self._ended({**task.end(), **measured})

    def _ended(self, end: End) -> None:
        self.on_end(self._journal.end(end))

    def _later(self, chore: Iterator[None], then: Callable[[], None]) -> None:
        """Do `chore` a bit at a time, then `then`. Mostly it is done at once."""
        for _ in chore:
            self._chores.append((chore, then))
            return
        then()

    @property
    def is_busy(self) -> bool:
        """True while there are chores to go on with."""
        return bool(self._chores)

    def do_chores(self) -> None:
        """A bit of the chore that has waited longest."""
        if self._chores:
            self._later(*self._chores.popleft())
