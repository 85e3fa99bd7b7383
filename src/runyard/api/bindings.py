"""What is known of the environment that a request is about, before its manifest is read."""

from __future__ import annotations

from collections.abc import Mapping

from runyard.api.services import Services
from runyard.database.port import Tx
from runyard.model.environment import Environment, ProviderName
from runyard.model.errors import Refused
from runyard.model.manifest import Loaded
from runyard.store.environments import EnvironmentRow


async def known(services: Services, environment: str) -> dict[str, Environment]:
    """The environment of this name as it is in force, by project."""

    async def work(tx: Tx) -> list[EnvironmentRow]:
        return await services.store.environments.named(tx, environment)

    return {row.project: row.environment for row in await services.database.read(work)}


def bound(loaded: Loaded, environment: str, stored: Mapping[str, Environment]) -> Environment:
    """The environment that a manifest is for: its own words, else what is in force."""
    found = loaded.environments.get(environment) or stored.get(loaded.project)
    return found or Environment()


def refuse_elsewhere(environment: str, binding: Environment) -> None:
    """Raises Refused when the environment is not on this machine."""
    if binding.provider is not ProviderName.LOCAL:
        raise Refused(
            f"the environment {environment} is bound to {binding.provider}, which this server "
            "does not reach; nothing was applied",
            hint="apply to an environment of this machine, such as local",
        )
