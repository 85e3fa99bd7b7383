"""The gate itself: who waits together is decided together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar

from runyard.database.port import Database, Tx
from runyard.gate.deciding import refill
from runyard.gate.filing import file_letters
from runyard.gate.following import follow_jobs, follow_runs
from runyard.gate.news import News
from runyard.gate.telling import Tell
from runyard.model.effect import Pending
from runyard.model.errors import CallerError, StoreError
from runyard.model.event import Event, Fact
from runyard.model.ids import EffectId, RunId
from runyard.model.operation import Operation
from runyard.model.run import Run
from runyard.model.trigger.row import Trigger
from runyard.store.memory import Store
from runyard.store.outbox import Claim
from runyard.store.working_set import Needs, WorkingSet

T = TypeVar("T")
R = TypeVar("R", covariant=True)

BATCH_MAX = 500  #: commands decided together, so that nobody waits for an endless batch
RECENT_MAX = 5_000  #: runs kept in memory, of about two kilobytes each
LEASE = timedelta(seconds=30)  #: how long a claimed effect is nobody else's; renewed while alive
LOCK = "gate"  #: one batch at a time, whatever the number of gates (decision 14)
REGION_RUNS_MAX = 1_000
"""Runs out in one region: Cloud Run's quota of running executions (cloud.google.com/run/quotas)."""


class Command(Protocol[R]):
    """Something to decide. `now` is the instant it was asked at."""

    now: datetime

    def needs(self, needs: Needs) -> None:
        """Say which rows it needs, so that those of a whole batch are read together."""

    async def load(self, work: WorkingSet) -> None:
        """Bring in what can only be known from the rows it needs."""

    def frees(self, work: WorkingSet) -> None:
        """First round: whatever may free room. Keeps its result for `act`."""

    def act(self, work: WorkingSet) -> R:
        """Second round: whatever takes room, and the result. Raises CallerError."""


@dataclass(slots=True)
class Asked:
    """A command on its way through the gate, and who waits for it."""

    command: Command[Any]
    future: asyncio.Future[Any]


@dataclass(frozen=True, slots=True)
class Committed:
    """What a batch did: the runs and operations it changed, and the effects that this engine now
    has to do.

    `facts` is what it added to histories: the run after each decision, the fact, the instant.
    `alerts`: alerts or incidents changed; `alerts_may_be_due`: one of them has an instant that
    somebody has to wait for.
    `replays_may_be_due`: the same of replays of dead letters.
    `delayed`: effects were put off, so the outbox has an instant that nobody waits for yet.
    """

    runs: tuple[Run, ...]
    effects: tuple[Pending, ...]
    answers: tuple[Any, ...]
    facts: tuple[tuple[Run, Fact, datetime], ...] = ()
    operations: tuple[Operation, ...] = ()
    triggers: tuple[Trigger, ...] = ()
    alerts: bool = False
    alerts_may_be_due: bool = False
    delayed: bool = False
    replays_may_be_due: bool = False

    @property
    def runs_may_be_due(self) -> bool:
        """True when a run has an instant that somebody has to wait for."""
        return any(run.due_at is not None or run.deadline_at is not None for run in self.runs)

    @property
    def runs_await(self) -> bool:
        """True when a run waits for something that somebody has to look for."""
        return any(run.awaiting is not None for run in self.runs)

    @property
    def operations_may_be_due(self) -> bool:
        """The same of operations."""
        return any(one.due_at is not None for one in self.operations)

    @property
    def triggers_may_be_due(self) -> bool:
        """The same of triggers."""
        return any(one.next_at is not None for one in self.triggers)

    def topics(self) -> list[str]:
        """The signals that tell of it."""
        runs = ["runs", *(f"run/{run.id}" for run in self.runs)] if self.runs else []
        triggers = ["triggers"] if self.triggers else []
        alerts = ["incidents"] if self.alerts else []
        return [*runs, *triggers, *alerts, *(f"operation/{one.id}" for one in self.operations)]


@dataclass(frozen=True, slots=True)
class GateSettings:
    """`engine` claims the effects it decides on for a `lease`, when it carries effects out
    itself. `recent_max` runs are kept as they were committed, so that the next decision on them
    need not make them anew from their rows. `tells`: other processes work on this database and
    are told of each batch, under the name `by`."""

    engine: str = ""
    region_runs_max: int = REGION_RUNS_MAX
    lease: timedelta = LEASE
    recent_max: int = RECENT_MAX
    by: str = ""
    tells: bool = False


