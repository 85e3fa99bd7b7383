"""What the API answers about secrets. One shape holds a value: that of an access."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from runyard.api.shapes import Shape
from runyard.model.secret import AccessOutcome, Secret, SecretAccess, SecretVersion, VersionState


class SecretShape(Shape):
    """A secret and the number of its newest version (0: none yet); never a value."""

    name: str
    environment: str
    version: int
    created_at: datetime
    labels: dict[str, str]
    aliases: dict[str, int]
    etag: str


class SecretsShape(Shape):
    """Every secret by name."""

    secrets: list[SecretShape]


class SecretVersionShape(Shape):
    """A version of a secret, without its value."""

    name: str
    version: int
    state: VersionState
    created_at: datetime
    destroyed_at: datetime | None


class SecretVersionsShape(Shape):
    """Every version of a secret, newest first."""

    versions: list[SecretVersionShape]


class SecretValueShape(Shape):
    """A secret's value, which was asked for: the access is recorded."""

    name: str
    version: str
    value_base64: str


class SecretReadersShape(Shape):
    """Who was given the right to read a secret."""

    name: str
    readers: list[str]


class SecretAccessShape(Shape):
    """Somebody read a version, or wanted to. `execution` and `attempt` say for what, for a task."""

    number: int
    at: datetime
    secret: str
    version: str
    found: Annotated[int, Field(description="The number of the version; 0: there was none.")]
    member: str
    outcome: AccessOutcome
    execution: str
    attempt: str


class SecretAccessesShape(Shape):
    """A page of accesses, newest first; no `next_before`: it is the last one."""

    accesses: list[SecretAccessShape]
    next_before: int | None


class RotationShape(Shape):
    """A new key seals all secrets. `left`: versions that no key here can open stay as they were."""

    key: str
    retired: str
    sealed: int
    left: int


def secret_document(secret: Secret, environment: str) -> dict[str, object]:
    """A secret as it is answered."""
    return {
        "name": secret.name,
        "environment": environment,
        "version": secret.newest,
        "created_at": secret.created_at,
        "labels": dict(secret.labels),
        "aliases": dict(secret.aliases),
        "etag": secret.etag,
    }


def version_document(name: str, version: SecretVersion) -> dict[str, object]:
    """A version as it is answered."""
    return {
        "name": name,
        "version": version.number,
        "state": version.state,
        "created_at": version.created_at,
        "destroyed_at": version.destroyed_at,
    }


def access_document(access: SecretAccess) -> dict[str, object]:
    """An access as it is answered."""
    return {name: getattr(access, name) for name in SecretAccessShape.model_fields}
