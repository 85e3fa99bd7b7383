"""Commands about exceptions to the guards of an environment: the glass is broken, and mended."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from runyard.flow.access import Permission, check
from runyard.model.audit import AuditEntry
from runyard.model.errors import NotFound
from runyard.model.ids import ExceptionId
from runyard.model.policy import GuardException
from runyard.model.principal import Caller
from runyard.store.working_set import Needs, WorkingSet


@dataclass(slots=True)
class BreakGlass:
    """Open an exception to an environment's guards, and have people told. The answer is it."""

    caller: Caller
    exception: GuardException
    now: datetime

    def needs(self, needs: Needs) -> None:
        """See `Command.needs`."""

    async def load(self, work: WorkingSet) -> None:
        """See `Command.load`."""

    def frees(self, work: WorkingSet) -> None:
        """See `Command.frees`."""

    def act(self, work: WorkingSet) -> GuardException:
        """See `Command.act`."""
        opened = self.exception
        work.people.put_exception(opened)
        work.record(
            AuditEntry(
                self.now,
                self.caller.name,
                "break-glass.open",
                f"break-glass/{opened.id}",
                opened.environment,
                after=opened.document(),
                reason=opened.reason,
                origin=self.caller.origin,
            )
        )
        work.announce(
            f"{opened.id}/opened",
            f"{opened.by} broke the glass of {opened.environment}",
            f"its guards do not hold {opened.by} up until "
            f"{opened.closes_at.isoformat(timespec='seconds')}: {opened.reason}",
            self.now,
        )
        return opened


@dataclass(slots=True)
class MendGlass:
    """Close an exception before its end: who opened it may, and any admin of the environment. The
    answer is it; one that has ended stays as it is.

    Raises NotFound, PermissionDenied.
    """

    caller: Caller
    exception: ExceptionId
    now: datetime

    def needs(self, needs: Needs) -> None:
        """See `Command.needs`."""

    async def load(self, work: WorkingSet) -> None:
        """See `Command.load`."""
        await work.people.load_exception(self.exception)

    def frees(self, work: WorkingSet) -> None:
        """See `Command.frees`."""

    def act(self, work: WorkingSet) -> GuardException:
        """See `Command.act`."""
        before = work.people.exceptions.get(self.exception)
        if before is None:
            raise NotFound(
                f"there is no exception {self.exception}",
                hint="`runyard break-glass` shows those that are open",
            )
        if self.caller.name != before.by:
            check(self.caller, Permission.GUARDS_BREAK, before.environment, self.now)
        if not before.is_open(self.now):
            return before
        after = replace(before, closed_at=self.now, closed_by=self.caller.name)
        work.people.put_exception(after)
        work.record(
            AuditEntry(
                self.now,
                self.caller.name,
                "break-glass.close",
                f"break-glass/{after.id}",
                after.environment,
                before=before.document(),
                after=None,
                origin=self.caller.origin,
            )
        )
        return after