class Gate:
    """One per process. `committed` is called in the event loop after each batch."""

    def __init__(
        self,
        database: Database,
        store: Store,
        settings: GateSettings,
        committed: Callable[[Committed], None] = lambda _: None,
    ) -> None:
        self._database = database
        self._store = store
        self._settings = settings
        self._committed = committed
        self._waiting: list[Asked] = []
        self.recent: dict[RunId, Run] = {}  #: as committed, the latest last
        self._task: asyncio.Task[None] | None = None

    async def ask(self, command: Command[T]) -> T:
        """Decide `command` and return its answer once everything it led to is durable.

        Raises what the command raises (CallerError), or StoreError when nothing was written.
        """
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append(Asked(command, future))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._drain(), name="gate")
        return await future

    async def tell(
        self, run: RunId, event: Event, now: datetime, *, settles: EffectId | None = None
    ) -> Run:
        """Tell a run what happened. `settles` leaves the outbox in the same transaction, also
        when the event comes too late.

        Raises NotFound, or IllegalTransition when it may not happen now.
        """
        return await self.ask(Tell(run, event, now, settles))

    async def decide_now(self, commands: Sequence[Command[Any]]) -> Committed:
        """Decide a batch at once, without waiting for company. Answers hold errors as values."""

        async def work(tx: Tx) -> Committed:
            return await self._decide(tx, commands)

        return await self._database.write(work)

    def tasks(self) -> list[asyncio.Task[None]]:
        """What the gate has under way."""
        return [self._task] if self._task is not None else []

    async def _drain(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:BATCH_MAX], self._waiting[BATCH_MAX:]
            await self._settle(batch)

    async def _settle(self, batch: Sequence[Asked]) -> None:
        try:
            done = await self.decide_now([asked.command for asked in batch])
        except Exception as error:  # nothing was written
            if len(batch) == 1 or isinstance(error, StoreError):
                for asked in batch:
                    _answer(asked.future, error)
                return
            for asked in batch:  # one command is at fault: the others shall not suffer
                await self._settle([asked])
            return
        self._remember(done.runs)
        self._committed(done)
        for asked, answer in zip(batch, done.answers, strict=True):
            _answer(asked.future, answer)

    def _remember(self, runs: Sequence[Run]) -> None:
        for run in runs:
            before = self.recent.pop(run.id, None)
            if not (run.is_final and before is not None and before.is_final):  # released: over
                self.recent[run.id] = run
        while len(self.recent) > self._settings.recent_max:
            del self.recent[next(iter(self.recent))]

    async def _decide(self, tx: Tx, commands: Sequence[Command[Any]]) -> Committed:
        await tx.lock(LOCK)
        work = WorkingSet(self._store, tx, self._settings.region_runs_max, self.recent)
        needs = Needs()
        for command in commands:
            command.needs(needs)
        await work.load(needs)
        for command in commands:
            await command.load(work)
        for command in commands:
            command.frees(work)
        now = max(command.now for command in commands)
        await refill(work, now)
        answers = tuple(_act(command, work) for command in commands)  # frees no room
        await follow_jobs(work, now)
        await follow_runs(work, now)
        await file_letters(work, now)
        mine = self._settings.engine
        await work.write(Claim(mine, now + self._settings.lease) if mine else Claim())
        done = _committed(work, answers, carries=bool(mine))
        if self._settings.tells:
            await self._notify(tx, done, waiting=bool(work.effects) and not mine)
        return done

    async def _notify(self, tx: Tx, done: Committed, *, waiting: bool) -> None:
        """Tell other processes; `waiting`: effects wait for one who carries them out."""
        due = done.runs_may_be_due or done.operations_may_be_due or bool(done.triggers)
        due = due or done.alerts_may_be_due or done.replays_may_be_due or done.runs_await
        news = News.of(self._settings.by, done.topics(), due=due, effects=waiting or done.delayed)
        if news is not None:
            await tx.notify(news.text())


def _committed(work: WorkingSet, answers: tuple[Any, ...], *, carries: bool) -> Committed:
    operations = work.operations
    return Committed(
        runs=tuple(work.runs[each] for each in sorted(work.changed)),
        effects=tuple(work.effects) if carries else (),
        answers=answers,
        facts=tuple(work.facts),
        operations=tuple(operations.rows[each] for each in sorted(operations.changed)),
        triggers=tuple(work.triggers.rows[key] for key in work.triggers.changed),
        alerts=work.alerts.has_changed,
        alerts_may_be_due=work.alerts.may_be_due,
        delayed=work.has_delayed,
        replays_may_be_due=work.letters.may_be_due,
    )


def _act(command: Command[Any], work: WorkingSet) -> Any:
    try:
        return command.act(work)
    except CallerError as error:
        return error


def _answer(future: asyncio.Future[Any], answer: Any) -> None:
    if future.done():
        return
    if isinstance(answer, Exception):
        future.set_exception(answer)
        future.exception()  # seen: a waiter that goes away before it looks is no warning
    else:
        future.set_result(answer)
