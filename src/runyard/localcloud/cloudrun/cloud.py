"""Cloud Run jobs on this machine: what a caller may ask of it.

Raises the errors of `model.errors`: InvalidSpec, NotFound, Refused, QuotaExceeded for what the
caller can mend; ProviderUnavailable and ProviderTimeout for what a region's fault, the spawner or
a closed cloud cause; StoreError when the database fails.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from runyard.database.signals import Listener
from runyard.localcloud.cloudrun.administering import JobAdministration
from runyard.localcloud.cloudrun.beginning import Beginner, Unenforced
from runyard.localcloud.cloudrun.board import Board
from runyard.localcloud.cloudrun.book import Book, Entry, JobKey
from runyard.localcloud.cloudrun.conductor import Conductor
from runyard.localcloud.cloudrun.jobs import Jobs
from runyard.localcloud.cloudrun.names import log_name
from runyard.localcloud.cloudrun.regions import RegionLine
from runyard.localcloud.cloudrun.resources import (
    Execution,
    Region,
    RegionUse,
    RunRequest,
    Task,
    Withdrawal,
    with_unbegun,
)
from runyard.localcloud.cloudrun.starting import Starter, TaskSettings, folder_bytes, remove_logs
from runyard.localcloud.logging.tail import last_lines
from runyard.localcloud.neighbours import Neighbours
from runyard.localcloud.spawner.port import Spawner
from runyard.model.errors import (
    NotFound,
    ProviderTimeout,
    ProviderUnavailable,
    Refused,
)

T = TypeVar("T")

_FAR_FUTURE = datetime(9999, 1, 1, tzinfo=UTC)


class CloudRun:
    """The service. `chance(bits)` gives a random number of so many bits.

    `unenforced(template)` says in sentences what of a template the executor does not keep
    (`model.executors.sentences`). `listener` is what the spawner wakes when a task has ended.
    """

    def __init__(
        self,
        *,
        book: Book,
        neighbours: Neighbours,
        spawner: Spawner,
        regions: Sequence[Region],
        settings: TaskSettings,
        clock: Callable[[], datetime],
        chance: Callable[[int], int],
        unenforced: Unenforced,
        listener: Listener,
    ) -> None:
        self.neighbours = neighbours
        self._book = book
        self._spawner = spawner
        self._settings = settings
        self._clock = clock
        self._chance = chance
        self._board = Board(regions)
        self.jobs = Jobs(book, self._reachable, clock, chance)
        self.administration = JobAdministration(book, self._reachable, clock, chance)
        starter = Starter(spawner, neighbours.reading, settings, clock)
        self._conductor = Conductor(
            book, self._board, spawner, starter, clock, listener, self._tell
        )
        self._subscribers: list[Callable[[Execution], None]] = []
        self._under_way: set[asyncio.Task[Any]] = set()
        self._beginner = Beginner(
            book, self._board, self._conductor, spawner, clock, chance, unenforced
        )

    async def start(self) -> None:
        """Come up; find again what an earlier process left behind."""
        await asyncio.to_thread(self._settings.log_folder.mkdir, parents=True, exist_ok=True)
        await self._conductor.start()

    async def close(self) -> None:
        """Let go. What runs goes on running."""
        await asyncio.gather(*self._under_way, return_exceptions=True)
        await self._conductor.close()

    def subscribe(self, changed: Callable[[Execution], None]) -> None:
        """Let `changed` hear, in the event loop, of each execution whose state changed."""
        self._subscribers.append(changed)

    def _tell(self, execution: Execution) -> None:
        for changed in self._subscribers:
            changed(execution)

    def wake(self) -> None:
        """An end has come in, or a fault was cleared: look."""
        self._conductor.wake()

    @property
    def turns(self) -> int:
        """Turns its loop has made: grows with every wake as long as all is well."""
        return self._conductor.turns

    @property
    def failures(self) -> int:
        """Failures of its loop in a row: 0 when all is well."""
        return self._conductor.failures

    @property
    def regions(self) -> list[RegionUse]:
        """What each region is doing now."""
        return self._board.uses()

    def region(self, name: str) -> RegionLine:
        """A region, to put faults into. Raises NotFound when there is none of that name."""
        line = self._board.lines.get(name)
        if line is None:
            known = ", ".join(sorted(self._board.lines)) or "none"
            raise NotFound(
                f"this cloud has no region {name}; it has {known}",
                hint="use one of these, or add the region to the settings",
            )
        return line

    # -- executions --------------------------------------------------------------------------------
    async def run_job(self, request: RunRequest) -> Execution | Withdrawal:
        """Start an execution, or say what is there already for the request's key."""
        line = self._reachable(request.region, "RunJob")
        if line.faults.latency_seconds:
            await asyncio.sleep(line.faults.latency_seconds)
            self._reachable(request.region, "RunJob")
        answer = await self._whole(self._beginner.begin(request, line))
        if line.faults.answers_to_lose > 0:
            line.faults.answers_to_lose -= 1
            raise ProviderTimeout(
                f"region {request.region} did not answer in time",
                name="localcloud",
                operation="RunJob",
                key=request.request_key,
            )
        return answer

    async def _whole(self, work: Coroutine[Any, Any, T]) -> T:
        """`work`, to its end even if the caller is cancelled while it waits.

        An execution that the book has and the board has not would wait for the next restart.
        """
        task = asyncio.create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return await asyncio.shield(task)

    async def withdraw(self, request_key: str) -> Execution | Withdrawal:
        """Cancel what was started for a key; if nothing was, nothing ever will be."""
        found = await self._book.withdraw(request_key, self._clock())
        if isinstance(found, Execution) and not found.is_final:
            await self.cancel_execution(found.name)
        return found

    async def cancel_execution(self, name: str) -> None:
        """SIGTERM to its running tasks, SIGKILL after ten seconds; the others never start.

        Kept when this returns. Has no effect on an execution that is final.
        """
        held = self._board.get(name)
        if held is None:
            if not (await self.execution(name)).is_final:
                raise ProviderUnavailable(f"execution {name} is not taken up yet: try again")
            return
        self._reachable(held.execution.region, "CancelExecution")
        await self._conductor.cancel(name)

    async def execution(self, name: str) -> Execution:
        """An execution as it is now. Raises NotFound."""
        held = self._board.get(name)
        found = held.execution if held else await self._book.execution(name)
        if found is None:
            raise NotFound(f"there is no execution {name}")
        return found

    async def asked(self, request_keys: Sequence[str]) -> list[Execution | Withdrawal | None]:
        """What is there for each key, as it is now."""
        return await self._book.asked(request_keys)

    async def unreleased_keys(self, limit: int) -> list[str]:
        """Keys of executions that their holder has not released, oldest first."""
        return await self._book.unreleased_keys(limit)

    async def executions(
        self, project: str, region: str, job: str, before: datetime | None = None, limit: int = 100
    ) -> list[Execution]:
        """Executions of a job that are older than `before`, newest first."""
        return await self._book.executions((project, region, job), before or _FAR_FUTURE, limit)

    async def executions_page(
        self, key: JobKey, after: tuple[datetime, str] | None, limit: int
    ) -> list[Execution]:
        """Executions of a job (an empty name: of every job of its region), newest first, from after
        one of a creation instant and a name on."""
        return await self._book.executions_page(key, after or (_FAR_FUTURE, ""), limit)

    async def tasks(self, name: str, first: int = 0, limit: int = 100) -> list[Task]:
        """Tasks of an execution from index `first` on, in order. Raises NotFound."""
        found = await self.execution(name)
        rows = await self._book.tasks(name, first, first + limit)
        return with_unbegun(found, rows, first, limit)

    def log_path(self, execution: Execution) -> Path:
        """Where the log of an execution is, which may not have begun."""
        return self._settings.log_folder / log_name(execution.name)

    async def last_lines(self, execution: Execution) -> dict[int, tuple[str, ...]]:
        """What each failed task that is kept of a final execution wrote last, by its index."""
        attempts = {each.index: each.attempts - 1 for each in execution.tally.failures}
        path = self.log_path(execution)
        return await asyncio.to_thread(last_lines, path, attempts) if attempts else {}

    async def log_bytes(self) -> int:
        """How much room all logs take."""
        return await asyncio.to_thread(folder_bytes, self._settings.log_folder)

    async def release(self, name: str) -> Execution:
        """Take notice of a final execution. Raises Refused while it is open, NotFound."""
        found = await self.execution(name)
        if not found.is_final:
            raise Refused(f"execution {name} has not ended", hint="cancel it and wait for its end")
        if not found.released:
            found = replace(found, released=True)
            await self._book.write(Entry(executions={name: found}))
        return found

    async def delete_execution(self, name: str) -> None:
        """Remove a final execution, its tasks and its log; no effect if there is none.

        Raises Refused while it is open.
        """
        if self._board.get(name) is not None:
            raise Refused(f"execution {name} has not ended", hint="cancel it and wait for its end")
        await remove_logs(self._settings.log_folder, [name])
        await self._book.delete_executions([name])

    async def forget_request(self, request_key: str) -> None:
        """Forget a withdrawn key."""
        await self._book.delete_request(request_key)

    def _reachable(self, region: str, operation: str) -> RegionLine:
        line = self.region(region)
        if line.faults.down:
            raise ProviderUnavailable(
                f"region {region} is down", name="localcloud", operation=operation
            )
        if not self._conductor.is_running:
            raise ProviderUnavailable(
                "the cloud on this machine is not running", name="localcloud", operation=operation
            )
        return line
