"""Carries out the steps of operations, and undoes them: each is asked of the provider, and the
answer told to the gate.

A step is done at least once; the provider's promises (`provider.port_jobs`) make that harmless.
What is refused fails the operation, which is then undone; what cannot be done now is tried again
with growing pauses, up to a number of tries.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from runyard.database.port import Database, Tx
from runyard.engine.carrier import Carrier, pause
from runyard.engine.doing import Doing
from runyard.engine.notifying import Notifier
from runyard.flow.operation import together, together_back
from runyard.gate.door import Gate
from runyard.gate.operating import TellOperation
from runyard.gate.telling import Settle
from runyard.model.effect import Alert, Compensate, Notify, Pending, Perform
from runyard.model.errors import (
    CallerError,
    IllegalTransition,
    NotFound,
    PlatformError,
    ProviderRefused,
)
from runyard.model.ids import OperationId
from runyard.model.operation import (
    Compensated,
    CompensationFailed,
    Operation,
    OperationEvent,
    OperationState,
    StepDelayed,
    StepDone,
    StepFailed,
)
from runyard.store.memory import Store

LOGGER = logging.getLogger("runyard.engine")
TRIES_MAX = 60  #: of one step, about 54 minutes; then it has failed
AT_ONCE_MAX = 50  #: steps asked of the provider at the same time; below its quota of requests
Clock = Callable[[], datetime]
T = TypeVar("T")
_DOING = frozenset({OperationState.RUNNING, OperationState.STOPPING})


@dataclass(slots=True)
class Steps:
    """Does one step after the other; safe to call for several operations at once."""

    gate: Gate
    database: Database
    store: Store
    doing: Doing
    clock: Clock
    tries_max: int = TRIES_MAX

    async def carry(self, pending: Pending, effect: Perform | Compensate) -> None:
        """Do or undo one step and tell the result. Raises StoreError when it cannot be written."""
        row = await self._operation(effect.operation)
        if row is None or not _is_out(row, effect):
            await self.gate.ask(Settle(pending.id, self.clock()))
            return
        try:
            event = await self._event(row, effect)
        except (CallerError, ProviderRefused) as error:
            await self._tell(pending, effect, _failed(effect, error))
        except PlatformError as error:
            await self._later(pending, effect, error)
        else:
            await self._tell(pending, effect, event)

    async def _event(self, row: Operation, effect: Perform | Compensate) -> OperationEvent:
        if isinstance(effect, Perform):
            return await self._done(row, effect.step)
        return await self._undone(row, effect.step)

    async def _done(self, row: Operation, step: int) -> OperationEvent:
        """All steps that go together, at once; of those that did not go, the first says why. None
        is under way any more then."""
        numbers = together(row)
        had = await self._at_once(self.doing.do(row, number) for number in numbers)
        results = [one for one in had if not isinstance(one, BaseException)]
        if len(results) == len(had):
            return StepDone(step, results[0], tuple(results[1:]))
        for number, one in zip(numbers, had, strict=True):
            if isinstance(one, CallerError | ProviderRefused):
                return StepFailed(step, one.message, one.hint, number)
        raise next(one for one in had if isinstance(one, BaseException))

    async def _undone(self, row: Operation, step: int) -> OperationEvent:
        """All that go together; where one cannot be undone, each by itself, so that it is named."""
        numbers = together_back(row)
        if len(numbers) > 1:
            had = await self._at_once(self.doing.undo(row, number) for number in numbers)
            if not any(isinstance(one, BaseException) for one in had):
                return Compensated(step, f"{len(had)} steps were undone", len(had))
        return Compensated(step, await self.doing.undo(row, step))

    async def _at_once(self, asked: Iterable[Awaitable[T]]) -> list[T | BaseException]:
        room = asyncio.Semaphore(AT_ONCE_MAX)

        async def one(each: Awaitable[T]) -> T:
            async with room:
                return await each

        return await asyncio.gather(*(one(each) for each in asked), return_exceptions=True)

    async def _later(
        self, pending: Pending, effect: Perform | Compensate, error: PlatformError
    ) -> None:
        if pending.tries + 1 >= self.tries_max:
            words = f"not done after {self.tries_max} tries: {error.message}"
            await self._tell(pending, effect, _failed(effect, ProviderRefused(words)))
            return
        now = self.clock()
        event = StepDelayed(effect.step, error.message, now + pause(pending.tries))
        try:
            await self.gate.ask(TellOperation(effect.operation, event, now, delays=pending))
        except (IllegalTransition, NotFound):
            LOGGER.debug("%s came too late", pending.id)

    async def _tell(
        self, pending: Pending, effect: Perform | Compensate, event: OperationEvent
    ) -> None:
        try:
            told = TellOperation(effect.operation, event, self.clock(), settles=pending.id)
            await self.gate.ask(told)
        except (IllegalTransition, NotFound):
            LOGGER.debug("%s came too late", pending.id)

    async def _operation(self, operation: OperationId) -> Operation | None:
        async def work(tx: Tx) -> list[Operation]:
            return await self.store.operations.get(tx, [operation])

        found = await self.database.read(work)
        return found[0] if found else None


def _is_out(row: Operation, effect: Perform | Compensate) -> bool:
    wanted = _DOING if isinstance(effect, Perform) else {OperationState.UNDOING}
    return row.state in wanted and row.position == effect.step


def _failed(effect: Perform | Compensate, error: PlatformError) -> OperationEvent:
    kind = StepFailed if isinstance(effect, Perform) else CompensationFailed
    return kind(effect.step, error.message, error.hint)


@dataclass(slots=True)
class Hands:
    """All that the outbox may hold: what runs want done, what operations, and what alerts."""

    runs: Carrier
    operations: Steps
    alerts: Notifier

    async def carry(self, pending: Pending) -> None:
        """Do one effect and tell the result. Raises StoreError when that cannot be written."""
        if isinstance(pending.effect, Perform | Compensate):
            await self.operations.carry(pending, pending.effect)
        elif isinstance(pending.effect, Alert | Notify):
            await self.alerts.carry(pending, pending.effect)
        else:
            await self.runs.carry(pending)
