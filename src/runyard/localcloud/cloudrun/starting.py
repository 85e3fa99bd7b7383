"""Starts task attempts that the book already has: secrets, log, order, spawner. Acts."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from runyard.localcloud.cloudrun.blueprint import SecretRef
from runyard.localcloud.cloudrun.names import log_name
from runyard.localcloud.cloudrun.orders import SecretValues, env_fault, task_order
from runyard.localcloud.cloudrun.resources import Execution, ExecutionState, Task
from runyard.localcloud.iam.names import account_member, email_of, secrets_project
from runyard.localcloud.logging.format import SYSTEM, encode
from runyard.localcloud.secrets.reading import Reader, SecretReading
from runyard.localcloud.spawner.port import Spawner, TaskOrder
from runyard.model.errors import NotFound, PermissionDenied, PlatformError, Refused
from runyard.model.instants import to_micros

NOTICES_AT_ONCE = 2  #: small files written in place: a thread takes longer to wake than they do
_log = logging.getLogger(__name__)

Start = tuple[Execution, Task]


@dataclass(frozen=True, slots=True)
class TaskSettings:
    """What is the same for every task of this cloud.

    `search_path` is the PATH of a task that sets none. `log_bytes_max` bounds what one task
    attempt may log (0: no bound).
    """

    log_folder: Path
    search_path: str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    log_bytes_max: int = 256 * 2**20


@dataclass(frozen=True, slots=True)
class Secrets:
    """The secret values of one execution as they are now, or why it cannot have them."""

    values: SecretValues
    fault: str = ""


class Starter:
    """Hands task attempts to the spawner."""

    def __init__(
        self,
        spawner: Spawner,
        reading: SecretReading,
        settings: TaskSettings,
        clock: Callable[[], datetime],
    ) -> None:
        self._spawner = spawner
        self._reading = reading
        self._settings = settings
        self._clock = clock
        self._noticed: set[str] = set()

    async def secrets(self, execution: Execution) -> Secrets:
        """Every secret the execution names, resolved now: `latest` is read at each start."""
        refs = execution.blueprint.secret_refs
        if not refs:
            return Secrets({})
        try:
            found = await self._reading.access(
                secrets_project(execution.project),
                [(ref.secret, ref.version) for ref in refs],
                _reader(execution),
            )
        except (NotFound, PermissionDenied, Refused) as error:
            return Secrets({}, f"{error.message}. {error.hint}".strip())
        values: dict[SecretRef, bytes] = dict(zip(refs, found, strict=True))
        return Secrets(values, env_fault(execution.blueprint, values))

    async def start(
        self, starts: Sequence[Start], secrets: dict[str, Secrets]
    ) -> PlatformError | None:
        """Spawn all of `starts`; those that were spawned before stay as they are.

        Answers why not all of them may have been started, or None when they were.
        """
        orders = [
            self._order(execution, task, secrets[execution.name].values)
            for execution, task in starts
        ]
        await self._notice(execution for execution, _ in starts)
        answers = await asyncio.gather(
            *(self._spawner.spawn(order) for order in orders), return_exceptions=True
        )
        for answer in answers:
            if isinstance(answer, PlatformError):
                return answer
            if isinstance(answer, BaseException):
                raise answer
        return None

    def _order(self, execution: Execution, task: Task, values: SecretValues) -> TaskOrder:
        wanted = execution.blueprint.working_folder
        return task_order(
            execution,
            task,
            values,
            log_path=str(self._settings.log_folder / log_name(execution.name)),
            search_path=self._settings.search_path,
            working_folder=wanted if has_folder(wanted) else "",
            log_bytes_max=self._settings.log_bytes_max,
        )

    async def _notice(self, executions: Iterable[Execution]) -> None:
        unnoticed = {each.name: each for each in executions if each.name not in self._noticed}
        if len(unnoticed) <= NOTICES_AT_ONCE:
            self._write_notices(unnoticed.values())
        else:
            await asyncio.to_thread(self._write_notices, unnoticed.values())

    def _write_notices(self, executions: Iterable[Execution]) -> None:
        """An execution's warnings stand at the top of its log, once."""
        for execution in executions:
            self._noticed.add(execution.name)
            self._write_notice(execution)

    def _write_notice(self, execution: Execution) -> None:
        at = to_micros(self._clock())
        lines = [encode(at, 0, 0, SYSTEM, "WARNING", text) for text in execution.warnings]
        if execution.message and execution.is_final:
            cancelled = execution.state is ExecutionState.CANCELLED
            severity = "NOTICE" if cancelled else "ERROR"
            lines.append(encode(at, 0, 0, SYSTEM, severity, execution.message))
        path = self._settings.log_folder / log_name(execution.name)
        try:
            with suppress(FileExistsError):
                _create(path, b"".join(lines))
        except OSError as error:  # a full disk: the tasks matter more than the notice
            _log.warning("the log %s has no top: %s", path, error.strerror)

    async def remove_logs(self, executions: Iterable[str]) -> None:
        """Remove the logs of executions."""
        await remove_logs(self._settings.log_folder, executions)

    async def note(self, executions: Sequence[Execution]) -> None:
        """See that the logs of ended executions have a top, also where no task was started."""
        await self._notice(executions)
        self._noticed.difference_update(each.name for each in executions)


def _reader(execution: Execution) -> Reader:
    """Who a task reads secrets as: its job's service account."""
    email = email_of(execution.project, execution.blueprint.service_account)
    return Reader(account_member(email), execution.name, execution.request_key)


def has_folder(path: str) -> bool:
    """True when a task may be started in `path`."""
    return path.startswith("/") and Path(path).is_dir()


async def remove_logs(folder: Path, executions: Iterable[str]) -> None:
    """Remove the logs of executions; first of all, so that no record outlives its log's removal."""
    paths = [folder / log_name(name) for name in executions]

    def remove() -> None:
        for path in paths:
            path.unlink(missing_ok=True)

    await asyncio.to_thread(remove)


def folder_bytes(folder: Path) -> int:
    """How much room the files of a folder take on the disk (a hole in one takes none)."""
    found = 0
    with os.scandir(folder) as entries:
        for entry in entries:
            with suppress(FileNotFoundError):  # removed meanwhile
                found += 512 * entry.stat().st_blocks
    return found


def _create(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o640)
    try:
        os.write(descriptor, content)
    finally:
        os.close(descriptor)
