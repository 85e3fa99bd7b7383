"""The port of secrets over the cloud on this machine, in process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from runyard.localcloud.iam.names import is_googles, secret_name
from runyard.localcloud.iam.policy import Policy
from runyard.localcloud.iam.roles import ACCESSOR
from runyard.localcloud.neighbours import Neighbours
from runyard.localcloud.secrets.reading import Reader
from runyard.model.secret import Rotation, Secret, SecretAccess, SecretVersion


class LocalSecrets:
    """`provider.port_secrets.SecretKeeper` over `cloud`: the secrets of an environment are in the
    project of its name."""

    def __init__(self, cloud: Neighbours) -> None:
        self._cloud = cloud

    async def create(
        self, environment: str, name: str, value: bytes | None, labels: Mapping[str, str]
    ) -> Secret:
        """See `SecretKeeper.create`."""
        return await self._cloud.secrets.create(environment, name, value, labels)

    async def secrets(self, environment: str) -> Sequence[Secret]:
        """See `SecretKeeper.secrets`."""
        return await self._cloud.secrets.secrets(environment)

    async def secret(self, environment: str, name: str) -> Secret:
        """See `SecretKeeper.secret`."""
        return await self._cloud.secrets.secret(environment, name)

    async def set_labels(
        self, environment: str, name: str, labels: Mapping[str, str], etag: str = ""
    ) -> Secret:
        """See `SecretKeeper.set_labels`."""
        return await self._cloud.secrets.set_labels(environment, name, labels, etag)

    async def set_alias(
        self, environment: str, name: str, alias: str, version: int | None, etag: str = ""
    ) -> Secret:
        """See `SecretKeeper.set_alias`."""
        return await self._cloud.secrets.set_alias(environment, name, alias, version, etag)

    async def delete(
        self, environment: str, name: str, etag: str = "", forced: bool = False
    ) -> Secret:
        """See `SecretKeeper.delete`."""
        return await self._cloud.secrets.delete(environment, name, etag, forced)

    async def add_version(self, environment: str, name: str, value: bytes) -> Secret:
        """See `SecretKeeper.add_version`."""
        return await self._cloud.secrets.add_version(environment, name, value)

    async def versions(self, environment: str, name: str) -> Sequence[SecretVersion]:
        """See `SecretKeeper.versions`."""
        return await self._cloud.secrets.versions(environment, name)

    async def enable(self, environment: str, name: str, version: str) -> SecretVersion:
        """See `SecretKeeper.enable`."""
        return await self._cloud.secrets.enable(environment, name, version)

    async def disable(self, environment: str, name: str, version: str) -> SecretVersion:
        """See `SecretKeeper.disable`."""
        return await self._cloud.secrets.disable(environment, name, version)

    async def destroy(self, environment: str, name: str, version: str) -> SecretVersion:
        """See `SecretKeeper.destroy`."""
        return await self._cloud.secrets.destroy(environment, name, version)

    async def access(
        self, environment: str, name: str, version: str, by: str, trusted: bool
    ) -> bytes:
        """See `SecretKeeper.access`."""
        reader = Reader(f"user:{by}", trusted=trusted)
        found = await self._cloud.reading.access(environment, [(name, version)], reader)
        return found[0]

    async def accesses(
        self, environment: str, name: str, before: int, limit: int
    ) -> Sequence[SecretAccess]:
        """See `SecretKeeper.accesses`."""
        return await self._cloud.secrets.accesses(environment, name, before, limit)

    async def readers(self, environment: str, name: str) -> Sequence[str]:
        """See `SecretKeeper.readers`."""
        await self._cloud.secrets.secret(environment, name)
        return _readers(await self._cloud.policies.policy(secret_name(environment, name)))

    async def grant(self, environment: str, name: str, member: str) -> Sequence[str]:
        """See `SecretKeeper.grant`."""
        await self._cloud.secrets.secret(environment, name)
        kind, _, email = member.partition(":")
        if kind == "serviceAccount" and not is_googles(email):
            await self._cloud.accounts.account(email)  # or NotFound
        resource = secret_name(environment, name)
        return _readers(await self._cloud.policies.bind(resource, ACCESSOR, member))

    async def revoke(self, environment: str, name: str, member: str) -> Sequence[str]:
        """See `SecretKeeper.revoke`."""
        await self._cloud.secrets.secret(environment, name)
        resource = secret_name(environment, name)
        return _readers(await self._cloud.policies.unbind(resource, ACCESSOR, member))

    async def rotate(self) -> Rotation:
        """See `SecretKeeper.rotate`."""
        return await self._cloud.rotator.rotate()


def _readers(policy: Policy) -> list[str]:
    return sorted(grant.member for grant in policy.grants if grant.role == ACCESSOR)
