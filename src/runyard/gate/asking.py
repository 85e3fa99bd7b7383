"""Commands that ask for runs and that put jobs in force."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from hashlib import blake2b
from typing import Any

import orjson

from runyard.flow.lifecycle import Decision
from runyard.flow.request import request, slots_of
from runyard.gate.deciding import tell_in
from runyard.model.errors import AlreadyExists, CallerError, NotFound, Refused
from runyard.model.event import Due
from runyard.model.ids import RunId
from runyard.model.job import JobSpec
from runyard.model.plan import Accepted, Plan, RunRequest
from runyard.store.jobs import JobRow
from runyard.store.request_keys import RequestKey
from runyard.store.working_set import Needs, WorkingSet

UNLIMITED = 2**31 - 1  #: the capacity of a slot whose job has no limit any more
_SPECS_KEPT = 1_000  #: Cloud Run's quota of jobs in a project and region


@lru_cache(maxsize=_SPECS_KEPT)
def _plan(key: tuple[str, str, str], revision: int, document: bytes) -> Plan:
    spec = JobSpec.from_document(orjson.loads(document))
    return Plan(
        project=key[0],
        environment=key[1],
        job=key[2],
        revision=revision,
        policy=spec.policy(),
        task_count=spec.task_count,
        regions=spec.regions,
        placement=spec.placement,
        labels=tuple(sorted(spec.labels.items())),
    )


def plan_of(job: JobRow) -> Plan:
    """What the engine needs to know of a job in force."""
    return _plan(job.key, job.revision, orjson.dumps(job.document))


def plan_in(work: WorkingSet, job: JobRow) -> Plan:
    """The plan of a job as this batch read it: made once for all who ask for the job."""
    plan = work.plans.get(job.key)
    if plan is None:
        plan = work.plans[job.key] = plan_of(job)
    return plan


def digest_of(asked: RunRequest) -> str:
    """Equal for requests that ask for the same; the key and who asks do not count."""
    same = orjson.dumps(replace(asked, key="", by=""))
    return blake2b(same, digest_size=16).hexdigest()


@dataclass(slots=True)
class Request:
    """Ask for runs of a job. The answer is `Accepted`.

    Raises NotFound (no such job), Refused (the name is in several projects), InvalidSpec (region)
    or AlreadyExists (the key was used for another request).
    """

    asked: RunRequest
    now: datetime
    new_id: Callable[[], RunId]
    error: CallerError | None = None
    seen: tuple[str, list[RunId]] | None = None
    decisions: Sequence[Decision] = ()

    def needs(self, needs: Needs) -> None:
        """See `Command.needs`."""
        needs.jobs.append((self.asked.environment, self.asked.job))
        if self.asked.key:
            needs.keys.append((self.asked.environment, self.asked.key))

    async def load(self, work: WorkingSet) -> None:
        """See `Command.load`."""
        asked = self.asked
        self.error, self.decisions = None, ()
        self.seen = work.seen.get((asked.environment, asked.key)) if asked.key else None
        if self.seen is not None:
            return
        try:
            plan = plan_in(work, self._job(work))
            self.decisions = request(plan, asked, self.new_id, self.now)
        except CallerError as error:
            self.error = error
        await work.load_facts([decision.run for decision in self.decisions])

    def frees(self, work: WorkingSet) -> None:
        """See `Command.frees`."""

    def act(self, work: WorkingSet) -> Accepted:
        """See `Command.act`."""
        return self._with_key(work) if self.asked.key else Accepted(self._runs(work))

    def _with_key(self, work: WorkingSet) -> Accepted:
        asked, digest = self.asked, digest_of(self.asked)
        known = work.known_key(asked.environment, asked.key)
        seen = (known.digest, list(known.run_ids)) if known else self.seen
        if seen is not None:
            return _again(asked, digest, seen)
        runs = self._runs(work)
        work.remember(RequestKey(asked.environment, asked.key, digest, runs, self.now))
        return Accepted(runs)

    def _runs(self, work: WorkingSet) -> tuple[RunId, ...]:
        if self.error is not None:
            raise self.error
        self._job(work)  # once more: another command of this batch may have begun to change it
        return tuple(self._begin(work, decision) for decision in self.decisions)

    def _begin(self, work: WorkingSet, decision: Decision) -> RunId:
        run = work.apply(decision, self.now, new=True)
        tell_in(work, run.id, Due(), self.now)
        return run.id

    def _job(self, work: WorkingSet) -> JobRow:
        asked = self.asked
        jobs = work.jobs[asked.environment, asked.job]
        fitting = [job for job in jobs if asked.project in ("", job.project)]
        if not fitting:
            raise NotFound(
                f"there is no job {asked.job} in environment {asked.environment}",
                hint="list jobs with `runyard jobs`, or apply a manifest that has it",
            )
        if len(fitting) > 1:
            projects = ", ".join(job.project for job in fitting)
            raise Refused(f"job {asked.job} is in several projects: {projects}; name one")
        if fitting[0].blocked:
            raise Refused(
                f"job {asked.job} is not ready: {fitting[0].blocked}",
                hint=f"`runyard jobs get {asked.job}` shows its conditions",
            )
        return fitting[0]


def _again(asked: RunRequest, digest: str, seen: tuple[str, list[RunId]]) -> Accepted:
    if seen[0] != digest:
        raise AlreadyExists(
            f"the idempotency key {asked.key} was used for another request",
            hint="use a new key for a new request; the same key stands for the same request",
        )
    return Accepted(tuple(seen[1]), seen=True)


@dataclass(frozen=True, slots=True)
class Applied:
    """What applying one job did: created, updated or unchanged."""

    project: str
    environment: str
    name: str
    revision: int
    change: str


@dataclass(slots=True)
class Apply:
    """Put jobs in force; all of them or none. The answer lists what was done to each."""

    specs: Sequence[JobSpec]
    environment: str
    by: str
    now: datetime

    def needs(self, needs: Needs) -> None:
        """See `Command.needs`."""
        needs.jobs.extend((self.environment, spec.name) for spec in self.specs)

    async def load(self, work: WorkingSet) -> None:
        """See `Command.load`."""
        for spec in self.specs:
            await work.load_slots(slots_of(self._plan(spec)))

    def frees(self, work: WorkingSet) -> None:
        """See `Command.frees`."""
        for spec in self.specs:
            limit = spec.concurrency.limit
            for name in slots_of(self._plan(spec)):
                if limit or name in work.slots:
                    work.set_capacity(name, limit or UNLIMITED)

    def act(self, work: WorkingSet) -> list[Applied]:
        """See `Command.act`."""
        return [self._put(work, spec) for spec in self.specs]

    def _put(self, work: WorkingSet, spec: JobSpec) -> Applied:
        document = spec.document()
        before = self._before(work, spec)
        if before is not None and before.operation:
            raise Refused(f"job {spec.name} is being changed by {before.operation}")
        if before is not None and _same(before.document, document):
            return self._applied(spec, before.revision, "unchanged")
        revision = before.revision + 1 if before else 1
        work.put_job(self._row(spec, revision, document))
        return self._applied(spec, revision, "updated" if before else "created")

    def _before(self, work: WorkingSet, spec: JobSpec) -> JobRow | None:
        jobs = work.jobs[self.environment, spec.name]
        return next((job for job in jobs if job.project == spec.project), None)

    def _row(self, spec: JobSpec, revision: int, document: Mapping[str, Any]) -> JobRow:
        return JobRow(
            spec.project, self.environment, spec.name, revision, document, self.now, self.by
        )

    def _applied(self, spec: JobSpec, revision: int, change: str) -> Applied:
        return Applied(spec.project, self.environment, spec.name, revision, change)

    def _plan(self, spec: JobSpec) -> Plan:
        return plan_of(self._row(spec, 0, spec.document()))


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Equal as JSON: what is read from a row has no tuples any more."""
    options = orjson.OPT_SORT_KEYS
    return orjson.dumps(one, option=options) == orjson.dumps(other, option=options)
