"""What is known of the environment that a request is about, before its manifest is read."""

from __future__ import annotations

from collections.abc import Mapping

from runyard.api.services import Services
from runyard.database.port import Tx
from runyard.model.environment import Environment, ProviderName
from runyard.model.errors import Fault, Refused
from runyard.model.manifest import Loaded
from runyard.store.environments import EnvironmentRow


async def known(services: Services, environment: str) -> dict[str, Environment]:
    """The environment of this name as it is in force, by project."""

    async def work(tx: Tx) -> list[EnvironmentRow]:
        return await services.store.environments.named(tx, environment)

    return {row.project: row.environment for row in await services.database.read(work)}


def bound(loaded: Loaded, environment: str, stored: Mapping[str, Environment]) -> Environment:
    """The environment that a manifest is for: its own words, else what is in force.

    Raises Refused when the two have it at different providers: jobs would go astray.
    """
    said, in_force = loaded.environments.get(environment), stored.get(loaded.project)
    if said and in_force and said.provider is not in_force.provider:
        raise Refused(
            f"the manifest has {environment} at {said.provider}, and in force it is at "
            f"{in_force.provider}; nothing was applied",
            hint="`runyard environments apply` puts what the manifest says in force",
        )
    return said or in_force or Environment()


def differing(
    loaded: Loaded, environment: str, stored: Mapping[str, Environment]
) -> tuple[Fault, ...]:
    """A warning when what a manifest says of its environment is not what is in force."""
    said, in_force = loaded.environments.get(environment), stored.get(loaded.project)
    if said is None or in_force is None or said == in_force:
        return ()
    expected = "what is in force: its guards are those, whatever the manifest says"
    hint = "`runyard environments apply` puts what the manifest says in force"
    return (Fault(f"environments.{environment}", "", expected, hint),)


def refuse_elsewhere(environment: str, binding: Environment) -> None:
    """Raises Refused when the environment is not on this machine."""
    if binding.provider is not ProviderName.LOCAL:
        raise Refused(
            f"the environment {environment} is bound to {binding.provider}, which this server "
            "does not reach; nothing was applied",
            hint="apply to an environment of this machine, such as local",
        )
