"""The engine's promises, as invariants that are checked after every step of a world."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

from runyard.database.port import Database, Tx
from runyard.flow.lifecycle import TRANSITIONS, held
from runyard.gate.door import Committed
from runyard.model.ids import AttemptKey, RunId, split_attempt_key
from runyard.model.plan import RunRequest
from runyard.model.run import Run, State
from runyard.store.memory import Store
from tests.simulation.alerts import AlertPromises
from tests.simulation.cloud import Cloud, Execution
from tests.simulation.rows import Groups, Rows


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The rows as they are."""

    runs: Mapping[RunId, Run]
    slots: dict[str, tuple[int, int]]
    charges: dict[str, int]
    outbox: int


class Promises:
    """Knows what was acknowledged and what the rows and the cloud must therefore say."""

    def __init__(self, cloud: Cloud, alerts: AlertPromises, region_runs_max: int) -> None:
        self._cloud = cloud
        self._alerts = alerts
        self._region_runs_max = region_runs_max
        self._rows = Rows[RunId, Run]("SELECT * FROM runs")
        self._runs: dict[RunId, Run] = {}
        self._finals: dict[RunId, Run] = {}
        self._acknowledged: set[RunId] = set()
        self._keys: dict[str, tuple[RunId, ...]] = {}
        self._attempts_at_cancel: dict[RunId, int] = {}
        self._begun: list[tuple[RunId, int]] = []
        self._broken: list[str] = []
        cloud.watchers.append(self._started)

    # -- what the world tells ----------------------------------------------------------------
    def committed(self, done: Committed) -> None:
        """A batch became durable."""
        for run in done.runs:
            self._runs[run.id] = run

    def acknowledged(self, asked: RunRequest, runs: tuple[RunId, ...]) -> None:
        """A client was told that its request is kept."""
        self._acknowledged.update(runs)
        if asked.key:
            assert self._keys.setdefault(asked.key, runs) == runs, "one key, two answers"

    def cancelled(self, after: Run) -> None:
        """A client was told that its cancel is accepted."""
        self._attempts_at_cancel.setdefault(after.id, after.attempt)

    def runs(self) -> list[Run]:
        """Every run there ever was, as it was last committed."""
        return list(self._runs.values())

    def live(self) -> set[RunId]:
        """Acknowledged runs that are not final."""
        return {run for run in self._acknowledged if not self._runs[run].is_final}

    # -- promises about the cloud --------------------------------------------------------------
    def _started(self, one: Execution) -> None:
        """The cloud starts something, this moment, and what is wrong is kept for the next check:
        the engine that called would take an assertion for a failed effect, and try it again."""
        run_id, attempt = split_attempt_key(one.key)
        self._begun.append((run_id, attempt))
        others = [
            other.key
            for other in self._cloud.running()
            if other.key != one.key and split_attempt_key(other.key)[0] == run_id
        ]
        if others:
            self._broken.append(f"two attempts of one run at once: {one.key} beside {others}")
        if attempt > self._attempts_at_cancel.get(run_id, attempt):
            self._broken.append(f"{one.key} was decided on after an accepted cancel")
        if self._cloud.starts.count(one.key) != 1:
            self._broken.append(f"{one.key} started twice")

    def _check_starts(self) -> None:
        begun, self._begun = self._begun, []
        for run_id, attempt in begun:
            most = most_attempts(self._runs[run_id])
            assert attempt <= most, f"attempt {attempt} of {run_id} is beyond the policy"
        assert not self._broken, "; ".join(self._broken)

    def _check_limits(self) -> None:
        by_slot: Counter[str] = Counter()
        limits: dict[str, int] = {}
        for one in self._cloud.running():
            run = self._runs[split_attempt_key(one.key)[0]]
            region = f"region/{run.region}"
            by_slot[region] += 1
            limits[region] = self._region_runs_max
            if run.concurrency_slot:
                by_slot[run.concurrency_slot] += 1
                limits[run.concurrency_slot] = run.policy.concurrency_limit
            if run.triggered_by is not None and run.triggered_by.slot:
                by_slot[run.triggered_by.slot] += 1
                limits[run.triggered_by.slot] = run.triggered_by.slot_limit
        for slot, count in by_slot.items():
            assert count <= limits[slot], f"{count} run in {slot}, the limit is {limits[slot]}"

    # -- promises about the rows ---------------------------------------------------------------
    async def check(self, database: Database, store: Store) -> Snapshot:
        """After every step."""
        now = await self._snapshot(database, store)
        self._runs |= now.runs
        self._check_starts()
        self._check_limits()
        self._check_finals(now)
        self._check_slots(now)
        self._check_charges(now)
        await self._alerts.check(database)
        return now

    def forget(self) -> None:
        """The next look is at everything anew."""
        self._rows.forget()
        self._alerts.forget()

    def _check_finals(self, now: Snapshot) -> None:
        for run in now.runs.values():
            if run.is_final:
                before = self._finals.setdefault(run.id, run)
                same = run is before or replace(run, version=before.version) == before
                assert same, f"{run.id} changed"
                self._finals[run.id] = run
        for run_id in self._finals.keys() & now.runs.keys():
            assert now.runs[run_id].is_final, f"{run_id} came back to life"

    def _check_slots(self, now: Snapshot) -> None:
        counted = Counter(name for run in now.runs.values() for name in held(run))
        for name, (capacity, used) in now.slots.items():
            assert used == counted[name], f"{name} says {used}, {counted[name]} hold it"
            assert used <= capacity, f"{name} is over its capacity"
        begun = Counter(
            slot
            for run in now.runs.values()
            if run.attempt and not run.is_final
            for slot in run.own_slots
        )
        for name, count in begun.items():
            assert count <= now.slots[name][0], (
                f"{count} runs of {name} overlap, backing off or not"
            )

    def _check_charges(self, now: Snapshot) -> None:
        of_run: dict[str, list[int]] = {}
        for key, nano_dollars in now.charges.items():
            of_run.setdefault(split_attempt_key(AttemptKey(key))[0], []).append(nano_dollars)
        for run in now.runs.values():
            charges = of_run.get(run.id, [])
            assert sum(charges) == run.cost_nano_dollars, f"{run.id}: charges do not add up"
            assert len(charges) <= run.attempt, f"{run.id}: more charges than attempts"
            if run.is_final:
                assert len(charges) == run.attempt, f"{run.id}: an attempt was not charged"

    async def check_rest(self, database: Database, store: Store) -> None:
        """When everything has come to rest."""
        now = await self.check(database, store)
        for run_id in self._acknowledged | self._runs.keys():
            run = self._runs[run_id]
            assert run.is_final, f"{run_id} is still {run.state}: {run}"
        assert now.outbox == 0, f"{now.outbox} effects are left"
        assert all(used == 0 for _, used in now.slots.values()), f"slots are held: {now.slots}"
        assert not self._cloud.running(), f"these run unseen: {self._cloud.running()}"
        await self._alerts.check_rest(database, store, self._runs)
        begun = set(self._cloud.starts)  # what was stopped before it began holds nothing
        unreleased = [
            key for key, one in self._cloud.executions.items() if key in begun and not one.released
        ]
        known = [key for key in unreleased if split_attempt_key(key)[0] in now.runs]
        assert not known, f"these were not released: {known}"
        await self._check_histories(database, store, now)

    async def _check_histories(self, database: Database, store: Store, now: Snapshot) -> None:
        reachable = {(state, after) for state, row in TRANSITIONS.items() for after in row.values()}

        async def work(tx: Tx) -> None:
            for run in now.runs.values():
                facts = await store.runs.history(tx, run.id)
                assert [fact.sequence for fact in facts] == list(range(1, run.version + 1))
                states = [fact.state for fact in facts]
                assert states[0] is State.QUEUED
                assert states[-1] is run.state
                for before, after in pairwise(states):
                    assert (before, after) in reachable, f"{run.id}: {before} -> {after}"

        await database.read(work)

    async def check_outlasted(self, database: Database, store: Store) -> None:
        """When everything is older than its retention."""
        now = await self._snapshot(database, store)
        assert not now.runs, f"{len(now.runs)} runs were not forgotten"
        spent = sum(run.cost_nano_dollars for run in self._runs.values())
        assert sum(now.charges.values()) == spent, "the ledger lost money"

    async def _snapshot(self, database: Database, store: Store) -> Snapshot:
        """Every row there is."""

        async def work(tx: Tx) -> Snapshot:
            async def make(changed: Groups[RunId]) -> dict[RunId, Run]:
                return {run.id: run for run in await store.runs.get(tx, changed)}

            runs = await self._rows.look(tx, make)
            slots = {slot.name: (slot.capacity, slot.used) for slot in await store.slots.all(tx)}
            query = "SELECT attempt_key, vcpu_nano_dollars + memory_nano_dollars FROM charges"
            charges = {row[0]: row[1] for row in await tx.fetch(query)}
            return Snapshot(runs, slots, charges, await store.outbox.count(tx))

        return await database.read(work)


def most_attempts(run: Run) -> int:
    """The most attempts a run's policy allows."""
    policy = run.policy
    return max(policy.attempts_max, policy.timeout_attempts_max, policy.recovery.attempts_max)
