"""Principals, tokens and exceptions through the gate, on every kind of database; each change with
its entry in the audit log."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from runyard.gate.exceptions import BreakGlass, MendGlass
from runyard.gate.people import AddPrincipal, ChangePrincipal, FirstPrincipal
from runyard.gate.tokens import AddToken, RevokeToken, RotateToken, UseToken
from runyard.model.audit import Origin
from runyard.model.effect import Announce
from runyard.model.errors import AlreadyExists, NotFound, PermissionDenied, Refused
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
DEV = Caller("dora", (Grant(Role.ADMIN, "dev"),))
IDENTITY = Identity("https://issuer.example.com", "1234", "eve@example.com", "example.com")


def person(name: str = "ann", *grants: Grant, **changes: Any) -> Principal:
    """A principal that is not there yet."""
    kind = PrincipalKind.USER
    return replace(Principal(name, kind, grants, NOW, ADMIN, note="on loan"), **changes)


def token(principal: str = "ann", number: int = 1, **changes: Any) -> Token:
    """A token that is not there yet."""
    identity = TokenId(f"tok_{number}")
    made = Token(identity, principal, f"digest-{number}", Scope(), NOW, principal, label="laptop")
    return replace(made, **changes)


async def people(yard: Yard, *principals: Principal) -> None:
    """Have the first principal and these be there."""
    await yard.gate.ask(FirstPrincipal(yard.now))
    for one in principals:
        await yard.gate.ask(AddPrincipal(ROOT, one, yard.now))


async def principal(yard: Yard, name: str) -> Principal | None:
    """As it is kept."""
    return await yard.database.read(lambda tx: yard.store.people.principal(tx, name))


async def kept(yard: Yard, identity: str) -> Token | None:
    """A token as it is kept."""
    return await yard.database.read(lambda tx: yard.store.people.token(tx, identity))


def test_the_first_principal_is_made_once(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        first = await yard.gate.ask(FirstPrincipal(yard.now))
        yard.later(60)
        assert await yard.gate.ask(FirstPrincipal(yard.now)) == first
        assert first.grants == (Grant(Role.ADMIN),)
        assert await principal(yard, ADMIN) == first
        (made,) = await yard.entries()
        assert (made.by, made.action, made.target) == (
            "runyard",
            "principal.create",
            "principal/admin",
        )

    in_yard(scene, grounds)


def test_a_principal_is_made_given_roles_and_disabled(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        ann = person("ann", Grant(Role.VIEWER))
        await people(yard, ann)
        assert await principal(yard, "ann") == ann
        dev = (Grant(Role.OPERATOR, "dev"),)
        given = await yard.gate.ask(ChangePrincipal(ROOT, "ann", yard.now, give=dev))
        assert given.grants == (Grant(Role.VIEWER), Grant(Role.OPERATOR, "dev"))
        higher = (Grant(Role.ADMIN, "dev"),)
        given = await yard.gate.ask(ChangePrincipal(ROOT, "ann", yard.now, give=higher))
        assert given.grants == (Grant(Role.VIEWER), Grant(Role.ADMIN, "dev"))
        taken = await yard.gate.ask(ChangePrincipal(ROOT, "ann", yard.now, take=["*"]))
        assert taken.grants == higher
        change = ChangePrincipal(ROOT, "ann", yard.now, disabled=True, reason="has left")
        assert (await yard.gate.ask(change)).disabled
        assert (await yard.gate.ask(change)).disabled  # again: no change, no entry
        enabled = await yard.gate.ask(ChangePrincipal(ROOT, "ann", yard.now, disabled=False))
        assert enabled == replace(ann, grants=higher)
        assert await yard.database.read(yard.store.people.principals) == [
            await principal(yard, ADMIN),
            enabled,
        ]
        found = [entry for entry in await yard.entries() if entry.target == "principal/ann"]
        assert [entry.action.partition(".")[2] for entry in found] == [
            "create",
            "grant",
            "grant",
            "ungrant",
            "disable",
            "enable",
        ]
        disable = found[4]
        assert (disable.by, disable.reason, disable.origin) == (ADMIN, "has left", ORIGIN)
        assert (disable.before or {})["disabled"] is False
        assert (disable.after or {})["disabled"] is True

    in_yard(scene, grounds)


def test_what_cannot_be_done_to_a_principal_says_why(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await people(yard, person("ann", Grant(Role.VIEWER, "dev")), person("pat"))
        with pytest.raises(AlreadyExists, match="ann already"):
            await yard.gate.ask(AddPrincipal(ROOT, person("ann"), yard.now))
        with pytest.raises(NotFound, match="no principal bob"):
            await yard.gate.ask(ChangePrincipal(ROOT, "bob", yard.now, disabled=True))
        for change in (
            ChangePrincipal(DEV, "ann", yard.now, give=(Grant(Role.VIEWER, "prod"),)),
            ChangePrincipal(DEV, ADMIN, yard.now, disabled=True),
            ChangePrincipal(DEV, "ann", yard.now, give=(Grant(Role.VIEWER),)),
        ):
            with pytest.raises(PermissionDenied, match="you are dora, and no admin of"):
                await yard.gate.ask(change)
        with pytest.raises(PermissionDenied):
            await yard.gate.ask(AddPrincipal(DEV, person("eve", Grant(Role.ADMIN)), yard.now))
        own = ChangePrincipal(DEV, "ann", yard.now, give=(Grant(Role.ADMIN, "dev"),))
        assert (await yard.gate.ask(own)).grants == (Grant(Role.ADMIN, "dev"),)

    in_yard(scene, grounds)


def test_somebody_is_always_left_who_is_an_admin(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await people(yard, person("ann", Grant(Role.ADMIN, "dev")))
        for change in (
            ChangePrincipal(ROOT, ADMIN, yard.now, disabled=True),
            ChangePrincipal(ROOT, ADMIN, yard.now, take=["*"]),
            ChangePrincipal(ROOT, ADMIN, yard.now, give=(Grant(Role.OPERATOR),)),
        ):
            with pytest.raises(Refused, match="admin is the last admin"):
                await yard.gate.ask(change)
        await yard.gate.ask(ChangePrincipal(ROOT, "ann", yard.now, give=(Grant(Role.ADMIN),)))
        await yard.gate.ask(ChangePrincipal(ROOT, ADMIN, yard.now, disabled=True))
        with pytest.raises(Refused, match="ann is the last admin"):
            await yard.gate.ask(ChangePrincipal(ROOT, "ann", yard.now, disabled=True))

    in_yard(scene, grounds)


def test_a_token_comes_back_as_it_was_made(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await people(yard, person("ann"))
        scope = Scope(Role.OPERATOR, ("dev", "staging"))
        first = token(scope=scope, expires_at=NOW + HOUR)
        second = token("eve@example.com", 2, identity=IDENTITY)
        await yard.gate.ask(AddToken(ROOT, first, yard.now))
        eve = Caller("eve@example.com", (), identity=IDENTITY)
        await yard.gate.ask(AddToken(eve, second, yard.now))
        assert await kept(yard, "tok_1") == first
        assert await kept(yard, "tok_2") == second
        assert await kept(yard, "tok_3") is None
        tokens = yard.store.people.tokens
        assert await yard.database.read(lambda tx: tokens(tx)) == [first, second]
        assert await yard.database.read(lambda tx: tokens(tx, "ann")) == [first]
        made = (await yard.entries("token.create"))[0]
        assert made.target == "token/tok_1"
        assert (made.after or {})["environments"] == ["dev", "staging"]
        assert "digest" not in str(await yard.entries())

    in_yard(scene, grounds)


def test_a_token_in_use_is_noted_and_a_bad_one_is_not(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await people(yard, person("ann"))
        await yard.gate.ask(AddToken(ROOT, token(), yard.now))
        yard.later(5)
        await yard.gate.ask(UseToken(TokenId("tok_1"), yard.now))
        await yard.gate.ask(UseToken(TokenId("tok_9"), yard.now))
        found = await kept(yard, "tok_1")
        assert found is not None
        assert found.last_used_at == yard.now
        await yard.gate.ask(RevokeToken(ROOT, TokenId("tok_1"), yard.now))
        yard.later(5)
        await yard.gate.ask(UseToken(TokenId("tok_1"), yard.now))
        assert await kept(yard, "tok_1") == replace(
            found, revoked_at=yard.now - timedelta(seconds=5)
        )
        assert len(await yard.entries()) == 4

    in_yard(scene, grounds)


def test_rotation_leaves_the_old_token_a_while(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await people(yard, person("ann"))
        old = token(scope=Scope(Role.VIEWER), expires_at=NOW + 100 * HOUR, last_used_at=NOW)
        await yard.gate.ask(AddToken(ROOT, old, yard.now))
        yard.later(50 * 3600)
        ann = Caller("ann", (Grant(Role.VIEWER),))
        rotate = RotateToken(ann, old.id, TokenId("tok_2"), "new-digest", 2 * HOUR, yard.now)
        new = await yard.gate.ask(rotate)
        assert new == replace(
            old,
            id=TokenId("tok_2"),
            digest="new-digest",
            created_at=yard.now,
            expires_at=yard.now + 100 * HOUR,
            last_used_at=None,
        )
        ending = await kept(yard, "tok_1")
        assert ending == replace(old, expires_at=yard.now + 2 * HOUR)
        assert ending.is_good(yard.now)
        assert not ending.is_good(yard.now + 2 * HOUR)
        yard.later(3 * 3600)
        with pytest.raises(Refused, match="tok_1 has ended"):
            await yard.gate.ask(replace(rotate, new=TokenId("tok_3"), now=yard.now))
        endless = token(number=5)
        await yard.gate.ask(AddToken(ROOT, endless, yard.now))
        rotate = RotateToken(ROOT, endless.id, TokenId("tok_6"), "d", timedelta(0), yard.now)
        assert (await yard.gate.ask(rotate)).expires_at is None
        gone = await kept(yard, "tok_5")
        assert gone is not None
        assert not gone.is_good(yard.now)

    in_yard(scene, grounds)


def test_tokens_of_others_are_an_admins_business(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await people(yard, person("ann", Grant(Role.VIEWER, "dev")), person("bob", disabled=True))
        ann = Caller("ann", (Grant(Role.VIEWER, "dev"),))
        await yard.gate.ask(AddToken(DEV, token(), yard.now))
        await yard.gate.ask(AddToken(ROOT, token(ADMIN, 2), yard.now))
        identity = TokenId("tok_2")
        for caller in (ann, DEV):
            for command in (
                AddToken(caller, token(ADMIN, 3), yard.now),
                RevokeToken(caller, identity, yard.now),
                RotateToken(caller, identity, TokenId("tok_4"), "d", HOUR, yard.now),
            ):
                with pytest.raises(PermissionDenied, match=f"you are {caller.name}"):
                    await yard.gate.ask(command)
        with pytest.raises(Refused, match="bob is disabled"):
            await yard.gate.ask(AddToken(ROOT, token("bob", 5), yard.now))
        for missing in (
            AddToken(ROOT, token("nobody", 6), yard.now),
            RevokeToken(ROOT, TokenId("tok_9"), yard.now),
        ):
            with pytest.raises(NotFound):
                await yard.gate.ask(missing)
        nameless = Caller("nobody", (Grant(Role.VIEWER),))
        with pytest.raises(NotFound, match="no principal nobody"):
            await yard.gate.ask(AddToken(nameless, token("nobody", 6), yard.now))

    in_yard(scene, grounds)


def test_no_token_makes_one_that_may_more_or_lasts_longer(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await people(yard, person("ann", Grant(Role.OPERATOR)))
        narrow = Scope(Role.VIEWER, ("dev",))
        roles = (Grant(Role.OPERATOR),)
        caller = Caller("ann", roles, narrow, lasts_until=NOW + HOUR)
        good = token(scope=narrow, expires_at=NOW + HOUR)
        await yard.gate.ask(AddToken(caller, good, yard.now))
        for more in (
            token(number=2, expires_at=NOW + HOUR),
            token(number=2, scope=Scope(Role.VIEWER, ("prod",)), expires_at=NOW + HOUR),
            token(number=2, scope=narrow, expires_at=NOW + 2 * HOUR),
            token(number=2, scope=narrow),
        ):
            with pytest.raises(PermissionDenied, match="a token cannot make one that"):
                await yard.gate.ask(AddToken(caller, more, yard.now))
        everywhere = replace(ROOT, lasts_until=NOW + HOUR)
        await yard.gate.ask(AddToken(everywhere, token(number=3), yard.now))

    in_yard(scene, grounds)


def test_a_revoked_token_stays_revoked(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await people(yard, person("ann"))
        await yard.gate.ask(AddToken(ROOT, token(), yard.now))
        revoke = RevokeToken(ROOT, TokenId("tok_1"), yard.now, "lost")
        first = await yard.gate.ask(revoke)
        yard.later(60)
        assert await yard.gate.ask(replace(revoke, now=yard.now)) == first
        (entry,) = await yard.entries("token.revoke")
        assert entry.reason == "lost"
        assert (entry.before or {})["revoked_at"] is None

    in_yard(scene, grounds)


def exception(number: int = 1, **changes: Any) -> GuardException:
    """An exception that is not there yet."""
    identity = ExceptionId(f"exc_{number}")
    made = GuardException(identity, "prod", ADMIN, "it burns", NOW, NOW + HOUR)
    return replace(made, **changes)


def test_broken_glass_is_kept_told_and_mended(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        opened = await yard.gate.ask(BreakGlass(ROOT, exception(), yard.now))
        assert opened == exception()
        open_now = yard.store.people.exceptions
        assert await yard.database.read(lambda tx: open_now(tx, NOW)) == [opened]
        assert await yard.database.read(lambda tx: open_now(tx, NOW + HOUR)) == []
        (told,) = yard.effects()
        assert isinstance(told, Announce)
        assert told.title == "admin broke the glass of prod"
        assert "it burns" in told.text
        assert await yard.outbox() == 1
        pat = Caller("pat", (Grant(Role.OPERATOR),))
        with pytest.raises(PermissionDenied, match=r"guards\.break needs admin"):
            await yard.gate.ask(MendGlass(pat, opened.id, yard.now))
        with pytest.raises(NotFound, match="no exception exc_2"):
            await yard.gate.ask(MendGlass(ROOT, ExceptionId("exc_2"), yard.now))
        yard.later(60)
        boss = Caller("boss", (Grant(Role.ADMIN, "prod"),))
        closed = await yard.gate.ask(MendGlass(boss, opened.id, yard.now))
        assert (closed.closed_at, closed.closed_by) == (yard.now, "boss")
        assert await yard.gate.ask(MendGlass(ROOT, opened.id, yard.now)) == closed
        assert await yard.database.read(lambda tx: open_now(tx, NOW)) == []
        found = await yard.database.read(lambda tx: yard.store.people.exception(tx, opened.id))
        assert found == closed
        assert [entry.action for entry in await yard.entries()] == [
            "break-glass.open",
            "break-glass.close",
        ]
        assert (await yard.entries())[0].reason == "it burns"

    in_yard(scene, grounds)
