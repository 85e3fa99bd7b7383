"""An environment: which provider, regions and guards it binds. The `environments` section."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, Self

import orjson
from pydantic import BeforeValidator, Field

from runyard.model.channels import (
    CHANNELS_MAX,
    ESCALATIONS_MAX,
    ROUTES_MAX,
    ChannelName,
    ChannelSpec,
    Escalation,
    Route,
)
from runyard.model.cloudrun.words import JobName
from runyard.model.forms import Between, Counted, Shaped, unexpected
from runyard.model.places import RegionName, ZoneName
from runyard.model.strict import Strict

LOCAL = "local"  #: the environment that always exists: the cloud on this machine
APPROVALS_MAX = 10  #: people who must agree
FREEZES_MAX = 100
PEOPLE_MAX = 100
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WEEK = timedelta(days=7)
_WEEKLY = re.compile("(mon|tue|wed|thu|fri|sat|sun) ([01][0-9]|2[0-3]):([0-5][0-9])")
_EDGE_EXPECTED = "an instant such as 2026-12-20T00:00:00Z, or a time of each week such as fri 16:00"


GoogleProject = Annotated[
    str,
    Shaped(
        "(?:[a-z0-9.-]{1,100}:)?[a-z][a-z0-9-]{4,28}[a-z0-9]",
        "a Google project id: 6 to 30 lower-case letters, digits and hyphens, a letter first",
        130,
    ),
]
PrincipalName = Annotated[
    str,
    Shaped(
        r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,99}",
        "the name of a person or machine: at most 100 letters, digits and . _ @ + -",
        100,
    ),
]


def _edge(value: Any) -> Any:
    if isinstance(value, str) and edge_of(value) is None:
        raise unexpected(_EDGE_EXPECTED, "an instant needs Z or an offset such as +01:00")
    return value.lower() if isinstance(value, str) and weekly_of(value) is not None else value


Edge = Annotated[str, BeforeValidator(_edge), Field(description=_EDGE_EXPECTED)]


def weekly_of(text: str) -> timedelta | None:
    """How far into the week (from Monday 00:00) `fri 16:00` is; None when it is no such text."""
    match = _WEEKLY.fullmatch(text.lower())
    if match is None:
        return None
    day, hours, minutes = match.groups()
    return timedelta(days=DAYS.index(day), hours=int(hours), minutes=int(minutes))


def edge_of(text: str) -> timedelta | datetime | None:
    """What begins or ends a freeze: a time of each week, or an instant; None when it is neither."""
    if (weekly := weekly_of(text)) is not None:
        return weekly
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return None if at.tzinfo is None else at


class ProviderName(StrEnum):
    """Where an environment's runs are run."""

    LOCAL = "local"
    GCP = "gcp"


class Freeze(Strict):
    """When nothing is changed: from an instant until another, or from a time of each week until
    another, in `timeZone`. `until` itself is free again."""

    begin: Edge = Field(alias="from")
    until: Edge
    time_zone: ZoneName = Field(default="UTC", alias="timeZone")
    reason: Annotated[str, Shaped(r"[^\x00-\x1f\x7f]{1,200}", "one line of text", 200)] = "a freeze"


class Maintenance(Freeze):
    """When nobody is told, as a freeze says when: of these jobs, or of all."""

    reason: Annotated[str, Shaped(r"[^\x00-\x1f\x7f]{1,200}", "one line of text", 200)] = (
        "maintenance"
    )
    jobs: tuple[JobName, ...] = ()


class Allow(Strict):
    """Who may, by name; empty: whoever has the role for it."""

    change: Annotated[tuple[PrincipalName, ...], Counted(0, PEOPLE_MAX)] = ()
    run: Annotated[tuple[PrincipalName, ...], Counted(0, PEOPLE_MAX)] = ()
    approve: Annotated[tuple[PrincipalName, ...], Counted(0, PEOPLE_MAX)] = ()


class Environment(Strict):
    """One environment. `googleProject` is Google's project id, for the provider `gcp`.

    Its guards: so many `approvals` of other people for a change, none while it is frozen, and who
    may at all. People are told of its incidents by its `channels`: by those that `routes` name for
    it, by all of them where no route is, and by those of `escalation` when nobody has it in time.
    """

    provider: ProviderName = ProviderName.LOCAL
    google_project: GoogleProject | None = Field(default=None, alias="googleProject")
    regions: tuple[RegionName, ...] = ()
    approvals: Annotated[int, Between(0, APPROVALS_MAX)] = 0
    freeze: Annotated[tuple[Freeze, ...], Counted(0, FREEZES_MAX)] = ()
    allow: Allow = Allow()
    channels: Annotated[dict[ChannelName, ChannelSpec], Counted(0, CHANNELS_MAX)] = Field(
        default={}
    )
    routes: Annotated[tuple[Route, ...], Counted(0, ROUTES_MAX)] = ()
    escalation: Annotated[tuple[Escalation, ...], Counted(0, ESCALATIONS_MAX)] = ()
    maintenance: Annotated[tuple[Maintenance, ...], Counted(0, FREEZES_MAX)] = ()

    def document(self) -> dict[str, Any]:
        """The canonical JSON of it; who may is left out where nobody is named."""
        found = super().document()
        return found if found["allow"] else {k: v for k, v in found.items() if k != "allow"}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """The environment that `document()` made `document` of."""
        return cls.model_validate_json(orjson.dumps(document))
