"""The port of every provider for secrets: where values live. An environment has secrets of its own.

Nothing of a value is ever in a row, a log or an error of ours. Raises InvalidSpec, NotFound,
AlreadyExists, PermissionDenied, Refused, StaleEtag and a provider's three errors.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from runyard.model.secret import Rotation, Secret, SecretAccess, SecretVersion


class SecretKeeper(Protocol):
    """Where secret values live. A version is named by its number, an alias or `latest`."""

    async def create(
        self, environment: str, name: str, value: bytes | None, labels: Mapping[str, str]
    ) -> Secret:
        """A new secret, with a first version when a value is given."""

    async def secrets(self, environment: str) -> Sequence[Secret]:
        """Every secret, by name."""

    async def secret(self, environment: str, name: str) -> Secret:
        """A secret."""

    async def set_labels(
        self, environment: str, name: str, labels: Mapping[str, str], etag: str = ""
    ) -> Secret:
        """Give a secret other labels."""

    async def set_alias(
        self, environment: str, name: str, alias: str, version: int | None, etag: str = ""
    ) -> Secret:
        """Let an alias name a version, or (None) nothing any more."""

    async def delete(
        self, environment: str, name: str, etag: str = "", forced: bool = False
    ) -> Secret:
        """Remove a secret with all its versions, for good; one that jobs read only if `forced`."""

    async def add_version(self, environment: str, name: str, value: bytes) -> Secret:
        """Give a secret a new version; `newest` is its number."""

    async def versions(self, environment: str, name: str) -> Sequence[SecretVersion]:
        """Every version, newest first."""

    async def enable(self, environment: str, name: str, version: str) -> SecretVersion:
        """Let a version be read again. Idempotent."""

    async def disable(self, environment: str, name: str, version: str) -> SecretVersion:
        """Let nobody read a version. Idempotent."""

    async def destroy(self, environment: str, name: str, version: str) -> SecretVersion:
        """Remove a version's value for good. Idempotent."""

    async def access(
        self, environment: str, name: str, version: str, by: str, trusted: bool
    ) -> bytes:
        """The value, for the person `by`, who must be among its readers unless `trusted`.
        Recorded before it is given."""

    async def accesses(
        self, environment: str, name: str, before: int, limit: int
    ) -> Sequence[SecretAccess]:
        """Who read a secret (empty: any), newest first; `before`: the number of the last seen."""

    async def readers(self, environment: str, name: str) -> Sequence[str]:
        """The members that its own policy lets read it."""

    async def grant(self, environment: str, name: str, member: str) -> Sequence[str]:
        """Let a member read it; its readers then. Idempotent."""

    async def revoke(self, environment: str, name: str, member: str) -> Sequence[str]:
        """Let a member read it no more; its readers then. Idempotent."""

    async def rotate(self) -> Rotation:
        """Let a new key seal all of them."""
