"""What a job's document asks of secrets and IAM, in the local cloud's words. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from runyard.localcloud.iam.book import Hold
from runyard.localcloud.iam.names import (
    account_member,
    bucket_name,
    email_of,
    project_name,
    secret_name,
    secrets_project,
    topic_name,
)
from runyard.localcloud.iam.policy import Grant
from runyard.localcloud.iam.roles import ACCESSOR
from runyard.localcloud.secrets.names import bare

Document = Mapping[str, Any]
Ref = tuple[str, str]  #: (secret, version)
# fmt: off
_BUCKET_ROLES = {
    "read":      "roles/storage.objectViewer",
    "write":     "roles/storage.objectUser",
}
_TOPIC_ROLES = {
    "publish":   "roles/pubsub.publisher",
    "subscribe": "roles/pubsub.subscriber",
}
# fmt: on


def holder_of(project: str, job: str) -> str:
    """For whose sake things are there, when it is a job's of a project of the cloud."""
    return f"{project}/{job}"


@dataclass(frozen=True, slots=True)
class Needs:
    """A job's document, in a project of the cloud; an empty one needs nothing."""

    project: str
    document: Document

    @property
    def account(self) -> str:
        """The email of its service account; empty when there is no document."""
        if not self.document:
            return ""
        return email_of(self.project, str(self._task.get("serviceAccount") or ""))

    @property
    def names_account(self) -> bool:
        """True when it does not run as the project's default account."""
        return bool(self._task.get("serviceAccount"))

    @property
    def refs(self) -> tuple[Ref, ...]:
        """Every version of a secret that it reads, each once, in order."""
        return tuple(sorted({(bare(secret), version) for secret, version in self._refs()}))

    @property
    def secret_holds(self) -> frozenset[Hold]:
        """What lets its account read its secrets, and nothing more."""
        project = secrets_project(self.project)
        grant = Grant(ACCESSOR, account_member(self.account))
        return frozenset(Hold(secret_name(project, secret), grant) for secret, _ in self.refs)

    @property
    def other_holds(self) -> frozenset[Hold]:
        """What lets its account do the rest of what the job needs."""
        return frozenset(self._others(account_member(self.account)))

    @property
    def _task(self) -> Document:
        found: Document = self.document.get("template", {}).get("template", {})
        return found

    @property
    def _needs(self) -> Document:
        found: Document = self.document.get("needs") or {}
        return found

    def _refs(self) -> Iterator[Ref]:
        for container in self._task.get("containers") or ():
            for variable in container.get("env") or ():
                key = (variable.get("valueSource") or {}).get("secretKeyRef") or {}
                if key.get("secret"):
                    yield key["secret"], str(key.get("version") or "latest")
        for volume in self._task.get("volumes") or ():
            source = volume.get("secret") or {}
            if source.get("secret"):
                for item in source.get("items") or [dict[str, Any]()]:
                    yield source["secret"], str(item.get("version") or "latest")
        for secret in self._needs.get("secrets") or ():
            yield secret, "latest"

    def _others(self, member: str) -> Iterator[Hold]:
        for bucket in self._needs.get("buckets") or ():
            role = _BUCKET_ROLES[bucket.get("access") or "read"]
            yield Hold(bucket_name(bucket["name"]), Grant(role, member))
        for topic in self._needs.get("topics") or ():
            role = _TOPIC_ROLES[topic.get("access") or "publish"]
            yield Hold(topic_name(self.project, topic["name"]), Grant(role, member))
        for role in self._needs.get("roles") or ():
            yield Hold(project_name(self.project), Grant(role, member))
