"""How an execution begins: everything that can be wrong is found before anything is kept, and what
is kept has its first tasks as running already, where there is room and nobody stands in line.

One commit for an execution and its first starts is one sync less between a request and its task.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from runyard.localcloud.cloudrun.blueprint import Blueprint, blueprint
from runyard.localcloud.cloudrun.board import Board
from runyard.localcloud.cloudrun.book import Begun, Book, Draft
from runyard.localcloud.cloudrun.conductor import STARTS_MAX, Conductor
from runyard.localcloud.cloudrun.fidelity import differences
from runyard.localcloud.cloudrun.jobs import job_to_run
from runyard.localcloud.cloudrun.lifecycle import TaskStarted, decide
from runyard.localcloud.cloudrun.names import execution_name, uid
from runyard.localcloud.cloudrun.overriding import overridden
from runyard.localcloud.cloudrun.regions import RegionLine, Room, demand
from runyard.localcloud.cloudrun.resources import (
    Execution,
    Job,
    RunRequest,
    Task,
    TaskState,
    Withdrawal,
)
from runyard.localcloud.cloudrun.rows import plain
from runyard.localcloud.cloudrun.starting import has_folder
from runyard.localcloud.spawner.port import Spawner
from runyard.model.errors import CallerError, QuotaExceeded

NAMES_TRIED = 4  #: of 60 million per job; all taken means that chance is broken

Unenforced = Callable[[Mapping[str, Any]], Sequence[str]]


class Beginner:
    """Begins executions. See `CloudRun` for `chance` and `unenforced`."""

    def __init__(
        self,
        book: Book,
        board: Board,
        conductor: Conductor,
        spawner: Spawner,
        clock: Callable[[], datetime],
        chance: Callable[[int], int],
        unenforced: Unenforced,
    ) -> None:
        self._book = book
        self._board = board
        self._conductor = conductor
        self._spawner = spawner
        self._clock = clock
        self._chance = chance
        self._unenforced = unenforced
        self._beginning: dict[str, int] = {}

    async def begin(self, request: RunRequest, line: RegionLine) -> Execution | Withdrawal:
        """A new execution, or what is there already for the request's key."""
        try:
            request, plan = _read(request)
            self._within_quota(line)
        except CallerError:
            found = (await self._book.asked([request.request_key]))[0]
            if found is None:
                raise
            return found
        needed, count = self._first_starts(plan, line)
        region, reserved = request.region, needed.times(count)
        draft = self._draft(request, plan, line, count)
        self._beginning[region] = self._beginning.get(region, 0) + 1
        line.used = line.used.plus(reserved)
        try:
            begun = await self._book.begin(request.request_key, draft)
        finally:
            self._beginning[region] -= 1
            line.used = line.used.minus(reserved)
        if not isinstance(begun, Begun):
            return begun
        self._board.add(begun.execution, begun.tasks)
        self._conductor.begun(begun.execution, begun.tasks)
        return begun.execution

    def _within_quota(self, line: RegionLine) -> None:
        region, most = line.region.name, line.region.active_executions_max
        if self._board.executions_in(region) + self._beginning.get(region, 0) >= most:
            raise QuotaExceeded(
                f"region {region} has {most} running executions, which is its quota",
                hint="wait until some have ended, or raise the region's quota in the settings",
            )

    def _first_starts(self, plan: Blueprint | None, line: RegionLine) -> tuple[Room, int]:
        """What a task takes, and how many are started with the execution: none whose secrets
        are still to be read, or while book and spawner have to be brought together."""
        if plan is None or plan.secret_refs or not self._conductor.is_in_step:
            return Room(), 0
        needed = demand(line.region, plan)
        wanted = min(plan.task_count, plan.parallelism or plan.task_count, STARTS_MAX)
        return needed, line.at_once(needed, wanted)

    def _draft(
        self, request: RunRequest, plan: Blueprint | None, line: RegionLine, count: int
    ) -> Draft:
        now, new_uid, job_uid = self._clock(), uid(self._chance(128)), uid(self._chance(128))
        spawner = self._spawner.instance

        def make(before: Job | None, name: str) -> Begun:
            job = job_to_run(request, before, job_uid, now)
            wanted = job.template if request.template is None else request.template
            template = overridden(wanted, request.overrides)
            made = plan or blueprint(template)
            execution = Execution(
                name=name,
                uid=new_uid,
                project=request.project,
                region=request.region,
                job=request.job,
                generation=job.generation,
                template=template,
                blueprint=made,
                created_at=now,
                labels=request.labels,
                request_key=request.request_key,
                warnings=self._warnings(template, made, line),
            )
            return _begun(job, execution, count, spawner, now)

        names = tuple(execution_name(request.job, self._chance(64)) for _ in range(NAMES_TRIED))
        return Draft(request.project, request.region, request.job, names, make)

    def _warnings(
        self, template: Mapping[str, Any], plan: Blueprint, line: RegionLine
    ) -> tuple[str, ...]:
        abilities = self._spawner.abilities
        differ = differences(plan, line.region, abilities, has_folder)
        return tuple(dict.fromkeys((*self._unenforced(template), *differ)))


def _read(request: RunRequest) -> tuple[RunRequest, Blueprint | None]:
    """The request as its book will have it, and what its tasks are made of; None when only the
    job as it is kept can say. Raises InvalidSpec."""
    if request.template is None:
        return request, None
    template = plain(request.template)
    return replace(request, template=template), blueprint(overridden(template, request.overrides))


def _begun(job: Job, execution: Execution, count: int, spawner: str, now: datetime) -> Begun:
    """A new execution with its first `count` tasks started."""
    tasks: list[Task] = []
    for index in range(count):
        event = TaskStarted(Task(index, TaskState.PENDING), spawner)
        decision = decide(execution, event, now)
        execution = decision.execution
        tasks += [decision.task] if decision.task is not None else []
    return Begun(job, execution, tuple(tasks))
