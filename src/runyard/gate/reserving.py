"""The command that begins operations: everything is checked and reserved, or nothing is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from runyard.flow.chain_rules import wrong_chains
from runyard.flow.operation import begin
from runyard.flow.undertaking import Live, Wish, draft, drop, next_fence, put
from runyard.gate.operating import row_of, take
from runyard.gate.operation_audit import begun_entry
from runyard.model.audit import HERE, Origin
from runyard.model.errors import Fault, NotFound, Refused, StalePlan
from runyard.model.ids import OperationId
from runyard.model.operation import JobChange, Operation
from runyard.model.run import TriggerKind
from runyard.model.standing import Standing
from runyard.model.trigger.row import Trigger
from runyard.store.deleted_jobs import DeletedJob
from runyard.store.jobs import JobRow
from runyard.store.working_set import Needs, WorkingSet

Key = tuple[str, str]  #: project and name; the environment is the wish's
_WAIT_FOR_RUNS = "wait for them, cancel them, or use --force --reason"
RUNS_NAMED = 5  #: active runs that a refusal names; the rest is "and more"


@dataclass(frozen=True, slots=True)
class Undertaken:
    """What becomes of each job, and the operation that does it; None: there was nothing to do."""

    changes: tuple[JobChange, ...]
    operation: Operation | None


@dataclass(frozen=True, slots=True)
class Aim:
    """What shall be so of one job: a document, nothing (it is deleted), or what was deleted before.

    `base` is the revision in force that the wish was made against (0: none), `live` how the job's
    resources were then. `targets`: see `JobChange`. `unsafe`: what somebody has to confirm.
    """

    key: Key
    base: int
    live: Live
    document: Mapping[str, Any] | None = None
    restores: bool = False
    targets: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    unsafe: tuple[str, ...] = ()


@dataclass(slots=True)
class Undertake:
    """Begin an operation: all of its jobs are reserved for it, or nothing is. See `Undertaken`.

    Raises Refused with everything that stands in its way; StalePlan when a job is not as it was
    when the wish was made.
    """

    wish: Wish
    aims: Sequence[Aim]
    waits: timedelta
    now: datetime
    origin: Origin = HERE
    faults: list[Fault] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    last_fence: int = 0
    chains: Sequence[Trigger] = ()
    jobs: Sequence[Key] = ()

    def needs(self, needs: Needs) -> None:
        """See `Command.needs`."""
        needs.jobs.extend((self.wish.environment, aim.key[1]) for aim in self.aims)

    async def load(self, work: WorkingSet) -> None:
        """See `Command.load`."""
        environment = self.wish.environment
        self.last_fence = await work.store.operations.last_fence(work.tx)
        await work.operations.load_deleted(environment, [aim.key[1] for aim in self.aims])
        for aim in self.aims:
            if _is_deletion(aim):
                key = (aim.key[0], environment, aim.key[1])
                await work.operations.load_live_runs(key, RUNS_NAMED + 1)
        if any(aim.document is not None and aim.document.get("triggers") for aim in self.aims):
            store = work.store
            self.chains = await store.triggers.of_kind(work.tx, environment, TriggerKind.CHAIN)
            self.jobs = await store.jobs.names(work.tx, environment)
        rows = [row_of(work, environment, aim.key) for aim in self.aims]
        held = [OperationId(row.operation) for row in rows if row is not None and row.operation]
        await work.operations.load(held)

    def frees(self, work: WorkingSet) -> None:
        """See `Command.frees`."""

    def act(self, work: WorkingSet) -> Undertaken:
        """See `Command.act`."""
        self.faults, self.words = [], []
        changes = [change for aim in self.aims if (change := self._change(work, aim)) is not None]
        wanted = {aim.key: aim.document for aim in self.aims if aim.document is not None}
        for wrong in wrong_chains(wanted, self.chains, self.jobs):
            self._refuse(wrong.key, wrong.words, wrong.fault)
        if self.faults:
            words = "; ".join(self.words)
            raise Refused(f"nothing was changed: {words}", faults=tuple(self.faults))
        live = {aim.key: aim.live for aim in self.aims}
        unsafe = [sentence for aim in self.aims for sentence in aim.unsafe]
        begun = (one.fence for one in work.operations.rows.values())  # in this batch, too
        fence = next_fence(max(self.last_fence, *begun, 0), self.now)
        operation = draft(self.wish, changes, live, unsafe, fence)
        if operation is None:
            return Undertaken(tuple(changes), None)
        decision = begin(operation, self.now + self.waits)
        work.record(begun_entry(operation, self.now, self.origin))
        return Undertaken(tuple(changes), take(work, decision, None, self.now, new=True))

    def _change(self, work: WorkingSet, aim: Aim) -> JobChange | None:
        row = row_of(work, self.wish.environment, aim.key)
        if row is not None and row.operation:
            hint = "wait for it, or cancel it"
            fault = Fault("", row.operation, "a job that nobody else is changing", hint)
            self._refuse(aim.key, _held(work, row), fault)
            return None
        if (row.revision if row is not None else 0) != aim.base:
            raise StalePlan(
                f"job {aim.key[1]} was changed by somebody else meanwhile",
                hint="nothing was changed; look at it again, and decide again",
            )
        stands = row.standing if row is not None else None
        gone = work.operations.deleted.get((aim.key[0], self.wish.environment, aim.key[1]))
        if aim.document is not None:
            last = gone.revision if gone is not None else 0
            return put(aim.key, aim.document, stands, aim.live, last=last, targets=aim.targets)
        if aim.restores:
            return self._restoration(aim, stands, gone)
        return self._deletion(work, aim, stands)

    def _deletion(self, work: WorkingSet, aim: Aim, stands: Standing | None) -> JobChange | None:
        environment = self.wish.environment
        if stands is None:
            raise _no_job(aim.key, environment)
        if not self.wish.forced:
            runs = _live_runs(work, (aim.key[0], environment, aim.key[1]))
            if runs:
                more = " and more" if len(runs) > RUNS_NAMED else ""
                named = f"{', '.join(runs[:RUNS_NAMED])}{more}"
                self._refuse(
                    aim.key,
                    f"{named} {'have' if len(runs) > 1 else 'has'} not ended",
                    Fault("", named, "no run that has not ended", _WAIT_FOR_RUNS),
                )
                return None
        return drop(aim.key, stands, aim.live)

    def _restoration(
        self, aim: Aim, stands: Standing | None, gone: DeletedJob | None
    ) -> JobChange | None:
        if stands is not None:
            words = "there is a job of this name in force, so nothing is to be had back"
            self._refuse(
                aim.key, words, Fault("", f"revision {stands.revision}", "no job in force")
            )
            return None
        if gone is None or gone.document is None:
            raise NotFound(
                f"job {aim.key[1]} was not deleted, or its time to be had back is over",
                hint="apply a manifest that has it",
            )
        return put(aim.key, gone.document, None, aim.live, last=gone.revision, restores=True)

    def _refuse(self, key: Key, words: str, fault: Fault) -> None:
        self.words.append(f"job {key[1]}: {words}")
        where = f"jobs.{key[1]}"
        self.faults.append(replace(fault, path=f"{where}.{fault.path}" if fault.path else where))


def _is_deletion(aim: Aim) -> bool:
    return aim.document is None and not aim.restores


def _held(work: WorkingSet, row: JobRow) -> str:
    holder = work.operations.rows.get(OperationId(row.operation))
    who = f" by {holder.requested_by} ({holder.kind})" if holder is not None else ""
    return f"is being changed{who}: {row.operation}; wait for it, or cancel it"


def _live_runs(work: WorkingSet, key: tuple[str, str, str]) -> list[str]:
    """As this batch sees them: what was loaded, without those that ended, with those that began."""
    listed = dict.fromkeys(work.operations.live_runs.get(key, ()))
    for run in work.runs.values():
        if (run.project, run.environment, run.job) == key:
            listed |= {run.id: None}
    known = work.runs
    return sorted(each for each in listed if each not in known or not known[each].is_final)


def _no_job(key: Key, environment: str) -> NotFound:
    return NotFound(
        f"there is no job {key[1]} in environment {environment}",
        hint="list jobs with `runyard jobs`",
    )
