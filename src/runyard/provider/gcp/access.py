"""The port of access at Google: Runyard grants nothing there yet, and says so.

Who may do what in a Google project is decided by those who may change its policies; Runyard asks
for no such right. What a job lacks shows itself when it runs, in Google's own words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from runyard.model.errors import ProviderUnavailable
from runyard.model.operation import StepKind
from runyard.provider.gcp.errors import NAME
from runyard.provider.port_access import Identity, Names, Settled

_DEFAULT = "it names no service account: its tasks run as the project's default one"


class GcpAccess:
    """`provider.port_access.Access` that changes nothing."""

    async def do(self, kind: StepKind, identity: Identity) -> Settled:
        """See `Access.do`: a sentence on what has to be granted by others."""
        if kind is StepKind.IDENTITY:
            account = _task(identity.document).get("serviceAccount")
            if not account:
                return Settled(_DEFAULT)
            return Settled(f"it runs as {account}; Runyard grants it nothing at Google")
        if kind is StepKind.SECRETS:
            names = ", ".join(dict.fromkeys(_secrets(identity.document)))
            if not names:
                return Settled("it reads no secret")
            role = "roles/secretmanager.secretAccessor"
            return Settled(f"it reads {names}: its service account needs {role} there")
        return Settled("Runyard granted it nothing at Google: there is nothing to take back")

    async def missing(self, identity: Identity) -> tuple[str, ...]:
        """See `Access.missing`. Raises ProviderUnavailable: nobody here may look."""
        raise ProviderUnavailable(
            "Runyard does not see at Google what a service account may do",
            name=NAME,
            operation="missing",
            hint="`runyard resume RUN` has the run go on",
        )

    async def undo(self, kind: StepKind, identity: Identity, undo: Names) -> str:
        """See `Access.undo`."""
        return "nothing was done, so nothing is undone"


def _task(document: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = document.get("template", {}).get("template", {})
    return found


def _secrets(document: Mapping[str, Any]) -> Iterator[str]:
    task = _task(document)
    for container in task.get("containers") or ():
        for variable in container.get("env") or ():
            key = (variable.get("valueSource") or {}).get("secretKeyRef") or {}
            if key.get("secret"):
                yield key["secret"]
    for volume in task.get("volumes") or ():
        secret = (volume.get("secret") or {}).get("secret")
        if secret:
            yield secret
    yield from (document.get("needs") or {}).get("secrets") or ()
