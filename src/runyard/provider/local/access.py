"""The port of access over the cloud on this machine: what its secrets say of a job's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from runyard.localcloud.secrets.keeper import SecretBox
from runyard.model.errors import ProviderRefused
from runyard.model.operation import StepKind
from runyard.provider.local.answering import answering
from runyard.provider.port_access import Identity, Names, Settled

_NO_IDENTITY = "it names no service account: its tasks run as the default one"


class LocalAccess:
    """`provider.port_access.Access` over the secrets in `box`."""

    def __init__(self, box: SecretBox) -> None:
        self._box = box

    async def do(self, kind: StepKind, identity: Identity) -> Settled:
        """See `Access.do`."""
        if kind is StepKind.SECRETS:
            return await self._secrets(identity)
        account = _task(identity.document).get("serviceAccount")
        return Settled(f"it runs as {account}" if account else _NO_IDENTITY)

    async def undo(self, kind: StepKind, identity: Identity, undo: Names) -> str:
        """See `Access.undo`."""
        return "nothing was made for it"

    async def _secrets(self, identity: Identity) -> Settled:
        wanted = sorted(set(_secret_names(_task(identity.document))))
        if not wanted:
            return Settled("it reads no secret")
        async with answering("secrets", identity.job):
            known = {name for name, _ in await self._box.names()}
        missing = [name for name in wanted if name.rpartition("/")[2] not in known]
        if missing:
            raise ProviderRefused(
                f"job {identity.job} reads secrets that there are not: {', '.join(missing)}",
                hint=f"`runyard secrets create {missing[0]}`, then apply again",
            )
        return Settled(f"it reads {', '.join(wanted)}")


def _task(document: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = document.get("template", {}).get("template", {})
    return found


def _secret_names(task: Mapping[str, Any]) -> Iterator[str]:
    for container in task.get("containers") or ():
        for variable in container.get("env") or ():
            reference = (variable.get("valueSource") or {}).get("secretKeyRef") or {}
            if reference.get("secret"):
                yield reference["secret"]
    for volume in task.get("volumes") or ():
        if (volume.get("secret") or {}).get("secret"):
            yield volume["secret"]["secret"]
