"""What Secret Manager keeps, asked within a transaction: secrets, versions, envelopes, accesses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson

from runyard.database.port import Row, Tx
from runyard.localcloud.schema import load_queries
from runyard.localcloud.secrets.sealing import Envelope, Place
from runyard.model.errors import NotFound
from runyard.model.instants import from_micros, to_micros
from runyard.model.secret import (
    AccessOutcome,
    Secret,
    SecretAccess,
    SecretVersion,
    VersionState,
    no_version,
)

_BEFORE_ALL = ("", "", 0)


@dataclass(frozen=True, slots=True)
class Sealed:
    """A version's envelope, where it lies."""

    place: Place
    envelope: Envelope

    @property
    def key(self) -> tuple[str, str, int]:
        """Its place in the order of places."""
        return (self.place.project, self.place.name, self.place.version)


class SecretBook:
    """The rows of secrets, in the words of `dialect`."""

    def __init__(self, dialect: str) -> None:
        self._sql = load_queries(dialect)

    # -- secrets ---------------------------------------------------------------------------------
    async def find(self, tx: Tx, project: str, name: str) -> Secret | None:
        """A secret."""
        rows = await tx.fetch(self._sql["secret_get"], (project, name))
        return _secret_of(rows[0]) if rows else None

    async def get(self, tx: Tx, project: str, name: str) -> Secret:
        """A secret. Raises NotFound."""
        found = await self.find(tx, project, name)
        if found is None:
            raise NotFound(f"there is no secret {name}", hint=f"`runyard secrets create {name}`")
        return found

    async def all(self, tx: Tx, project: str) -> list[Secret]:
        """Every secret of a project, by name."""
        rows = await tx.fetch(self._sql["secrets_of_project"], (project,))
        return [_secret_of(row) for row in rows]

    async def put(self, tx: Tx, secret: Secret) -> None:
        """Keep a secret as it is now."""
        row = (
            secret.project, secret.name, to_micros(secret.created_at), secret.newest,
            secret.changes, orjson.dumps(dict(secret.labels)).decode(),
            orjson.dumps(dict(secret.aliases)).decode(),
        )  # fmt: skip
        await tx.execute(self._sql["secret_put"], row)

    async def delete(self, tx: Tx, secret: Secret) -> None:
        """Remove a secret with all its versions. Who read them stays recorded."""
        for query in ("versions_delete", "secret_delete"):
            await tx.execute(self._sql[query], (secret.project, secret.name))

    # -- versions --------------------------------------------------------------------------------
    async def version(self, tx: Tx, secret: Secret, number: int) -> SecretVersion:
        """A version. Raises NotFound."""
        key = (secret.project, secret.name, number)
        rows = await tx.fetch(self._sql["version_get"], key)
        if not rows:
            raise NotFound(no_version(secret.name, str(number)))
        return _version_of(rows[0])

    async def versions(self, tx: Tx, secret: Secret) -> list[SecretVersion]:
        """Every version of a secret, newest first."""
        rows = await tx.fetch(self._sql["versions_of_secret"], (secret.project, secret.name))
        return [_version_of(row) for row in rows]

    async def add(self, tx: Tx, place: Place, envelope: Envelope, at: datetime) -> None:
        """Keep a new version."""
        row = (
            place.project, place.name, place.version, to_micros(at), envelope.key_id,
            envelope.key_sealed, envelope.sealed,
        )  # fmt: skip
        await tx.execute(self._sql["version_add"], row)

    async def set_state(self, tx: Tx, place: Place, state: VersionState) -> None:
        """Enable or disable a version."""
        key = (place.project, place.name, place.version)
        await tx.execute(self._sql["version_state"], (*key, state))

    async def retire(self, tx: Tx, secret: Secret) -> int:
        """Disable every enabled version until `restore`; how many those were."""
        return await tx.execute(self._sql["versions_retire"], (secret.project, secret.name))

    async def restore(self, tx: Tx, secret: Secret) -> int:
        """Enable what `retire` disabled; how many those were."""
        return await tx.execute(self._sql["versions_restore"], (secret.project, secret.name))

    async def destroy(self, tx: Tx, place: Place, at: datetime) -> None:
        """Remove a version's value and its key."""
        key = (place.project, place.name, place.version)
        await tx.execute(self._sql["version_destroy"], (*key, to_micros(at)))

    # -- envelopes -------------------------------------------------------------------------------
    async def sealed(self, tx: Tx, place: Place) -> Sealed:
        """The envelope of a version that there is."""
        key = (place.project, place.name, place.version)
        return _sealed_of((await tx.fetch(self._sql["version_sealed"], key))[0])

    async def sealed_otherwise(
        self, tx: Tx, key_id: str, after: Sealed | None, limit: int
    ) -> list[Sealed]:
        """Envelopes that another key than `key_id` sealed, in order, after one of them."""
        place = after.key if after else _BEFORE_ALL
        rows = await tx.fetch(self._sql["versions_sealed_otherwise"], (key_id, *place, limit))
        return [_sealed_of(row) for row in rows]

    async def seal(self, tx: Tx, sealed: Sealed) -> None:
        """Keep another envelope of a version, unless its value is gone."""
        envelope = sealed.envelope
        row = (*sealed.key, envelope.key_id, envelope.key_sealed, envelope.sealed)
        await tx.execute(self._sql["version_seal"], row)

    # -- accesses --------------------------------------------------------------------------------
    async def record(self, tx: Tx, project: str, accesses: Sequence[SecretAccess]) -> None:
        """Record who read what."""
        rows = [
            (to_micros(each.at), project, each.secret, each.version, each.found, each.member,
             each.outcome, each.execution, each.attempt)
            for each in accesses
        ]  # fmt: skip
        await tx.execute_many(self._sql["access_add"], rows)

    async def accesses(
        self, tx: Tx, project: str, name: str, before: int, limit: int
    ) -> list[SecretAccess]:
        """Accesses to a secret (empty: to any) with a number below `before`, newest first."""
        if name:
            rows = await tx.fetch(self._sql["accesses_of_secret"], (project, name, before, limit))
        else:
            rows = await tx.fetch(self._sql["accesses_of_project"], (project, before, limit))
        return [_access_of(row) for row in rows]

    async def purge_accesses(self, tx: Tx, before: datetime) -> None:
        """Forget who read what before an instant."""
        await tx.execute(self._sql["accesses_purge"], (to_micros(before),))


def _secret_of(row: Row) -> Secret:
    return Secret(
        project=row[0],
        name=row[1],
        created_at=from_micros(row[2]),
        newest=row[3],
        changes=row[4],
        labels=tuple(sorted(orjson.loads(row[5]).items())),
        aliases=tuple(sorted(orjson.loads(row[6]).items())),
    )


def _version_of(row: Row) -> SecretVersion:
    destroyed_at = None if row[3] is None else from_micros(row[3])
    return SecretVersion(row[0], VersionState(row[1]), from_micros(row[2]), destroyed_at)


def _sealed_of(row: Row) -> Sealed:
    return Sealed(Place(row[0], row[1], row[2]), Envelope(row[3], row[4] or b"", row[5] or b""))


def _access_of(row: Row) -> SecretAccess:
    return SecretAccess(
        number=row[0],
        at=from_micros(row[1]),
        secret=row[2],
        version=row[3],
        found=row[4],
        member=row[5],
        outcome=AccessOutcome(row[6]),
        execution=row[7],
        attempt=row[8],
    )
