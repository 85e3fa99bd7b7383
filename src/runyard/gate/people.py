"""Commands about principals: made, given and denied roles, disabled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from runyard.flow.access import beyond
from runyard.model.audit import AuditEntry
from runyard.model.errors import AlreadyExists, NotFound, PermissionDenied, Refused
from runyard.model.principal import (
    ADMIN,
    ANYWHERE,
    Caller,
    Grant,
    Grants,
    Principal,
    PrincipalKind,
    Role,
)
from runyard.store.working_set import Needs, WorkingSet

FIRST_START = "runyard"  #: who made the first principal


def principal_document(principal: Principal) -> dict[str, Any]:
    """A principal as the audit log keeps it."""
    return {
        "kind": principal.kind.value,
        "grants": [str(grant) for grant in principal.grants],
        "disabled": principal.disabled,
        "note": principal.note,
    }


def principal_in(work: WorkingSet, name: str) -> Principal:
    """The principal of this name; they were loaded. Raises NotFound."""
    found = work.people.principals.get(name)
    if found is None:
        raise NotFound(
            f"there is no principal {name}",
            hint="`runyard users list` shows who there is, `runyard users create` makes one",
        )
    return found


def must_rule(caller: Caller, name: str, grants: Grants) -> None:
    """The caller is an admin wherever `name` has a role. Raises PermissionDenied."""
    missing = beyond(caller, grants)
    if missing:
        where = ", ".join(sorted(_where(grant) for grant in missing))
        raise PermissionDenied(
            f"you are {caller.name}, and no admin {where}, where {name} has or would get a role",
            hint="ask an admin of every environment: `runyard users list` shows who that is",
        )


def _where(grant: Grant) -> str:
    everywhere = grant.environment == ANYWHERE
    return "of every environment" if everywhere else f"of {grant.environment}"


@dataclass(slots=True)
class FirstPrincipal:
    """Have the principal of the first start's token be there. The answer is that principal."""

    now: datetime

    def needs(self, needs: Needs) -> None:
        """See `Command.needs`."""

    async def load(self, work: WorkingSet) -> None:
        """See `Command.load`."""
        await work.people.load_principals()

    def frees(self, work: WorkingSet) -> None:
        """See `Command.frees`."""

    def act(self, work: WorkingSet) -> Principal:
        """See `Command.act`."""
        if ADMIN in work.people.principals:
            return work.people.principals[ADMIN]
        note = "has the token in the file `token` of the state folder"
        grants = (Grant(Role.ADMIN),)
        made = Principal(ADMIN, PrincipalKind.USER, grants, self.now, FIRST_START, note=note)
        work.people.put_principal(made)
        after = principal_document(made)
        work.record(
            AuditEntry(self.now, FIRST_START, "principal.create", f"principal/{ADMIN}", after=after)
        )
        return made


@dataclass(slots=True)
class AddPrincipal:
    """Make a principal. The answer is it.

    Raises AlreadyExists, or PermissionDenied for a role that the caller may not give.
    """

    caller: Caller
    principal: Principal
    now: datetime

    def needs(self, needs: Needs) -> None:
        """See `Command.needs`."""

    async def load(self, work: WorkingSet) -> None:
        """See `Command.load`."""
        await work.people.load_principals()

    def frees(self, work: WorkingSet) -> None:
        """See `Command.frees`."""

    def act(self, work: WorkingSet) -> Principal:
        """See `Command.act`."""
        made = self.principal
        if made.name in work.people.principals:
            raise AlreadyExists(
                f"there is a principal {made.name} already",
                hint=f"give it a role with `runyard users grant {made.name} ROLE`",
            )
        must_rule(self.caller, made.name, made.grants)
        work.people.put_principal(made)
        work.record(
            AuditEntry(
                self.now,
                self.caller.name,
                "principal.create",
                f"principal/{made.name}",
                after=principal_document(made),
                origin=self.caller.origin,
            )
        )
        return made


@dataclass(slots=True)
class ChangePrincipal:
    """Give roles (one for each environment: a new one takes the old one's place), take those of
    some environments away, disable or enable. The answer is the principal after it.

    Raises NotFound, PermissionDenied, or Refused when nobody would be left who is an admin.
    """

    caller: Caller
    name: str
    now: datetime
    give: Grants = ()
    take: Sequence[str] = ()
    disabled: bool | None = None
    reason: str = ""

    def needs(self, needs: Needs) -> None:
        """See `Command.needs`."""

    async def load(self, work: WorkingSet) -> None:
        """See `Command.load`."""
        await work.people.load_principals()

    def frees(self, work: WorkingSet) -> None:
        """See `Command.frees`."""

    def act(self, work: WorkingSet) -> Principal:
        """See `Command.act`."""
        before = principal_in(work, self.name)
        after = replace(
            before,
            grants=self._grants(before),
            disabled=before.disabled if self.disabled is None else self.disabled,
        )
        must_rule(self.caller, self.name, (*before.grants, *after.grants))
        if after == before:
            return before
        others = (one for one in work.people.principals.values() if one.name != self.name)
        if _is_admin(before) and not any(map(_is_admin, [after, *others])):
            raise Refused(
                f"{self.name} is the last admin of every environment that is not disabled",
                hint="make another one first: `runyard users grant NAME admin`",
            )
        work.people.put_principal(after)
        work.record(
            AuditEntry(
                self.now,
                self.caller.name,
                self._action(),
                f"principal/{self.name}",
                before=principal_document(before),
                after=principal_document(after),
                reason=self.reason,
                origin=self.caller.origin,
            )
        )
        return after

    def _grants(self, before: Principal) -> Grants:
        gone = {*self.take, *(grant.environment for grant in self.give)}
        kept = [grant for grant in before.grants if grant.environment not in gone]
        return tuple(sorted([*kept, *self.give], key=lambda grant: grant.environment))

    def _action(self) -> str:
        if self.disabled is None:
            return "principal.grant" if self.give else "principal.ungrant"
        return "principal.disable" if self.disabled else "principal.enable"


def _is_admin(principal: Principal) -> bool:
    return not principal.disabled and Grant(Role.ADMIN) in principal.grants
