"""Commands about tokens: made, rotated, revoked, used."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from runyard.flow.access import Permission, check, fits_within, role_in
from runyard.gate.people import must_rule, principal_in
from runyard.model.audit import AuditEntry
from runyard.model.errors import NotFound, PermissionDenied, Refused
from runyard.model.ids import TokenId
from runyard.model.principal import ANYWHERE, Caller, Grant, Role, Token
from runyard.store.working_set import Needs, WorkingSet


def token_document(token: Token) -> dict[str, Any]:
    """A token as the audit log keeps it: never its digest."""
    return {
        "principal": token.principal,
        "label": token.label,
        "ceiling": token.scope.ceiling.value,
        "environments": list(token.scope.environments),
        "expires_at": None if token.expires_at is None else token.expires_at.isoformat(),
        "revoked_at": None if token.revoked_at is None else token.revoked_at.isoformat(),
    }


def _entry(
    caller: Caller,
    action: str,
    token: Token,
    now: datetime,
    before: Token | None = None,
    reason: str = "",
) -> AuditEntry:
    return AuditEntry(
        now,
        caller.name,
        f"token.{action}",
        f"token/{token.id}",
        before=None if before is None else token_document(before),
        after=token_document(token),
        reason=reason,
        origin=caller.origin,
    )


def _must_own(work: WorkingSet, caller: Caller, principal: str, now: datetime) -> None:
    """The tokens of `principal` are the caller's business. Raises PermissionDenied, NotFound."""
    if principal == caller.name:
        return
    check(caller, Permission.PRINCIPALS_CHANGE, "", now)
    known = work.people.principals.get(principal)  # whom an issuer alone knows may be anywhere
    must_rule(caller, principal, (Grant(Role.VIEWER),) if known is None else known.grants)


def _must_fit(caller: Caller, token: Token) -> None:
    """No token comes of a token that may less. Raises PermissionDenied."""
    if not fits_within(caller, token.scope.ceiling, token.scope.environments):
        raise PermissionDenied(
            "a token cannot make one that may more than itself: yours has the ceiling "
            f"{caller.scope.ceiling} in {_words(caller.scope.environments)}",
            hint="ask for a lower ceiling or fewer environments, or use another token",
        )
    end = caller.lasts_until
    if end is None or role_in(caller, ANYWHERE) is Role.ADMIN:
        return
    if token.expires_at is None or token.expires_at > end:
        raise PermissionDenied(
            f"a token cannot make one that lasts longer than itself: yours ends at "
            f"{end.isoformat(timespec='seconds')}",
            hint="ask for an earlier end, or use a token that lasts longer",
        )


def _words(environments: tuple[str, ...]) -> str:
    return "every environment" if ANYWHERE in environments else ", ".join(environments)


@dataclass(slots=True)
class AddToken:
    """Keep a new token. The answer is it.

    Raises NotFound (no such principal), Refused (a disabled one), PermissionDenied.
    """

    caller: Caller
    token: Token
    now: datetime

    def needs(self, needs: Needs) -> None:
        """See `Command.needs`."""

    async def load(self, work: WorkingSet) -> None:
        """See `Command.load`."""
        await work.people.load_principals()

    def frees(self, work: WorkingSet) -> None:
        """See `Command.frees`."""

    def act(self, work: WorkingSet) -> Token:
        """See `Command.act`."""
        token = self.token
        _must_own(work, self.caller, token.principal, self.now)
        _must_fit(self.caller, token)
        principal = work.people.principals.get(token.principal)
        if principal is None and token.identity is None:
            principal = principal_in(work, token.principal)
        if principal is not None and principal.disabled:
            raise Refused(
                f"{principal.name} is disabled, and so would be its tokens",
                hint=f"`runyard users enable {principal.name}`",
            )
        work.people.put_token(token)
        work.record(_entry(self.caller, "create", token, self.now))
        return token


def _token_in(work: WorkingSet, token: TokenId) -> Token:
    found = work.people.tokens.get(token)
    if found is None:
        raise NotFound(f"there is no token {token}", hint="list them with `runyard tokens list`")
    return found


@dataclass(slots=True)
class RotateToken:
    """Put a new token in the place of an old one, which goes on for `overlap`. The answer is the
    new one: of the same principal and scope, and lasting as long as the old one was made for.

    Raises NotFound, Refused (the old one has ended), PermissionDenied.
    """

    caller: Caller
    old: TokenId
    new: TokenId
    digest: str
    overlap: timedelta
    now: datetime

    def needs(self, needs: Needs) -> None:
        """See `Command.needs`."""

    async def load(self, work: WorkingSet) -> None:
        """See `Command.load`."""
        await work.people.load_principals()
        await work.people.load_token(self.old)

    def frees(self, work: WorkingSet) -> None:
        """See `Command.frees`."""

    def act(self, work: WorkingSet) -> Token:
        """See `Command.act`."""
        old = _token_in(work, self.old)
        _must_own(work, self.caller, old.principal, self.now)
        if not old.is_good(self.now):
            raise Refused(
                f"{old.id} has ended, so there is nothing to go over from",
                hint="make a new one with `runyard tokens create`",
            )
        lasts = None if old.expires_at is None else old.expires_at - old.created_at
        new = replace(
            old,
            id=self.new,
            digest=self.digest,
            created_at=self.now,
            created_by=self.caller.name,
            expires_at=None if lasts is None else self.now + lasts,
            last_used_at=None,
        )
        _must_fit(self.caller, new)
        ends = self.now + self.overlap
        ending = replace(old, expires_at=min(old.expires_at or ends, ends))
        work.people.put_token(ending)
        work.people.put_token(new)
        work.record(_entry(self.caller, "rotate", ending, self.now, before=old))
        work.record(_entry(self.caller, "create", new, self.now, reason=f"rotates {old.id}"))
        return new


@dataclass(slots=True)
class RevokeToken:
    """End a token now. The answer is it; one that has been revoked stays as it is.

    Raises NotFound, PermissionDenied.
    """

    caller: Caller
    token: TokenId
    now: datetime
    reason: str = ""

    def needs(self, needs: Needs) -> None:
        """See `Command.needs`."""

    async def load(self, work: WorkingSet) -> None:
        """See `Command.load`."""
        await work.people.load_principals()
        await work.people.load_token(self.token)

    def frees(self, work: WorkingSet) -> None:
        """See `Command.frees`."""

    def act(self, work: WorkingSet) -> Token:
        """See `Command.act`."""
        before = _token_in(work, self.token)
        _must_own(work, self.caller, before.principal, self.now)
        if before.revoked_at is not None:
            return before
        after = replace(before, revoked_at=self.now)
        work.people.put_token(after)
        work.record(_entry(self.caller, "revoke", after, self.now, before, self.reason))
        return after


@dataclass(slots=True)
class UseToken:
    """Note that a token is in use. This is no change of it, and is not audited."""

    token: TokenId
    now: datetime

    def needs(self, needs: Needs) -> None:
        """See `Command.needs`."""

    async def load(self, work: WorkingSet) -> None:
        """See `Command.load`."""
        await work.people.load_token(self.token)

    def frees(self, work: WorkingSet) -> None:
        """See `Command.frees`."""

    def act(self, work: WorkingSet) -> None:
        """See `Command.act`."""
        found = work.people.tokens.get(self.token)
        if found is not None and found.is_good(self.now):
            work.people.put_token(replace(found, last_used_at=self.now))
