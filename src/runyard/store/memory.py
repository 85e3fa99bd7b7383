"""All the ports of the store together, for one dialect."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files

from runyard.database.queries import load
from runyard.store.alerts import Alerts
from runyard.store.audit import AuditLog
from runyard.store.budgets import Budgets
from runyard.store.dead_letters import DeadLetters
from runyard.store.deleted_jobs import DeletedJobs
from runyard.store.deliveries import Deliveries
from runyard.store.environments import Environments
from runyard.store.home import Homes
from runyard.store.jobs import Jobs
from runyard.store.ledger import Ledger
from runyard.store.operations import Operations
from runyard.store.outbox import Outbox
from runyard.store.people import People
from runyard.store.processes import Processes
from runyard.store.request_keys import RequestKeys
from runyard.store.revisions import Revisions
from runyard.store.runs import Runs
from runyard.store.slots import Slots
from runyard.store.triggers import Triggers

MIGRATIONS = files("runyard.store.migrations")


@dataclass(frozen=True, slots=True)
class Store:
    """One port for each noun."""

    runs: Runs
    jobs: Jobs
    outbox: Outbox
    slots: Slots
    ledger: Ledger
    request_keys: RequestKeys
    homes: Homes
    operations: Operations
    deleted_jobs: DeletedJobs
    people: People
    audit: AuditLog
    environments: Environments
    processes: Processes
    revisions: Revisions
    alerts: Alerts
    triggers: Triggers
    deliveries: Deliveries
    dead_letters: DeadLetters
    budgets: Budgets

    @classmethod
    def of(cls, dialect: str) -> Store:
        """The store as `dialect` speaks."""
        queries = load(files("runyard.store.queries"), dialect)
        return cls(
            Runs(queries),
            Jobs(queries),
            Outbox(queries),
            Slots(queries),
            Ledger(queries),
            RequestKeys(queries),
            Homes(queries),
            Operations(queries),
            DeletedJobs(queries),
            People(queries),
            AuditLog(queries),
            Environments(queries),
            Processes(queries),
            Revisions(queries),
            Alerts(queries),
            Triggers(queries),
            Deliveries(queries),
            DeadLetters(queries),
            Budgets(queries),
        )
