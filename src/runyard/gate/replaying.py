"""Commands that have dead letters replayed: one of them, or many, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from runyard.flow import dead_letters, replaying
from runyard.flow.dead_letters import Asked, Chosen, LetGo
from runyard.flow.lifecycle import Decision
from runyard.flow.request import request
from runyard.gate.asking import plan_in, plan_of
from runyard.gate.deciding import tell_in
from runyard.gate.filing import let_go
from runyard.model.audit import AuditEntry
from runyard.model.dead_letter import (
    LETTERS_MAX,
    DeadLetter,
    LetterState,
    Replay,
    ReplayHow,
    ReplayId,
    ReplayState,
)
from runyard.model.errors import CallerError, NotFound, Refused
from runyard.model.event import Due
from runyard.model.ids import RunId
from runyard.model.plan import Plan, RunRequest
from runyard.model.principal import Caller
from runyard.model.recovery import Scaled
from runyard.model.run import Run
from runyard.store.working_set import Needs, WorkingSet

NewId = Callable[[], RunId]


def no_letter(run: str) -> NotFound:
    """There is no such letter."""
    shown = run if run.isprintable() and len(run) <= 60 else "with this id"
    return NotFound(
        f"there is no dead letter {shown}", hint="list them with `runyard dead-letters`"
    )


def no_replay(replay: str) -> NotFound:
    """There is no such replay."""
    shown = replay if replay.isprintable() and len(replay) <= 60 else "with this id"
    return NotFound(
        f"there is no replay {shown}", hint="list them with `runyard dead-letters replays`"
    )


# -- a run in place of a dead one ------------------------------------------------------------------
async def prepare(
    work: WorkingSet, letter: DeadLetter, how: ReplayHow, by: str, new_id: NewId, now: datetime
) -> Decision | CallerError:
    """The run that takes the place of a letter's; an error where there can be none."""
    await work.load_runs([letter.run])
    dead = work.runs.get(letter.run)
    if dead is None:
        return no_letter(letter.run)
    await work.load_jobs([(letter.environment, letter.job)])
    try:
        plan = await _plan(work, dead, how)
        decision = request(plan, _asked(dead, how, by, plan), new_id, now)[0]
    except CallerError as error:
        return error
    scaled = Scaled(memory_bytes=how.memory_bytes)
    decision = replace(decision, run=decision.run.evolve(replays=dead.id, scaled=scaled))
    await work.load_facts([decision.run])
    return decision


def take_place(work: WorkingSet, letter: DeadLetter, made: Decision, by: str, now: datetime) -> Run:
    """Begin a run in place of a letter's. Raises CallerError; then there is none."""
    after = dead_letters.decide(letter, Asked(made.run.id, by), now)
    must_be_ready(work, letter.key)
    work.letters.put(after)
    work.apply(made, now, new=True)
    return tell_in(work, made.run.id, Due(), now)


def must_be_ready(work: WorkingSet, key: tuple[str, str, str]) -> None:
    """Raises NotFound or Refused when a job (those of its name were loaded) cannot run."""
    _job(work, key)


def _job(work: WorkingSet, key: tuple[str, str, str]) -> Any:
    project, environment, name = key
    found = next((one for one in work.jobs[environment, name] if one.project == project), None)
    if found is None:
        raise NotFound(
            f"there is no job {name} in environment {environment} any more",
            hint="discard its dead letters, or apply a manifest that has it",
        )
    if found.blocked:
        raise Refused(
            f"job {name} is not ready: {found.blocked}",
            hint=f"`runyard jobs get {name}` shows its conditions",
        )
    return found


async def _plan(work: WorkingSet, dead: Run, how: ReplayHow) -> Plan:
    key = (dead.project, dead.environment, dead.job)
    job = _job(work, key)
    if not how.as_it_was or job.revision == dead.revision:
        return plan_in(work, job)
    document = await work.store.jobs.document(work.tx, *key, dead.revision)
    if document is None:
        raise Refused(
            f"revision {dead.revision} of job {dead.job} is not kept",
            hint="replay it on the newest revision",
        )
    return plan_of(replace(job, revision=dead.revision, document=document))


