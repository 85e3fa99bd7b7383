"""Keeps secrets by Secret Manager's rules: made, given versions, disabled, destroyed, deleted.

Raises InvalidSpec, NotFound, AlreadyExists, Refused and StaleEtag of `model.errors`. Nothing here
gives a value away: `reading` does, to those who may.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import chain

from runyard.database.port import Database, Tx
from runyard.localcloud.iam.book import IamBook
from runyard.localcloud.iam.names import secret_name
from runyard.localcloud.secrets.book import SecretBook
from runyard.localcloud.secrets.keys import Keys
from runyard.localcloud.secrets.names import (
    check_aliases,
    check_labels,
    check_name,
    check_value,
    refuse,
)
from runyard.localcloud.secrets.sealing import Place
from runyard.model.errors import AlreadyExists, Refused, StaleEtag
from runyard.model.secret import Owner, Secret, SecretAccess, SecretVersion, VersionState

_NO_NUMBER = 2**62  #: above every record's number


class SecretBox:
    """The secrets in `database`, sealed by `keys`."""

    def __init__(self, database: Database, keys: Keys, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._keys = keys
        self._clock = clock
        self._book = SecretBook(database.dialect)
        self._iam = IamBook(database.dialect)

    # -- secrets ---------------------------------------------------------------------------------
    async def create(
        self,
        project: str,
        name: str,
        value: bytes | None = None,
        labels: Mapping[str, str] | None = None,
    ) -> Secret:
        """A new secret, with a first version when a value is given."""
        labels, now = labels or {}, self._clock()
        refuse(chain(check_name(name), check_value(value or b""), check_labels(labels)))
        new = Secret(project, name, now, labels=tuple(sorted(labels.items())))

        async def work(tx: Tx) -> Secret:
            if await self._book.find(tx, project, name) is not None:
                raise AlreadyExists(
                    f"there is a secret {name} already",
                    hint=f"`runyard secrets add-version {name}`",
                )
            await self._book.put(tx, new)
            return new if value is None else await self._add(tx, new, value, now)

        return await self._database.write(work)

    async def secrets(self, project: str) -> list[Secret]:
        """Every secret of a project, by name."""
        return await self._database.read(lambda tx: self._book.all(tx, project))

    async def secret(self, project: str, name: str) -> Secret:
        """A secret."""
        return await self._database.read(lambda tx: self._book.get(tx, project, name))

    async def set_labels(
        self, project: str, name: str, labels: Mapping[str, str], etag: str = ""
    ) -> Secret:
        """Give a secret other labels."""
        refuse(check_labels(labels))

        async def change(_: Tx, secret: Secret) -> Secret:
            return replace(secret, labels=tuple(sorted(labels.items())))

        return await self._change(project, name, change, etag)

    async def set_alias(
        self, project: str, name: str, alias: str, version: int | None, etag: str = ""
    ) -> Secret:
        """Let `alias` name a version, or (None) nothing any more."""

        async def change(tx: Tx, secret: Secret) -> Secret:
            aliases = {key: number for key, number in secret.aliases if key != alias}
            if version is not None:
                await self._book.version(tx, secret, version)
                aliases[alias] = version
            refuse(check_aliases(aliases))
            return replace(secret, aliases=tuple(sorted(aliases.items())))

        return await self._change(project, name, change, etag)

    async def delete(self, project: str, name: str, etag: str = "", forced: bool = False) -> Secret:
        """Remove a secret with all its versions, and who may read it. For good.

        Refused while jobs were given the right to read it, unless `forced`.
        """

        async def work(tx: Tx) -> Secret:
            secret = await self._book.get(tx, project, name)
            _expect(secret, etag)
            users = await self._iam.holders(tx, secret_name(project, name))
            if users and not forced:
                raise _in_use(secret, users)
            await self._book.delete(tx, secret)
            await self._iam.forget(tx, secret_name(project, name))
            return secret

        return await self._database.write(work)

    # -- versions --------------------------------------------------------------------------------
    async def add_version(self, project: str, name: str, value: bytes) -> Secret:
        """Give a secret a new version, enabled; `newest` is its number."""
        refuse(check_value(value))
        now = self._clock()

        async def work(tx: Tx) -> Secret:
            return await self._add(tx, await self._book.get(tx, project, name), value, now)

        return await self._database.write(work)

    async def versions(self, project: str, name: str) -> list[SecretVersion]:
        """Every version of a secret, newest first."""

        async def work(tx: Tx) -> list[SecretVersion]:
            return await self._book.versions(tx, await self._book.get(tx, project, name))

        return await self._database.read(work)

    async def version(self, project: str, name: str, version: str) -> SecretVersion:
        """A version by its number, alias or `latest`."""

        async def work(tx: Tx) -> SecretVersion:
            secret = await self._book.get(tx, project, name)
            return await self._book.version(tx, secret, secret.number(version))

        return await self._database.read(work)

    async def enable(self, project: str, name: str, version: str) -> SecretVersion:
        """Let a version be read again. Idempotent; a destroyed one is refused."""
        return await self._set_state(project, name, version, VersionState.ENABLED)

    async def disable(self, project: str, name: str, version: str) -> SecretVersion:
        """Let nobody read a version. Idempotent; a destroyed one is refused."""
        return await self._set_state(project, name, version, VersionState.DISABLED)

    async def destroy(self, project: str, name: str, version: str) -> SecretVersion:
        """Remove a version's value for good. Idempotent."""
        now = self._clock()

        async def work(tx: Tx) -> SecretVersion:
            secret = await self._book.get(tx, project, name)
            found = await self._book.version(tx, secret, secret.number(version))
            if found.state is VersionState.DESTROYED:
                return found
            await self._book.destroy(tx, Place(project, name, found.number), now)
            return replace(found, state=VersionState.DESTROYED, destroyed_at=now)

        return await self._database.write(work)

    # -- with the job that a secret belongs to ---------------------------------------------------
    async def retire(self, project: str, owner: Owner) -> list[str]:
        """Disable all versions of the secrets that belong to a job; their names. Idempotent."""
        return await self._owned(project, owner, self._book.retire)

    async def restore(self, project: str, owner: Owner) -> list[str]:
        """Enable what `retire` disabled; the names of the secrets. Idempotent."""
        return await self._owned(project, owner, self._book.restore)

    async def _owned(
        self, project: str, owner: Owner, change: Callable[[Tx, Secret], Awaitable[int]]
    ) -> list[str]:
        async def work(tx: Tx) -> list[str]:
            owned = [each for each in await self._book.all(tx, project) if each.owner == owner]
            return [secret.name for secret in owned if await change(tx, secret)]

        return await self._database.write(work)

    # -- accesses --------------------------------------------------------------------------------
    async def accesses(
        self, project: str, name: str = "", before: int = 0, limit: int = 100
    ) -> list[SecretAccess]:
        """Who read a secret (empty: any of the project), newest first; `before` is the number of
        the last one seen."""

        async def work(tx: Tx) -> list[SecretAccess]:
            return await self._book.accesses(tx, project, name, before or _NO_NUMBER, limit)

        return await self._database.read(work)

    # -- rows ------------------------------------------------------------------------------------
    async def _add(self, tx: Tx, secret: Secret, value: bytes, now: datetime) -> Secret:
        after = replace(secret, newest=secret.newest + 1)
        place = Place(secret.project, secret.name, after.newest)
        # Sealed here and not before: by the key that is in force when this is written.
        await self._book.add(tx, place, self._keys.sealing.seal(place, value), now)
        await self._book.put(tx, after)
        return after

    async def _set_state(
        self, project: str, name: str, version: str, state: VersionState
    ) -> SecretVersion:
        async def work(tx: Tx) -> SecretVersion:
            secret = await self._book.get(tx, project, name)
            found = await self._book.version(tx, secret, secret.number(version))
            if found.state is VersionState.DESTROYED:
                raise Refused(
                    f"version {found.number} of secret {name} is destroyed: its value is gone",
                    hint=f"`runyard secrets add-version {name}` gives the secret another one",
                )
            await self._book.set_state(tx, Place(project, name, found.number), state)
            return replace(found, state=state)

        return await self._database.write(work)

    async def _change(
        self,
        project: str,
        name: str,
        change: Callable[[Tx, Secret], Awaitable[Secret]],
        etag: str,
    ) -> Secret:
        async def work(tx: Tx) -> Secret:
            secret = await self._book.get(tx, project, name)
            _expect(secret, etag)
            after = await change(tx, secret)
            if after == secret:
                return secret
            after = replace(after, changes=secret.changes + 1)
            await self._book.put(tx, after)
            return after

        return await self._database.write(work)


def _in_use(secret: Secret, users: Sequence[str]) -> Refused:
    names = sorted({user.partition("#")[0] for user in users})
    return Refused(
        f"secret {secret.name} is read by jobs: {', '.join(names)}",
        hint="delete those jobs, or let them read another secret; or delete it with --force",
    )


def _expect(secret: Secret, etag: str) -> None:
    if etag and etag != secret.etag:
        raise StaleEtag(
            f"secret {secret.name} was changed by somebody else",
            hint=f"look at it again (`runyard secrets get {secret.name}`), then change it",
        )
