"""The `environments` section: which provider, regions and guards an environment binds."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from runyard.model.forms import Between, Shaped
from runyard.model.job import RegionName
from runyard.model.strict import Strict

LOCAL = "local"  #: the environment that always exists: the cloud on this machine
APPROVALS_MAX = 10  #: people who must agree


GoogleProject = Annotated[
    str,
    Shaped(
        "(?:[a-z0-9.-]{1,100}:)?[a-z][a-z0-9-]{4,28}[a-z0-9]",
        "a Google project id: 6 to 30 lower-case letters, digits and hyphens, a letter first",
        130,
    ),
]


class ProviderName(StrEnum):
    """Where an environment's runs are run."""

    LOCAL = "local"
    GCP = "gcp"


class Environment(Strict):
    """One environment. `googleProject` is Google's project id, for the provider `gcp`."""

    provider: ProviderName = ProviderName.LOCAL
    google_project: GoogleProject | None = Field(default=None, alias="googleProject")
    regions: tuple[RegionName, ...] = ()
    approvals: Annotated[int, Between(0, APPROVALS_MAX)] = 0
