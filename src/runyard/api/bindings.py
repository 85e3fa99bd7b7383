"""What is known of the environment that a request is about, before its manifest is read."""

from __future__ import annotations

from collections.abc import Mapping

from runyard.api.services import Services
from runyard.database.port import Tx
from runyard.model.environment import Environment, ProviderName
from runyard.model.errors import ConfigError, Fault, Refused
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


async def refuse_elsewhere(
    services: Services, environment: str, project: str, binding: Environment
) -> None:
    """Raises Refused when the environment is where this server does not reach, or is bound to
    there by a manifest alone: what is in force says where runs are launched."""
    if binding.provider is ProviderName.LOCAL:
        return
    bound = f"the environment {environment} is bound to {binding.provider}"
    if project not in await known(services, environment):
        raise Refused(
            f"{bound} by this manifest, and is not in force yet; nothing was applied",
            hint="`runyard environments apply` puts it in force",
        )
    try:
        await services.reach(binding.provider)
    except ConfigError as error:
        raise Refused(
            f"{bound}, which this server does not reach: {error.message}; nothing was applied",
            hint=error.hint,
        ) from error