def _asked(dead: Run, how: ReplayHow, by: str, plan: Plan) -> RunRequest:
    """The request that stands for the dead run's: by the same trigger, for the same instant. What
    made it wait for others of its trigger, or was in time only then, counts no more."""
    origin = dead.triggered_by
    if origin is not None:
        origin = replace(origin, start_by=None, slot="", slot_limit=1)
    return RunRequest(
        environment=dead.environment,
        job=dead.job,
        by=by,
        project=dead.project,
        region=dead.region if dead.region in plan.regions else plan.regions[0],
        overrides=replaying.overrides_of(dead, how),
        labels=dead.labels,
        priority=dead.policy.priority,
        trigger=dead.trigger,
        triggered_by=origin,
    )


# -- one -------------------------------------------------------------------------------------------
@dataclass(slots=True)
class ReplayOne:
    """Ask for a run in place of a dead one. The answer is the new run.

    Raises NotFound, Refused (it is not open, or its job cannot run) or InvalidSpec.
    """

    caller: Caller
    run: RunId
    how: ReplayHow
    now: datetime
    new_id: NewId
    made: Decision | CallerError | None = field(default=None, init=False)

    def needs(self, needs: Needs) -> None:
        """See `Command.needs`."""

    async def load(self, work: WorkingSet) -> None:
        """See `Command.load`."""
        await work.letters.load([self.run])
        letter = work.letters.rows.get(self.run)
        if letter is not None:
            who = self.caller.name
            self.made = await prepare(work, letter, self.how, who, self.new_id, self.now)

    def frees(self, work: WorkingSet) -> None:
        """See `Command.frees`."""

    def act(self, work: WorkingSet) -> Run:
        """See `Command.act`."""
        if self.made is None:
            raise no_letter(self.run)
        letter = work.letters.rows[self.run]
        if letter.state is not LetterState.OPEN:  # not one that a replay has, either
            dead_letters.decide(letter, Chosen(ReplayId(""), ""), self.now)
        if isinstance(self.made, CallerError):
            raise self.made
        run = take_place(work, letter, self.made, self.caller.name, self.now)
        after = {"run": run.id, "revision": run.revision}
        record(work, self.caller, "dead_letter.replay", letter, after, "", self.now)
        return run


def record(
    work: WorkingSet,
    caller: Caller,
    action: str,
    letter: DeadLetter,
    after: dict[str, Any],
    reason: str,
    now: datetime,
) -> None:
    """Have the audit log keep what was done to a letter."""
    work.record(
        AuditEntry(
            now,
            caller.name,
            action,
            f"dead_letter/{letter.run}",
            letter.environment,
            after=after | {"job": letter.job},
            reason=reason,
            origin=caller.origin,
        )
    )


# -- many ------------------------------------------------------------------------------------------
@dataclass(slots=True)
class BeginReplay:
    """Have letters replayed, one after the other. Those that are not open are left out. The answer
    is the replay.

    Raises Refused when none of them is open.
    """

    caller: Caller
    row: Replay
    letters: Sequence[RunId]
    now: datetime

    def needs(self, needs: Needs) -> None:
        """See `Command.needs`."""

    async def load(self, work: WorkingSet) -> None:
        """See `Command.load`."""
        await work.letters.load(self.letters)

    def frees(self, work: WorkingSet) -> None:
        """See `Command.frees`."""

    def act(self, work: WorkingSet) -> Replay:
        """See `Command.act`."""
        row = self.row
        found = [work.letters.rows.get(each) for each in dict.fromkeys(self.letters)]
        mine = [one for one in found if one is not None and one.state is LetterState.OPEN]
        mine = [one for one in mine if one.environment == row.environment]
        if not mine:
            raise Refused(
                "no open dead letter is meant",
                hint="`runyard dead-letters list` shows those that are",
            )
        for letter in mine:
            event = Chosen(row.id, self.caller.name)
            work.letters.put(dead_letters.decide(letter, event, self.now))
        begun = replaying.begin(replace(row, total=len(mine)))
        work.letters.put_replay(begun)
        _record(work, self.caller, "replay.begin", begun, self.now)
        return begun


