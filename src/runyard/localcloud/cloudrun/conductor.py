"""The one loop that moves executions on: ends in, decisions kept, tasks started. Acts.

Nothing else changes an open execution, so no lock is needed. The order of every step is what
makes a `kill -9` at any line harmless:

1. ends are kept in the book before the spawner may drop them (`forget`);
2. a start is kept in the book before the spawner hears of it;
3. the board follows the book, never leads it.

After a restart, a task that the book calls running is either running, or ended (the spawner has
its end), or never reached the spawner it was recorded under (spawned now), or died with its
spawner (lost: a failed attempt). What runs and is not in the book is stopped.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import datetime

from runyard.database.signals import Listener
from runyard.localcloud.cloudrun.board import Board, Open
from runyard.localcloud.cloudrun.book import Book, Entry
from runyard.localcloud.cloudrun.lifecycle import (
    CancelRequested,
    Impossible,
    TaskEnded,
    TaskStarted,
    decide,
)
from runyard.localcloud.cloudrun.names import attempt_name, split_attempt_name
from runyard.localcloud.cloudrun.resources import (
    STARTING,
    Execution,
    ExecutionState,
    Reason,
    Task,
)
from runyard.localcloud.cloudrun.starting import Secrets, Start, Starter
from runyard.localcloud.spawner.port import Spawner, TaskEnd
from runyard.model.errors import PlatformError, ProviderUnavailable

LOOK_AGAIN_SECONDS = 5.0  #: how long the loop trusts that a missed signal would have come
STARTS_MAX = 128  #: task starts per region that share one commit
PAUSE_SECONDS = 0.05  #: after a failure; doubled with each one more, up to
PAUSE_MAX_SECONDS = 5.0

_log = logging.getLogger(__name__)


class Conductor:
    """Moves everything on the board. `changed` hears of each execution whose state changed.

    `listener` is woken by whoever has something new: the spawner an end, the cloud an execution.
    """

    def __init__(
        self,
        book: Book,
        board: Board,
        spawner: Spawner,
        starter: Starter,
        clock: Callable[[], datetime],
        listener: Listener,
        changed: Callable[[Execution], None],
    ) -> None:
        self._book = book
        self._board = board
        self._spawner = spawner
        self._starter = starter
        self._clock = clock
        self._changed = changed
        self._listener = listener
        self._cancels: dict[str, list[asyncio.Future[None]]] = {}
        self._begun: list[Start] = []
        self._in_step = False
        self._instance = ""
        self._hindrance: PlatformError | None = None
        self._loop: asyncio.Task[None] | None = None
        self.failures = 0  #: in a row; 0 when all is well
        self.turns = 0  #: made since the start, for whoever watches that the loop lives

    @property
    def is_running(self) -> bool:
        """True between `start` and `close`."""
        return self._loop is not None and not self._loop.done()

    @property
    def is_in_step(self) -> bool:
        """True when book and spawner say the same, so that a task may be kept as running."""
        return self._in_step and self._instance == self._spawner.instance

    def begun(self, execution: Execution, tasks: Sequence[Task]) -> None:
        """Take up a new execution, on the board with `tasks`, which the book has as running."""
        self._begun += [(execution, task) for task in tasks]
        self.wake()

    def wake(self) -> None:
        """There is something new: an execution, an end."""
        self._listener.wake()

    async def start(self) -> None:
        """Take up everything that is open, then keep it moving."""
        for found in await self._book.open_executions():
            self._board.add(found.execution, found.tasks)
        await self._take_up()
        self._loop = asyncio.create_task(self._run(), name="cloudrun-conductor")

    async def close(self) -> None:
        """Stop moving things. What runs goes on running."""
        if self._loop is not None:
            self._loop.cancel()
            with suppress(asyncio.CancelledError):
                await self._loop
        for future in self._taken_cancels().values():
            _refuse(future, ProviderUnavailable("the cloud on this machine was closed"))

    async def cancel(self, execution: str) -> None:
        """Ask an open execution to end; kept when this returns. No effect on one that is final.

        Raises StoreError when that could not be kept.
        """
        if self._board.get(execution) is None:
            return
        if not self.is_running:
            raise ProviderUnavailable("the cloud on this machine was closed")
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._cancels.setdefault(execution, []).append(future)
        self.wake()
        await future

    async def _run(self) -> None:
        while True:
            try:
                if not self._in_step or self._instance != self._spawner.instance:
                    await self._take_up()
                more = await self._turn()
                if self._hindrance is not None:
                    await self._fail(self._hindrance)
                    continue
                self.failures = 0
                self.turns += 1
                if not more:
                    await self._listener.wait(LOOK_AGAIN_SECONDS)
            except PlatformError as error:
                await self._fail(error)
            except Exception:
                _log.exception("the conductor failed; it looks at everything again")
                await self._fail(None)

    async def _fail(self, error: PlatformError | None) -> None:
        """Nothing was half done: make sure of it, wait a little and look at everything again."""
        if error is not None:
            _log.warning("the cloud on this machine waits: %s %s", error.message, error.hint)
        self._hindrance = None
        self.failures += 1
        self._in_step = False
        self._board.stand_all()
        pause = PAUSE_SECONDS * 2 ** min(self.failures, 10)
        await asyncio.sleep(min(pause, PAUSE_MAX_SECONDS))

    async def _turn(self) -> bool:
        """One turn; True when the next one should follow at once."""
        await self._start_begun()  # first: what is cancelled now must be known to the spawner
        await self._take_ends(await self._spawner.ends())
        await self._carry_out_cancels()
        return await self._start_tasks() or not self._in_step

    # -- ends ------------------------------------------------------------------------------------
    async def _take_ends(self, ends: Sequence[TaskEnd]) -> None:
        if not ends:
            return
        await self._keep(self._ended(ends))
        await self._spawner.forget([end.key for end in ends])

    def _ended(self, ends: Iterable[TaskEnd]) -> Entry:
        entry, now = Entry(), self._clock()
        for end in {end.key: end for end in ends}.values():
            found = split_attempt_name(end.key)
            held = self._board.get(found[0]) if found else None
            if held is None or found is None:
                continue
            name, index, attempt = found
            task = held.running.get(index)
            if task is None or task.attempt != attempt:
                continue
            before = entry.executions.get(name, held.execution)
            decision = decide(before, TaskEnded(task, end), now)
            entry.executions[name] = decision.execution
            if decision.task is not None:
                entry.tasks.append((name, decision.task))
        return entry

    # -- cancels ---------------------------------------------------------------------------------
    async def _carry_out_cancels(self) -> None:
        asked = self._taken_cancels()
        if not asked:
            return
        futures = [future for each in asked.values() for future in each]
        try:
            await self._keep(self._cancelled(asked))
        except PlatformError as error:
            _refuse(futures, error)
            raise
        for future in futures:
            if not future.done():
                future.set_result(None)
        await self._stop(held for name in asked if (held := self._board.get(name)))

    def _cancelled(self, names: Iterable[str]) -> Entry:
        entry, now = Entry(), self._clock()
        for name in names:
            held = self._board.get(name)
            if held is not None:
                entry.executions[name] = decide(held.execution, CancelRequested(), now).execution
        return entry

    def _taken_cancels(self) -> dict[str, list[asyncio.Future[None]]]:
        asked, self._cancels = self._cancels, {}
        return asked

    async def _stop(self, executions: Iterable[Open]) -> None:
        keys = [key for held in executions for key in held.running_keys()]
        await asyncio.gather(*(self._spawner.stop(key) for key in keys))

    # -- starts ----------------------------------------------------------------------------------
    async def _start_begun(self) -> None:
        """Spawn what was kept as running with its execution. What was kept for a spawner that
        went away meanwhile is for taking up to find, as after a restart."""
        starts, self._begun = self._begun, []
        executions = {execution.name: execution for execution, _ in starts}
        if any(task.spawner != self._instance for _, task in starts):
            self._in_step = False
        elif starts:
            await self._spawn(starts, dict.fromkeys(executions, Secrets({})))
        for execution in executions.values():
            self._changed(execution)

    async def _start_tasks(self) -> bool:
        if not self._in_step:
            return False
        turns = self._board.turns(STARTS_MAX)
        if not turns:
            return False
        secrets = await self._secrets(turns)
        entry, starts, now = Entry(), [], self._clock()
        for execution, task in turns:
            name = execution.name
            before = entry.executions.get(name, execution)
            if before.state not in STARTING:
                continue
            if secrets[name].fault:
                entry.executions[name] = self._impossible(before, secrets[name].fault, now)
                continue
            decision = decide(before, TaskStarted(task, self._spawner.instance), now)
            entry.executions[name] = decision.execution
            if decision.task is not None:
                entry.tasks.append((name, decision.task))
                starts.append((name, decision.task))
        await self._keep(entry)
        found = ((self._board.get(name), task) for name, task in starts)
        await self._spawn([(held.execution, task) for held, task in found if held], secrets)
        return len(turns) >= STARTS_MAX

    def _impossible(self, execution: Execution, fault: str, now: datetime) -> Execution:
        event = Impossible(Reason.SECRETS_ACCESS_CHECK_FAILED, fault)
        return decide(execution, event, now).execution

    async def _secrets(self, starts: Sequence[Start]) -> dict[str, Secrets]:
        executions = {execution.name: execution for execution, _ in starts}
        found = await asyncio.gather(*map(self._starter.secrets, executions.values()))
        return dict(zip(executions, found, strict=True))

    async def _spawn(self, starts: Sequence[Start], secrets: dict[str, Secrets]) -> None:
        """Any failure means that nobody knows what was started: taking up finds out."""
        self._in_step = False
        self._hindrance = await self._starter.start(starts, secrets)
        self._in_step = self._hindrance is None

    # -- taking up ---------------------------------------------------------------------------------
    async def _take_up(self) -> None:
        """Bring book and spawner together again, whatever happened to either."""
        await self._spawner.start()
        running = set(await self._spawner.running())
        ends = await self._spawner.ends()
        await self._take_ends(ends)
        await self._end_strays(running)
        known = running | {end.key for end in ends}
        await self._take_missing(known)
        await self._stop(
            held for held in self._board if held.execution.state is ExecutionState.CANCELLING
        )
        await self._give_up_unknown_regions()
        self._instance = self._spawner.instance
        self._in_step = self._hindrance is None

    async def _end_strays(self, running: set[str]) -> None:
        """What runs and is in no book must not run."""
        ours = {key for held in self._board for key in held.running_keys()}
        for key in running - ours:
            _log.warning("task attempt %s runs and is not known: it is stopped", key)
            await self._spawner.stop(key)

    async def _take_missing(self, known: set[str]) -> None:
        """Tasks that the book calls running and the spawner does not know."""
        self._begun.clear()  # they are on the board
        again: list[Start] = []
        gone: list[str] = []
        for held in self._board:
            for task, key in zip(held.running.values(), held.running_keys(), strict=True):
                if key in known:
                    continue
                if task.spawner == self._spawner.instance and held.execution.state in STARTING:
                    again.append((held.execution, task))
                else:
                    gone.append(key)
        lost = await self._spawner.lost(gone) if gone else []
        secrets = await self._secrets(again)
        faulty = [self._unstarted(each, secrets) for each in again if secrets[each[0].name].fault]
        await self._keep(self._ended([*lost, *faulty]))
        good = [each for each in again if not secrets[each[0].name].fault]
        self._hindrance = await self._starter.start(good, secrets)

    def _unstarted(self, start: Start, secrets: dict[str, Secrets]) -> TaskEnd:
        """The end of an attempt that never reached the spawner and now cannot any more."""
        (execution, task), now = start, self._clock()
        return TaskEnd(
            key=attempt_name(execution.name, task.index, task.attempt),
            exit_code=None,
            signal=None,
            started_at=now,
            ended_at=now,
            not_started=True,
            message=secrets[execution.name].fault,
        )

    async def _give_up_unknown_regions(self) -> None:
        entry, now = Entry(), self._clock()
        for held in self._board:
            execution = held.execution
            if execution.region not in self._board.lines and execution.state in STARTING:
                fault = f"This cloud has no region {execution.region} any more."
                event = Impossible(Reason.NONE, fault)
                entry.executions[execution.name] = decide(execution, event, now).execution
        await self._keep(entry)

    # -- the book --------------------------------------------------------------------------------
    async def _keep(self, entry: Entry) -> None:
        if not entry:
            return
        final = [each for each in entry.executions.values() if each.is_final]
        await self._starter.note(final)  # before anybody may think that the log is whole
        await self._book.write(entry)
        for execution in self._board.apply(entry):
            self._changed(execution)
        for execution in final:
            if not execution.request_key:
                await self._prune(execution)

    async def _prune(self, execution: Execution) -> None:
        """Executions that nobody holds by a key are kept up to Google's quota, others until
        their holder has them deleted."""
        beyond = await self._book.beyond_quota(execution)
        if beyond:
            await self._starter.remove_logs(beyond)
            await self._book.delete_executions(beyond)


def _refuse(futures: Iterable[asyncio.Future[None]], error: PlatformError) -> None:
    for future in futures:
        if not future.done():
            future.set_exception(error)
