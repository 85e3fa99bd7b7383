"""Secrets, as Secret Manager has them: a name, numbered versions, who read which of them when.

Never a value: it is bytes on its way from a keeper to who may read it, and in no noun.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from runyard.model.errors import NotFound

LATEST = "latest"  #: the version that was made last, whatever its state
VALUE_BYTES_MAX = 64 * 1024  #: of a version (secret-manager/quotas)
ALIASES_MAX = 50  #: of a secret (Secret.version_aliases)
LABELS_MAX = 64  #: of a secret (Secret.labels)
#: The labels that name the job which a secret goes with, when it is one job's alone.
OWNER_PROJECT, OWNER_JOB = "owner-project", "owner-job"
Owner = tuple[str, str]  #: (project, job)


class VersionState(StrEnum):
    """What may be done with a version; Google's words."""

    ENABLED = "ENABLED"
    DISABLED = "DISABLED"  # kept, and read by nobody
    DESTROYED = "DESTROYED"  # its value is gone for good


class AccessOutcome(StrEnum):
    """What became of somebody's wish to read a version."""

    GRANTED = "granted"
    DENIED = "denied"  # who asked may not read the secret
    MISSING = "missing"  # there is no such secret, version or alias
    UNAVAILABLE = "unavailable"  # the version is disabled or destroyed


@dataclass(frozen=True, slots=True)
class Secret:
    """One secret, without a value. `newest` is the number of its last version, 0 before the first.

    `changes` counts what was changed about it; its etag says so.
    """

    project: str
    name: str
    created_at: datetime
    newest: int = 0
    labels: tuple[tuple[str, str], ...] = ()
    aliases: tuple[tuple[str, int], ...] = ()
    changes: int = 1

    @property
    def etag(self) -> str:
        """Another one after each change."""
        return f'"{self.changes:x}"'

    @property
    def owner(self) -> Owner | None:
        """The job it goes with; None when it is nobody's alone."""
        labels = dict(self.labels)
        job = labels.get(OWNER_JOB, "")
        return (labels.get(OWNER_PROJECT, ""), job) if job else None

    def number(self, version: str) -> int:
        """The number of a version by its number, alias or `latest`.

        Raises NotFound when that names none; a number may name a version that there is not.
        """
        if version == LATEST and self.newest:
            return self.newest
        if version.isascii() and version.isdigit() and len(version) < 10:
            return int(version)
        found = dict(self.aliases).get(version)
        if found is None:
            raise NotFound(no_version(self.name, version))
        return found


@dataclass(frozen=True, slots=True)
class SecretVersion:
    """One version of a secret, without its value."""

    number: int
    state: VersionState
    created_at: datetime
    destroyed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SecretAccess:
    """Somebody read a version, or wanted to. `number` is the record's own, growing.

    `member` is who, as policies call them. `version` is what was asked for and `found` the number
    that this was then (0: none). `execution` and `attempt` say for what, when it was a task.
    """

    number: int
    at: datetime
    secret: str
    version: str
    found: int
    member: str
    outcome: AccessOutcome
    execution: str = ""
    attempt: str = ""


@dataclass(frozen=True, slots=True)
class Rotation:
    """A new key took over: `sealed` versions are sealed by it now, `left` ones could not be opened
    by any key that is here and stay as they were."""

    key: str
    retired: str
    sealed: int
    left: int


def no_version(secret: str, version: str) -> str:
    """The words for a version that there is not."""
    return f"secret {secret} has no version" + ("" if version == LATEST else f" {version}")