@dataclass(slots=True)
class CancelReplay:
    """Have no more letters of a replay asked for. The answer is the replay. Raises NotFound, or
    IllegalTransition when it is over."""

    caller: Caller
    replay: ReplayId
    reason: str
    now: datetime

    def needs(self, needs: Needs) -> None:
        """See `Command.needs`."""

    async def load(self, work: WorkingSet) -> None:
        """See `Command.load`."""
        await work.letters.load_replays([self.replay])
        await work.letters.load_chosen(self.replay, LETTERS_MAX)

    def frees(self, work: WorkingSet) -> None:
        """See `Command.frees`. First, so that this batch asks for no more of them."""
        row = work.letters.replays.get(self.replay)
        if row is not None and not row.is_over:
            after = replaying.cancel(row, self.caller.name, self.reason, self.now)
            work.letters.put_replay(after)
            let_go(work, after, self.caller.name, self.now)
            _record(work, self.caller, "replay.cancel", after, self.now, self.reason)

    def act(self, work: WorkingSet) -> Replay:
        """See `Command.act`."""
        row = work.letters.replays.get(self.replay)
        if row is None:
            raise no_replay(self.replay)
        if row.ended_at != self.now or row.state is not ReplayState.CANCELLED:
            replaying.cancel(row, self.caller.name, self.reason, self.now)
        return row


@dataclass(slots=True)
class AdvanceReplays:
    """Ask for the next run of each replay that is due. The answer is how many were."""

    now: datetime
    new_id: NewId
    limit: int = 50
    due: tuple[ReplayId, ...] = ()
    made: dict[ReplayId, tuple[RunId, Decision | CallerError]] = field(default_factory=dict)

    def needs(self, needs: Needs) -> None:
        """See `Command.needs`."""

    async def load(self, work: WorkingSet) -> None:
        """See `Command.load`."""
        port = work.store.dead_letters
        work.letters.take_replays(rows := await port.replays_due(work.tx, self.now, self.limit))
        self.due, self.made = tuple(row.id for row in rows), {}
        for row in rows:
            await work.letters.load_chosen(row.id, LETTERS_MAX if row.verify_first else 1)
            for letter in work.letters.chosen(row.id)[:1]:
                made = await prepare(work, letter, row.how, row.by, self.new_id, self.now)
                self.made[row.id] = (letter.run, made)

    def frees(self, work: WorkingSet) -> None:
        """See `Command.frees`."""

    def act(self, work: WorkingSet) -> int:
        """See `Command.act`."""
        for each in self.due:
            row = work.letters.replays[each]
            if row.due_at is not None and row.due_at <= self.now:
                work.letters.put_replay(self._advanced(work, row))
        return len(self.due)

    def _advanced(self, work: WorkingSet, row: Replay) -> Replay:
        if row.id not in self.made:
            return replaying.gone(row, self.now)
        run, made = self.made[row.id]
        letter = work.letters.rows[run]
        try:
            if isinstance(made, CallerError):
                raise made
            take_place(work, letter, made, row.by, self.now)
        except CallerError as error:
            why = LetGo(row.by, f"{row.id}: {error.message}")
            work.letters.put(dead_letters.decide(letter, why, self.now))
            after = replaying.left(row, error.message, self.now)
            if after.state is ReplayState.STOPPED:
                let_go(work, after, row.by, self.now)
            return after
        return replaying.asked(row, self.now)


def _record(
    work: WorkingSet, caller: Caller, action: str, row: Replay, now: datetime, reason: str = ""
) -> None:
    after = {"letters": row.total, "asked": row.asked, "what": row.what}
    work.record(
        AuditEntry(
            now,
            caller.name,
            action,
            f"replay/{row.id}",
            row.environment,
            after=after | {"verify_first": row.verify_first, "per_minute": row.per_minute},
            reason=reason,
            origin=caller.origin,
        )
    )
