"""What the audit log keeps of principals, tokens, exceptions and environments, entry by entry, and
what people are told; on every kind of database."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from runyard.gate.environments import ApplyEnvironments
from runyard.gate.exceptions import BreakGlass, MendGlass
from runyard.gate.people import AddPrincipal, ChangePrincipal, FirstPrincipal
from runyard.gate.tokens import AddToken, RevokeToken, RotateToken, UseToken
from runyard.model.audit import AuditEntry, Origin
from runyard.model.effect import Announce
from runyard.model.environment import Environment
from runyard.model.errors import CallerError, NotFound, PermissionDenied, Refused
from runyard.model.ids import ExceptionId, TokenId
from runyard.model.policy import GuardException
from runyard.model.principal import (
    ADMIN,
    Caller,
    Grant,
    Identity,
    Principal,
    PrincipalKind,
    Role,
    Scope,
    Token,
)
from tests.support.databases import Grounds
from tests.support.gates import Yard, in_yard
from tests.support.runs import NOW

HOUR = timedelta(hours=1)
ORIGIN = Origin("10.0.0.9", "test", "tok_0")
ROOT = Caller(ADMIN, (Grant(Role.ADMIN),), origin=ORIGIN)
ANN = Principal("ann", PrincipalKind.USER, (Grant(Role.VIEWER, "dev"),), NOW, ADMIN, note="on loan")
ANN_KEPT = {"kind": "user", "grants": ["viewer@dev"], "disabled": False, "note": "on loan"}


def entry(at: datetime, action: str, target: str, **more: Any) -> AuditEntry:
    """What the first admin did, from elsewhere."""
    return AuditEntry(at, ADMIN, action, target, **({"origin": ORIGIN} | more))


def token(number: int = 1, principal: str = "ann", **changes: Any) -> Token:
    """A token that is not there yet."""
    made = Token(TokenId(f"tok_{number}"), principal, f"digest-{number}", Scope(), NOW, ADMIN)
    return replace(made, **changes)


async def start(yard: Yard) -> None:
    """Have the first principal and ann be there."""
    await yard.gate.ask(FirstPrincipal(yard.now))
    await yard.gate.ask(AddPrincipal(ROOT, ANN, yard.now))


def test_principals(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await start(yard)
        yard.later(5)
        give = (Grant(Role.ADMIN),)
        await yard.gate.ask(ChangePrincipal(ROOT, "ann", yard.now, give=give, reason="she is back"))
        first = {
            "kind": "user",
            "grants": ["admin"],
            "disabled": False,
            "note": "has the token in the file `token` of the state folder",
        }
        assert await yard.entries() == [
            AuditEntry(NOW, "runyard", "principal.create", "principal/admin", after=first),
            entry(NOW, "principal.create", "principal/ann", after=ANN_KEPT),
            entry(
                yard.now,
                "principal.grant",
                "principal/ann",
                before=ANN_KEPT,
                after=ANN_KEPT | {"grants": ["admin", "viewer@dev"]},
                reason="she is back",
            ),
        ]

    in_yard(scene, grounds)


def test_tokens(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await start(yard)
        scope = Scope(Role.VIEWER, ("dev",))
        made = token(scope=scope, label="laptop", created_by="ann", expires_at=NOW + 9 * HOUR)
        await yard.gate.ask(AddToken(ROOT, made, yard.now))
        yard.later(3600)
        rotate = RotateToken(ROOT, made.id, TokenId("tok_2"), "new", 2 * HOUR, yard.now)
        new = await yard.gate.ask(rotate)
        assert (new.created_by, new.expires_at) == (ADMIN, yard.now + 9 * HOUR)
        await yard.gate.ask(RevokeToken(ROOT, new.id, yard.now, "lost"))
        first = {
            "principal": "ann",
            "label": "laptop",
            "ceiling": "viewer",
            "environments": ["dev"],
            "expires_at": "2026-11-01T21:00:00+00:00",
            "revoked_at": None,
        }
        second = first | {"expires_at": "2026-11-01T22:00:00+00:00"}
        assert (await yard.entries())[2:] == [
            entry(NOW, "token.create", "token/tok_1", after=first),
            entry(
                yard.now,
                "token.rotate",
                "token/tok_1",
                before=first,
                after=first | {"expires_at": "2026-11-01T15:00:00+00:00"},
            ),
            entry(yard.now, "token.create", "token/tok_2", after=second, reason="rotates tok_1"),
            entry(
                yard.now,
                "token.revoke",
                "token/tok_2",
                before=second,
                after=second | {"revoked_at": "2026-11-01T13:00:00+00:00"},
                reason="lost",
            ),
        ]

    in_yard(scene, grounds)


def test_exceptions(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        opened = GuardException(ExceptionId("exc_1"), "prod", ADMIN, "it burns", NOW, NOW + HOUR)
        await yard.gate.ask(BreakGlass(ROOT, opened, yard.now))
        assert yard.effects() == [
            Announce(
                "admin broke the glass of prod",
                "its guards do not hold admin up until 2026-11-01T13:00:00+00:00: it burns",
            )
        ]
        yard.later(60)
        await yard.gate.ask(MendGlass(ROOT, opened.id, yard.now))
        target = "break-glass/exc_1"
        document = opened.document()
        more = {"environment": "prod"}
        assert await yard.entries() == [
            entry(NOW, "break-glass.open", target, after=document, reason="it burns", **more),
            entry(yard.now, "break-glass.close", target, before=document, **more),
        ]

    in_yard(scene, grounds)


def test_environments(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        plain, guarded = Environment(), Environment(approvals=2)
        for found in (plain, plain, guarded):
            await yard.gate.ask(
                ApplyEnvironments("shop", {"prod": found}, ADMIN, yard.now, origin=ORIGIN)
            )
            yard.later(5)
        more = {"target": "environment/shop/prod", "environment": "prod"}
        assert await yard.entries() == [
            entry(NOW, "environment.apply", after=plain.document(), **more),
            entry(
                NOW + timedelta(seconds=10),
                "environment.apply",
                before=plain.document(),
                after=guarded.document(),
                **more,
            ),
        ]

    in_yard(scene, grounds)


DEV = Caller("dora", (Grant(Role.ADMIN, "dev"),))
NARROW = Caller("ann", (Grant(Role.VIEWER, "dev"),), Scope(Role.VIEWER, ("dev", "test")))
EVE = Identity("https://issuer.example.com", "1234", "eve@example.com")


@pytest.mark.parametrize(
    ("command", "error", "words", "hint"),
    [
        (
            AddPrincipal(DEV, replace(ANN, name="eve", grants=(Grant(Role.VIEWER),)), NOW),
            PermissionDenied,
            "you are dora, and no admin of every environment, where eve has or would get a role",
            "ask an admin of every environment",
        ),
        (
            ChangePrincipal(DEV, "ann", NOW, give=(Grant(Role.VIEWER, "prod"),)),
            PermissionDenied,
            "you are dora, and no admin of prod, where ann has or would get a role",
            "ask an admin of every environment",
        ),
        (
            RevokeToken(DEV, TokenId("tok_1"), NOW),
            PermissionDenied,
            "you are dora, and no admin of every environment, where admin has or would",
            "ask an admin of every environment",
        ),
        (
            AddToken(NARROW, token(2, scope=Scope(Role.OPERATOR)), NOW),
            PermissionDenied,
            "yours has the ceiling viewer in dev, test",
            "ask for a lower ceiling or fewer environments",
        ),
        (
            AddToken(replace(NARROW, scope=Scope(Role.VIEWER)), token(2), NOW),
            PermissionDenied,
            "yours has the ceiling viewer in every environment",
            "ask for a lower ceiling or fewer environments",
        ),
        (
            AddToken(
                replace(NARROW, lasts_until=NOW + HOUR, scope=Scope()),
                token(2, expires_at=NOW + 2 * HOUR),
                NOW,
            ),
            PermissionDenied,
            "lasts longer than itself: yours ends at 2026-11-01T13:00:00+00:00",
            "ask for an earlier end",
        ),
        (
            RevokeToken(ROOT, TokenId("tok_9"), NOW),
            NotFound,
            "there is no token tok_9",
            "runyard tokens list",
        ),
        (
            RotateToken(ROOT, TokenId("tok_3"), TokenId("tok_4"), "d", HOUR, NOW + 2 * HOUR),
            Refused,
            "tok_3 has ended, so there is nothing to go over from",
            "runyard tokens create",
        ),
        (
            AddToken(ROOT, token(2, "bob"), NOW),
            Refused,
            "bob is disabled, and so would be its tokens",
            "runyard users enable bob",
        ),
        (  # whoever an issuer vouches for
            AddToken(Caller("bob", (), identity=EVE), token(2, "bob", identity=EVE), NOW),
            Refused,
            "bob is disabled",
            "runyard users enable bob",
        ),
        (
            ChangePrincipal(ROOT, "carl", NOW),
            NotFound,
            "there is no principal carl",
            "runyard users list",
        ),
        (
            AddPrincipal(ROOT, ANN, NOW),
            CallerError,
            "there is a principal ann already",
            "runyard users grant ann",
        ),
        (
            ChangePrincipal(ROOT, ADMIN, NOW, disabled=True),
            Refused,
            "admin is the last admin of every environment that is not disabled",
            "runyard users grant NAME admin",
        ),
        (
            MendGlass(ROOT, ExceptionId("exc_2"), NOW),
            NotFound,
            "there is no exception exc_2",
            "runyard break-glass",
        ),
    ],
)
def test_a_refusal_says_who_where_and_what_to_do(
    command: Any, error: type[CallerError], words: str, hint: str
) -> None:
    async def scene(yard: Yard) -> None:
        await start(yard)
        await yard.gate.ask(AddPrincipal(ROOT, replace(ANN, name="bob", disabled=True), NOW))
        await yard.gate.ask(AddToken(ROOT, token(1, ADMIN), NOW))
        await yard.gate.ask(AddToken(ROOT, token(3, expires_at=NOW + HOUR), NOW))
        before = await yard.entries()
        with pytest.raises(error) as refused:
            await yard.gate.ask(command)
        assert words in refused.value.message
        assert hint in refused.value.hint
        assert await yard.entries() == before

    in_yard(scene)


def test_everybody_ends_tokens_of_their_own(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await start(yard)
        await yard.gate.ask(AddToken(ROOT, token(), yard.now))
        own = await yard.gate.ask(RevokeToken(NARROW, TokenId("tok_1"), yard.now))
        assert own.revoked_at == yard.now

    in_yard(scene, grounds)


def test_a_token_that_has_ended_is_not_noted_as_used(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await start(yard)
        await yard.gate.ask(AddToken(ROOT, token(expires_at=NOW + HOUR), yard.now))

        async def used(after: timedelta) -> datetime | None:
            await yard.gate.ask(UseToken(TokenId("tok_1"), NOW + after))
            found = await yard.database.read(lambda tx: yard.store.people.token(tx, "tok_1"))
            assert found is not None
            return found.last_used_at

        last = NOW + HOUR - timedelta(seconds=1)
        assert await used(last - NOW) == last
        assert await used(HOUR) == last

    in_yard(scene, grounds)
