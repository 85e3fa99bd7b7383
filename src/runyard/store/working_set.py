"""The rows that one batch of decisions works on: loaded together, changed in memory, written
together. Later decisions of a batch see what earlier ones made.

The sets of rows are read and written with a few statements whatever the size of the batch; that
is what makes a batch cheap on SQLite and a network's round trips few on PostgreSQL.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from runyard.database.port import Tx
from runyard.flow.incident import IncidentDecision
from runyard.flow.lifecycle import Decision, Slot, wanted
from runyard.flow.operation import OperationDecision
from runyard.model.audit import AuditEntry
from runyard.model.cost import Charge
from runyard.model.effect import Announce, Follow, Pending
from runyard.model.event import Fact
from runyard.model.ids import EffectId, RunId
from runyard.model.incident import Incident
from runyard.model.operation import Operation
from runyard.model.plan import Plan
from runyard.model.run import OnConflict, Run, Spent
from runyard.store.alert_set import AlertSet
from runyard.store.delivery_set import DeliverySet
from runyard.store.jobs import JobRow
from runyard.store.letter_set import LetterSet
from runyard.store.memory import Store
from runyard.store.operation_set import OperationSet
from runyard.store.outbox import Claim
from runyard.store.people_set import PeopleSet
from runyard.store.request_keys import RequestKey
from runyard.store.runs import NOTHING
from runyard.store.trigger_set import TriggerSet

Kind = tuple[str, str, tuple[str, ...], str, tuple[str, str, str] | None]


@dataclass(slots=True)
class Needs:
    """Rows that the commands of a batch are known to need before any is read. Jobs and keys are
    (environment, name) and (environment, key)."""

    runs: list[RunId] = field(default_factory=list)
    jobs: list[tuple[str, str]] = field(default_factory=list)
    keys: list[tuple[str, str]] = field(default_factory=list)


class WorkingSet:
    """One batch's rows. `region_runs_max` is the capacity of every region's slot: a setting, so a
    row that says otherwise was written under another one. `known` are runs as they were committed
    before; the rows decide whether they still are."""

    def __init__(
        self, store: Store, tx: Tx, region_runs_max: int, known: Mapping[RunId, Run] = NOTHING
    ) -> None:
        self.store = store
        self.tx = tx
        self.runs: dict[RunId, Run] = {}
        self.slots: dict[str, Slot] = {}
        self.rivals: dict[str, list[RunId]] = {}
        self.jobs: dict[tuple[str, str], list[JobRow]] = {}
        self.budgets: dict[tuple[str, str, str], Spent | None] = {}
        self._dirty_budgets: set[tuple[str, str, str]] = set()
        self.plans: dict[tuple[str, str, str], Plan] = {}
        self.seen: dict[tuple[str, str], tuple[str, list[RunId]]] = {}
        self.effects: list[Pending] = []
        self.freed: set[str] = set()
        self.changed: set[RunId] = set()
        self._region_runs_max = region_runs_max
        self._known = known
        self._kinds: set[Kind] = set()  #: of runs whose facts are here
        self._new: set[RunId] = set()
        self._dirty_slots: set[str] = set()
        self.facts: list[tuple[Run, Fact, datetime]] = []
        self._charges: list[tuple[Run, Charge]] = []
        self._settled: list[EffectId] = []
        self._delayed: list[tuple[EffectId, datetime, int]] = []
        self._keys: dict[tuple[str, str], RequestKey] = {}
        self.put_jobs: dict[tuple[str, str, str], JobRow] = {}
        self._revisions: list[JobRow] = []
        self.operations = OperationSet(store, tx)
        self.people = PeopleSet(store, tx)
        self.deliveries = DeliverySet(store.deliveries, tx)
        self.triggers = TriggerSet(store.triggers, tx)
        self.alerts = AlertSet(store, tx)
        self.letters = LetterSet(store.dead_letters, tx)
        self.dropped_jobs: list[tuple[str, str, str]] = []

    async def load(self, needs: Needs) -> None:
        """Bring in all that a batch needs, each sort of rows with one statement (or one for each
        environment, or job)."""
        await self.load_runs(needs.runs)
        await self.load_jobs(needs.jobs)
        for environment in dict.fromkeys(environment for environment, _ in needs.keys):
            keys = dict.fromkeys(key for where, key in needs.keys if where == environment)
            found = await self.store.request_keys.get(self.tx, environment, keys)
            self.seen |= {(environment, key): what for key, what in found.items()}

    async def load_runs(self, ids: Iterable[RunId]) -> None:
        """Bring in runs and the facts their decisions need; those that are here stay."""
        missing = [each for each in dict.fromkeys(ids) if each not in self.runs]
        if not missing:
            return
        found = await self.store.runs.get(self.tx, missing, self._known)
        self.runs |= {run.id: run for run in found}
        await self.load_facts(found)

    async def load_facts(self, runs: Iterable[Run]) -> None:
        """Bring in the slots (and rivals) that decisions on `runs` need."""
        kinds = {_kind(run): run for run in runs}
        listed = [run for kind, run in kinds.items() if kind not in self._kinds]
        if not listed:
            return
        self._kinds |= kinds.keys()
        await self._load_budgets(listed)
        limits = {run.concurrency_slot: run.policy.concurrency_limit for run in listed}
        limits |= {by.slot: by.slot_limit for run in listed if (by := run.triggered_by)}
        names = dict.fromkeys(name for run in listed for name in wanted(run))
        await self.load_slots(names)
        for name in names:
            if name not in self.slots:
                self._put_slot(Slot(name, limits.get(name) or self._region_runs_max))
            if name not in limits and self.slots[name].capacity != self._region_runs_max:
                self.set_capacity(name, self._region_runs_max)
        for run in listed:
            name = run.concurrency_slot
            if run.policy.on_conflict is OnConflict.CANCEL_OLDER and name not in self.rivals:
                self.rivals[name] = await self.store.runs.live_in_slot(self.tx, name)

    async def _load_budgets(self, runs: Iterable[Run]) -> None:
        keys = {run.job_key for run in runs if run.policy.budget is not None}
        for key in sorted(keys - self.budgets.keys()):
            self.budgets[key] = await self.store.budgets.get(self.tx, key)

    async def load_slots(self, names: Iterable[str]) -> None:
        """Bring in the slots with these names that there are."""
        missing = [name for name in names if name not in self.slots]
        for slot in await self.store.slots.get(self.tx, missing) if missing else ():
            self.slots[slot.name] = slot

    async def load_jobs(self, names: Iterable[tuple[str, str]]) -> None:
        """Bring in the jobs with these (environment, name)."""
        for environment, name in dict.fromkeys(names):
            if (environment, name) not in self.jobs:
                found = await self.store.jobs.named(self.tx, environment, name)
                self.jobs[environment, name] = found

    def apply(self, decision: Decision, now: datetime, *, new: bool = False) -> Run:
        """Take a decision over: its row, its fact, its charge, its slots, its effects."""
        run = decision.run
        self.runs[run.id] = run
        self.changed.add(run.id)
        if new:
            self._new.add(run.id)
            if run.concurrency_slot in self.rivals:
                self.rivals[run.concurrency_slot].append(run.id)
        self.facts.append((run, decision.fact, now))
        if decision.spent is not None:
            self.budgets[run.job_key] = decision.spent
            self._dirty_budgets.add(run.job_key)
        if decision.charge is not None:
            self._charges.append((run, decision.charge))
        for name, change in decision.slots:
            slot = self.slots[name]
            self._put_slot(Slot(name, slot.capacity, slot.used + change))
            if change < 0:
                self.freed.add(name)
        for number, effect in enumerate(decision.effects):
            key = EffectId(f"{run.id}/{run.version}.{number}")
            self.effects.append(Pending(key, run.id, effect, now))
        return run

    def set_capacity(self, name: str, capacity: int) -> None:
        """A limit changed; more room counts as room freed."""
        slot = self.slots.get(name, Slot(name, capacity))
        if capacity > slot.capacity:
            self.freed.add(name)
        self._put_slot(Slot(name, capacity, slot.used))

    def settle(self, effect: EffectId) -> None:
        """An effect is done: it leaves the outbox with this batch."""
        self._settled.append(effect)

    def is_settled(self, effect: EffectId) -> bool:
        """True when this batch has done an effect."""
        return effect in self._settled

    def delay(self, effect: Pending, until: datetime) -> None:
        """An effect could not be done: it is due again at `until`."""
        self._delayed.append((effect.id, until, effect.tries + 1))

    @property
    def has_delayed(self) -> bool:
        """True when an effect was put off: whoever may carry it out should know until when."""
        return bool(self._delayed)

    def remember(self, key: RequestKey) -> None:
        """Keep an idempotency key."""
        self._keys[key.environment, key.key] = key

    def put_job(self, job: JobRow, *, revises: bool = True) -> None:
        """Make this the job in force, and with `revises` keep it as a revision; the jobs of its
        name were loaded."""
        jobs = self.jobs[job.environment, job.name]
        jobs[:] = [other for other in jobs if other.key != job.key] + [job]
        self.put_jobs[job.key] = job
        if revises:
            self._revisions.append(job)

    def drop_job(self, job: JobRow) -> None:
        """This job is not in force any more; the jobs of its name were loaded."""
        jobs = self.jobs[job.environment, job.name]
        jobs[:] = [other for other in jobs if other.key != job.key]
        self.put_jobs.pop(job.key, None)
        self.dropped_jobs.append(job.key)
        self.operations.drop(job.key)

    def apply_operation(
        self, decision: OperationDecision, now: datetime, *, new: bool = False
    ) -> Operation:
        """Take a decision on an operation over: its row, its fact, its effects."""
        row = self.operations.apply(decision, now, new=new)
        for number, effect in enumerate(decision.effects):
            key = EffectId(f"{row.id}/{row.version}.{number}")
            self.effects.append(Pending(key, RunId(""), effect, now))
        return row

    def apply_incident(self, decision: IncidentDecision, now: datetime) -> Incident:
        """Take a decision on an incident over: its row, its fact, its effects."""
        row = self.alerts.apply(decision, now)
        for effect in decision.effects:
            key = EffectId(f"{row.id}/{effect.number}/{effect.channel}")
            self.effects.append(Pending(key, RunId(""), effect, now))
        return row

    def record(self, entry: AuditEntry) -> None:
        """Add an entry to the audit log, in the transaction of the change that it is about."""
        self.people.record(entry)

    def follow(self, run: Run, triggers: tuple[str, ...], now: datetime) -> None:
        """Have triggers (their paths) told that a run has ended."""
        key = EffectId(f"{run.id}/follow")
        self.effects.append(Pending(key, run.id, Follow(triggers), now))

    def announce(self, key: str, title: str, text: str, now: datetime) -> None:
        """Have people told of something that is about no run. `key` is given once for ever."""
        self.effects.append(Pending(EffectId(key), RunId(""), Announce(title, text), now))

    def known_key(self, environment: str, key: str) -> RequestKey | None:
        """A key that an earlier request of this batch brought."""
        return self._keys.get((environment, key))

    def room(self, slot: str) -> int:
        """How many more `slot` takes."""
        return max(0, self.slots[slot].capacity - self.slots[slot].used)

    async def waiting_on(self, slot: str, limit: int) -> list[Run]:
        """The best ranked runs that wait for `slot`, as this batch sees them."""
        if not limit:
            return []
        ids = await self.store.runs.waiting_on(self.tx, slot, limit + len(self.changed))
        await self.load_runs(ids)
        mine = [run for run in self.runs.values() if run.waiting_on == slot]
        return sorted(mine, key=lambda run: (run.rank_at, run.id))[:limit]

    async def write(self, claim: Claim) -> None:
        """Write all of it."""
        changed = [self.runs[each] for each in sorted(self.changed)]
        await self.store.runs.insert(self.tx, [run for run in changed if run.id in self._new])
        await self.store.runs.update(self.tx, [run for run in changed if run.id not in self._new])
        await self.store.runs.record(self.tx, self.facts)
        await self.store.ledger.insert(self.tx, self._charges)
        await self.store.slots.put(self.tx, [self.slots[name] for name in self._dirty_slots])
        spent = (self.budgets[key] for key in sorted(self._dirty_budgets))
        await self.store.budgets.put(self.tx, [one for one in spent if one is not None])
        await self.store.outbox.delete(self.tx, self._settled)
        await self.store.outbox.delay(self.tx, self._delayed)
        await self.store.outbox.insert(self.tx, self.effects, claim)
        await self.store.request_keys.insert(self.tx, list(self._keys.values()))
        await self.operations.write()
        await self.store.jobs.put(self.tx, list(self.put_jobs.values()))
        await self.store.jobs.add_revisions(self.tx, self._revisions)
        await self.deliveries.write()
        await self.people.write()
        await self.triggers.write()
        await self.alerts.write()
        await self.letters.write()

    def _put_slot(self, slot: Slot) -> None:
        self.slots[slot.name] = slot
        self._dirty_slots.add(slot.name)


def _kind(run: Run) -> Kind:
    """Runs of one kind need the same facts."""
    job = run.job_key if run.policy.budget is not None else None
    return (run.environment, run.region, run.own_slots, run.policy.on_conflict, job)
