"""The command that puts environments in force."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from runyard.model.audit import HERE, AuditEntry, Origin
from runyard.model.environment import Environment
from runyard.store.environments import EnvironmentRow
from runyard.store.working_set import Needs, WorkingSet


@dataclass(frozen=True, slots=True)
class AppliedEnvironment:
    """What applying one environment did: created, updated or unchanged."""

    name: str
    revision: int
    change: str


@dataclass(slots=True)
class ApplyEnvironments:
    """Put environments of a project in force; all of them or none. What is not named stays."""

    project: str
    environments: Mapping[str, Environment]
    by: str
    now: datetime
    origin: Origin = HERE
    done: list[AppliedEnvironment] = field(default_factory=list)
    entries: list[AuditEntry] = field(default_factory=list)

    def needs(self, needs: Needs) -> None:
        """See `Command.needs`."""

    async def load(self, work: WorkingSet) -> None:
        """See `Command.load`."""
        found = await work.store.environments.of_project(work.tx, self.project)
        before = {row.name: row for row in found}
        changed: list[EnvironmentRow] = []
        self.done, self.entries = [], []
        for name, environment in self.environments.items():
            old = before.get(name)
            same = old is not None and old.environment == environment
            revision = (old.revision if old else 0) + (not same)
            change = "unchanged" if same else "updated" if old else "created"
            self.done.append(AppliedEnvironment(name, revision, change))
            if not same:
                row = EnvironmentRow(self.project, name, revision, environment, self.now, self.by)
                changed.append(row)
                self.entries.append(self._entry(row, old))
        await work.store.environments.put(work.tx, changed)

    def frees(self, work: WorkingSet) -> None:
        """See `Command.frees`."""

    def act(self, work: WorkingSet) -> list[AppliedEnvironment]:
        """See `Command.act`."""
        for entry in self.entries:
            work.record(entry)
        return self.done

    def _entry(self, row: EnvironmentRow, old: EnvironmentRow | None) -> AuditEntry:
        return AuditEntry(
            self.now,
            self.by,
            "environment.apply",
            f"environment/{row.project}/{row.name}",
            row.name,
            old.environment.document() if old else None,
            row.environment.document(),
            origin=self.origin,
        )
