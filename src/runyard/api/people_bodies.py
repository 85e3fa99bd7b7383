"""What callers send about people: principals, tokens, exceptions to guards."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

from pydantic import Field

from runyard.model.durations import seconds_of
from runyard.model.forms import Counted, Lasting, Shaped
from runyard.model.job import EnvironmentName
from runyard.model.principal import (
    ANYWHERE,
    NAME_EXPECTED,
    NAME_FORM,
    Grant,
    Grants,
    PrincipalKind,
    Role,
    Scope,
)
from runyard.model.strict import Strict

GRANTS_MAX = 100
DAY_SECONDS = 86_400
EXPIRY_SECONDS_MAX = 3650 * DAY_SECONDS
EXPIRY_USUAL = timedelta(days=90)
OVERLAP_SECONDS_MAX = 30 * DAY_SECONDS
OVERLAP_USUAL = timedelta(days=1)
EXCEPTION_SECONDS_MAX = DAY_SECONDS
EXCEPTION_USUAL = timedelta(hours=1)
REASON_CHARACTERS_MAX = 1000

PrincipalName = Annotated[str, Shaped(NAME_FORM, NAME_EXPECTED, 128)]
Place = Annotated[
    str,
    Shaped(
        r"\*|[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?", "an environment's name, or * for all of them", 63
    ),
]
Line = Annotated[str, Shaped(r"[^\x00-\x1f\x7f]{0,200}", "a line of at most 200 characters", 200)]
_WORDS = r"[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"
Why = Annotated[
    str,
    Shaped(
        f"{_WORDS}*",
        f"a text of at most {REASON_CHARACTERS_MAX} characters without control characters",
        REASON_CHARACTERS_MAX,
    ),
]
Reason = Annotated[
    str,
    Shaped(
        rf"{_WORDS}*\S{_WORDS}*",
        f"a reason in words, of at most {REASON_CHARACTERS_MAX} characters",
        REASON_CHARACTERS_MAX,
    ),
]
RoleWord = Annotated[Role, Field(strict=False)]


class GrantBody(Strict):
    """A role in an environment; without one, in all of them."""

    role: RoleWord
    environment: Place = ANYWHERE

    def grant(self) -> Grant:
        """As it is kept."""
        return Grant(self.role, self.environment)


class PrincipalBody(Strict):
    """Somebody new. Later grants for an environment take the place of earlier ones."""

    name: PrincipalName
    kind: Annotated[PrincipalKind, Field(strict=False)] = PrincipalKind.USER
    grants: Annotated[tuple[GrantBody, ...], Counted(0, GRANTS_MAX)] = ()
    note: Line = ""

    def granted(self) -> Grants:
        """The roles, one for each environment."""
        by_place = {one.environment: one.grant() for one in self.grants}
        return tuple(by_place[place] for place in sorted(by_place))


class UngrantBody(Strict):
    """Where somebody has no role of their own any more."""

    environment: Place = ANYWHERE


class WhyBody(Strict):
    """Why it is done."""

    reason: Why = ""


class TokenBody(Strict):
    """A new token: whose, what it may at most, and how long."""

    principal: PrincipalName | None = Field(default=None, description="Else who asks.")
    label: Line = Field(default="", description="What it is for, or where it lies.")
    ceiling: RoleWord = Field(default=Role.ADMIN, description="It may no more than this role.")
    environments: Annotated[tuple[Place, ...], Counted(1, GRANTS_MAX)] = (ANYWHERE,)
    expires_in: Annotated[str, Lasting(60, EXPIRY_SECONDS_MAX, "87600h")] | None = Field(
        default=None, description="Else in 90 days (2160h), or with the token that makes it."
    )
    never_expires: bool = False

    def scope(self) -> Scope:
        """What it may at most."""
        return Scope(self.ceiling, tuple(sorted(set(self.environments))))

    def ends(self, now: datetime, latest: datetime | None) -> datetime | None:
        """When it ends; None: never. Where nothing is said, not after `latest`, the end of the
        token that makes it."""
        if self.never_expires:
            return None
        if self.expires_in is not None:
            return now + _span(self.expires_in)
        usual = now + EXPIRY_USUAL
        return usual if latest is None else min(usual, latest)


class RotateBody(Strict):
    """How long the old token goes on."""

    overlap: Annotated[str, Lasting(0, OVERLAP_SECONDS_MAX, "720h")] | None = Field(
        default=None, description="Else a day (24h)."
    )

    def lasts(self) -> timedelta:
        """As a span."""
        return OVERLAP_USUAL if self.overlap is None else _span(self.overlap)


class BreakGlassBody(Strict):
    """An exception to an environment's guards, for who asks."""

    environment: EnvironmentName
    reason: Reason
    lasting: Annotated[str, Lasting(60, EXCEPTION_SECONDS_MAX, "24h")] | None = Field(
        default=None, description="Else an hour (1h)."
    )

    def lasts(self) -> timedelta:
        """As a span."""
        return EXCEPTION_USUAL if self.lasting is None else _span(self.lasting)


def _span(text: str) -> timedelta:
    return timedelta(seconds=seconds_of(text))


PEOPLE_BODIES: tuple[type[Strict], ...] = (
    PrincipalBody,
    GrantBody,
    UngrantBody,
    WhyBody,
    TokenBody,
    RotateBody,
    BreakGlassBody,
)
