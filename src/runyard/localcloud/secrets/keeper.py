"""Keeps secrets and hands them out, by Secret Manager's rules.

One keeper serves all projects of this machine: the cross-project form
`projects/PROJECT/secrets/NAME` names the same secret as NAME. Aliases of versions are not kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime

from runyard.database.port import Database, Row, Tx
from runyard.localcloud.schema import load_queries
from runyard.localcloud.secrets.sealing import Sealer
from runyard.model.errors import Fault, InvalidSpec, NotFound
from runyard.model.instants import to_micros

# "A secret ID is a string with a maximum length of 255 characters and can contain uppercase and
# lowercase letters, numerals, and the hyphen and underscore characters" (CreateSecretRequest).
_NAME = re.compile(r"[A-Za-z0-9_-]{1,255}")
_CROSS_PROJECT = re.compile(r"projects/[^/]+/secrets/([^/]+)")
VALUE_BYTES_MAX = 64 * 1024  #: SecretPayload.data is at most 64 KiB (Secret Manager quotas)
LATEST = "latest"


class SecretBox:
    """The secrets in `database`, sealed by `sealer`."""

    def __init__(self, database: Database, sealer: Sealer, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._sealer = sealer
        self._clock = clock
        self._sql = load_queries(database.dialect)

    async def add_version(self, name: str, value: bytes) -> int:
        """Keep a new version (1, 2, ...) of secret `name`, made if there is none yet.

        Raises InvalidSpec for a name Secret Manager would refuse or a value over 64 KiB.
        """
        _check(name, value)
        at = to_micros(self._clock())

        async def work(tx: Tx) -> int:
            version = int((await tx.fetch(self._sql["secret_newest"], (name,)))[0][0]) + 1
            sealed = self._sealer.seal(name, version, value)
            await tx.execute(self._sql["secret_add"], (name, version, at, sealed))
            return version

        return await self._database.write(work)

    async def names(self) -> list[tuple[str, int]]:
        """Every secret with the number of its newest version, by name."""

        async def work(tx: Tx) -> list[tuple[str, int]]:
            return [(row[0], row[1]) for row in await tx.fetch(self._sql["secret_names"])]

        return await self._database.read(work)

    async def access(self, refs: Sequence[tuple[str, str]]) -> list[bytes]:
        """The value of each (secret, version), version being a number or `latest`.

        Raises NotFound that names every one that is missing, Refused when one cannot be opened.
        """

        async def work(tx: Tx) -> list[Row | None]:
            return [await self._find(tx, secret, version) for secret, version in refs]

        rows = await self._database.read(work)
        missing = [ref for ref, row in zip(refs, rows, strict=True) if row is None]
        if missing:
            raise NotFound(
                "; ".join(_missing(secret, version) for secret, version in missing),
                hint="add a version of it, then run again",
            )
        return [
            self._sealer.open(_bare(secret), row[0], row[1])
            for (secret, _), row in zip(refs, rows, strict=True)
            if row is not None
        ]

    async def _find(self, tx: Tx, secret: str, version: str) -> Row | None:
        name = _bare(secret)
        if version == LATEST:
            rows = await tx.fetch(self._sql["secret_get_latest"], (name,))
        elif version.isascii() and version.isdigit() and len(version) < 10:
            rows = await tx.fetch(self._sql["secret_get"], (name, int(version)))
        else:
            rows = []
        return rows[0] if rows else None


def _bare(secret: str) -> str:
    match = _CROSS_PROJECT.fullmatch(secret)
    return match[1] if match else secret


def _missing(secret: str, version: str) -> str:
    if version == LATEST:
        return f"secret {secret} has no version"
    return f"secret {secret} has no version {version}"


def _check(name: str, value: bytes) -> None:
    faults = []
    if not _NAME.fullmatch(name):
        expected = "1 to 255 letters, digits, hyphens and underscores"
        faults.append(Fault("secret.name", repr(name)[:80], expected))
    if len(value) > VALUE_BYTES_MAX:
        faults.append(Fault("secret.value", f"{len(value)} bytes long", "at most 65536 bytes"))
    if faults:
        raise InvalidSpec("; ".join(str(fault) for fault in faults), faults=tuple(faults))
