"""Principals, tokens and exceptions to guards, as rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from runyard.database.port import Row, Tx
from runyard.model.ids import ExceptionId, TokenId
from runyard.model.instants import from_micros, to_micros
from runyard.model.policy import GuardException
from runyard.model.principal import (
    Grant,
    Identity,
    Principal,
    PrincipalKind,
    Role,
    Scope,
    Token,
)
from runyard.store.documents import VERSION, dumps, loads
from runyard.store.run_rows import instant, micros


@dataclass(frozen=True, slots=True)
class People:
    """The port to the database of who may do what."""

    queries: Mapping[str, str]

    async def principals(self, tx: Tx) -> list[Principal]:
        """All of them, by name."""
        return [_principal(row) for row in await tx.fetch(self.queries["principals"])]

    async def principal(self, tx: Tx, name: str) -> Principal | None:
        """The one of this name."""
        rows = await tx.fetch(self.queries["principal_by_name"], (name,))
        return _principal(rows[0]) if rows else None

    async def put_principals(self, tx: Tx, principals: Sequence[Principal]) -> None:
        """Write new and changed principals."""
        rows = [
            (
                one.name,
                one.kind.value,
                int(one.disabled),
                to_micros(one.created_at),
                one.created_by,
                dumps({"v": VERSION, "note": one.note, "grants": one.grants}),
            )
            for one in principals
        ]
        await tx.execute_many(self.queries["principal_upsert"], rows)

    async def token(self, tx: Tx, token: str) -> Token | None:
        """The token with this id."""
        rows = await tx.fetch(self.queries["token_by_id"], (token,))
        return _token(rows[0]) if rows else None

    async def tokens(self, tx: Tx, principal: str = "") -> list[Token]:
        """Those of a principal, or all, oldest first."""
        if principal:
            rows = await tx.fetch(self.queries["tokens_of"], (principal,))
        else:
            rows = await tx.fetch(self.queries["tokens"])
        return [_token(row) for row in rows]

    async def put_tokens(self, tx: Tx, tokens: Sequence[Token]) -> None:
        """Write new tokens, and the ends and uses of known ones."""
        rows = [
            (
                one.id,
                one.principal,
                one.digest,
                to_micros(one.created_at),
                one.created_by,
                micros(one.expires_at),
                micros(one.revoked_at),
                micros(one.last_used_at),
                dumps(
                    {
                        "v": VERSION,
                        "label": one.label,
                        "scope": one.scope,
                        "identity": one.identity,
                    }
                ),
            )
            for one in tokens
        ]
        await tx.execute_many(self.queries["token_upsert"], rows)

    async def exceptions(self, tx: Tx, now: datetime) -> list[GuardException]:
        """The exceptions that are open at `now`, oldest first."""
        rows = await tx.fetch(self.queries["guard_exceptions_open"], (to_micros(now),))
        return [_exception(row) for row in rows]

    async def exception(self, tx: Tx, exception: str) -> GuardException | None:
        """The exception with this id, open or not."""
        rows = await tx.fetch(self.queries["guard_exception_by_id"], (exception,))
        return _exception(rows[0]) if rows else None

    async def put_exceptions(self, tx: Tx, exceptions: Sequence[GuardException]) -> None:
        """Write new exceptions and the ends of known ones."""
        rows = [
            (
                one.id,
                one.environment,
                one.by,
                to_micros(one.opened_at),
                to_micros(one.closes_at),
                micros(one.closed_at),
                dumps({"v": VERSION, "reason": one.reason, "closed_by": one.closed_by}),
            )
            for one in exceptions
        ]
        await tx.execute_many(self.queries["guard_exception_upsert"], rows)


def _principal(row: Row) -> Principal:
    body = loads(row[5])
    return Principal(
        name=row[0],
        kind=PrincipalKind(row[1]),
        grants=tuple(Grant(Role(one["role"]), one["environment"]) for one in body["grants"]),
        created_at=from_micros(row[3]),
        created_by=row[4],
        disabled=bool(row[2]),
        note=body["note"],
    )


def _token(row: Row) -> Token:
    body = loads(row[8])
    return Token(
        id=TokenId(row[0]),
        principal=row[1],
        digest=row[2],
        scope=_scope(body["scope"]),
        created_at=from_micros(row[3]),
        created_by=row[4],
        label=body["label"],
        expires_at=instant(row[5]),
        revoked_at=instant(row[6]),
        last_used_at=instant(row[7]),
        identity=Identity(**body["identity"]) if body["identity"] else None,
    )


def _scope(said: Mapping[str, Any]) -> Scope:
    return Scope(Role(said["ceiling"]), tuple(said["environments"]))


def _exception(row: Row) -> GuardException:
    body = loads(row[6])
    return GuardException(
        id=ExceptionId(row[0]),
        environment=row[1],
        by=row[2],
        reason=body["reason"],
        opened_at=from_micros(row[3]),
        closes_at=from_micros(row[4]),
        closed_at=instant(row[5]),
        closed_by=body["closed_by"],
    )
