"""Who waits: runs that await something, by job, and which jobs' waits are news to their rules.

Rows say who waits, so nothing is lost with a process. Of a run that is known already by its version
nothing is read again; where nobody waits one look is one question about an index that is empty.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from runyard.database.port import Database, Tx
from runyard.model.ids import RunId
from runyard.model.run import Run
from runyard.store.memory import Store

WAITING_MAX = 10_000  #: runs that are known to wait; of more of them rules see the first
Key = tuple[str, str, str]  #: (project, environment, job)


@dataclass(frozen=True, slots=True)
class Waiting:
    """Who waits as of one look. `turned`: the jobs that are to be judged for it."""

    runs: dict[RunId, Run] = field(default_factory=dict)
    by_job: dict[Key, list[Run]] = field(default_factory=dict)
    turned: frozenset[Key] = frozenset()


class Waiters:
    """Knows who waited when jobs were judged last, and when a job is to be judged again."""

    def __init__(self, database: Database, store: Store) -> None:
        self._database = database
        self._store = store
        self._last = Waiting()
        self._awaiting: set[RunId] = set()  #: that may wait, as far as this process heard
        self._due: dict[Key, datetime] = {}  #: when a wait has lasted too long next
        self._unsettled: set[Key] = set()  #: jobs of which a wait ended, and its alert has not

    def noted(self, run: Run) -> bool:
        """Take note of a row; True when it began to wait, or ceased to."""
        if run.awaiting is not None:
            is_new = run.id not in self._awaiting
            self._awaiting.add(run.id)
            return is_new
        if run.id not in self._awaiting:
            return False
        self._awaiting.discard(run.id)
        return True

    async def look(self, now: datetime) -> Waiting:
        """Who waits now. Raises StoreError."""
        before, known = set(self._awaiting), self._last.runs

        async def work(tx: Tx) -> dict[RunId, Run]:
            versions = await self._store.runs.that_wait(tx, WAITING_MAX)
            new = [
                each
                for each, version in versions.items()
                if each not in known or known[each].version != version
            ]
            read = {run.id: run for run in await self._store.runs.get(tx, new)} if new else {}
            return {each: read.get(each) or known[each] for each in versions}

        runs = await self._database.read(work)
        self._awaiting = (self._awaiting - (before - runs.keys())) | runs.keys()
        by_job: dict[Key, list[Run]] = {}
        for run in runs.values():
            by_job.setdefault(run.job_key, []).append(run)
        changed = {run.job_key for each, run in runs.items() if known.get(each) is not run}
        changed |= {run.job_key for each, run in known.items() if each not in runs}
        changed |= {key for key, at in self._due.items() if at <= now}
        return Waiting(runs, by_job, frozenset(changed | self._unsettled))

    def judged(
        self, seen: Waiting, due: Mapping[Key, datetime | None], unsettled: Sequence[Key]
    ) -> None:
        """Jobs were judged for what was seen: when the next wait of each has lasted too long, and
        which of them still have an alert of a wait that is none any more."""
        self._last = seen
        all_due = {**self._due, **due}
        self._due = {key: at for key, at in all_due.items() if at is not None}
        self._unsettled = set(unsettled)

    @property
    def next_at(self) -> datetime | None:
        """When a job is to be judged next for a wait that has lasted too long."""
        return min(self._due.values(), default=None)
