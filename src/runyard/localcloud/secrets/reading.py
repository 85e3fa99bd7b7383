"""Gives values to those who may read them, and records who read what, or wanted to.

A record is durable before a value is handed out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from runyard.database.port import Database, Tx
from runyard.localcloud.iam.book import IamBook
from runyard.localcloud.iam.names import secret_name
from runyard.localcloud.iam.roles import ACCESS_SECRET, ACCESSOR
from runyard.localcloud.secrets.book import Sealed, SecretBook
from runyard.localcloud.secrets.keys import Keys
from runyard.localcloud.secrets.names import bare
from runyard.localcloud.secrets.sealing import Place, Unopened
from runyard.model.errors import CallerError, NotFound, PermissionDenied, Refused
from runyard.model.secret import AccessOutcome, Secret, SecretAccess, VersionState

ACCESSES_KEPT = timedelta(days=400)  #: as long as Google keeps admin activity
Ref = tuple[str, str]  #: (secret, version): the version is a number, an alias or `latest`


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads: a member of policies. `execution` and `attempt` say for what, for a task.

    `trusted`: it was decided elsewhere that they may, whatever the policies say.
    """

    member: str
    execution: str = ""
    attempt: str = ""
    trusted: bool = False


@dataclass(frozen=True, slots=True)
class _Found:
    """What one wish comes to: an envelope, or why not."""

    access: SecretAccess
    sealed: Sealed | None = None
    words: str = ""
    hint: str = ""


class SecretReading:
    """The way to the values in `database`."""

    def __init__(self, database: Database, keys: Keys, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._keys = keys
        self._clock = clock
        self._book = SecretBook(database.dialect)
        self._iam = IamBook(database.dialect)

    async def access(self, project: str, refs: Sequence[Ref], reader: Reader) -> list[bytes]:
        """The value of each of `refs`, for `reader`. All of them or none.

        Raises PermissionDenied, NotFound or Refused (disabled, destroyed, not to be opened), with
        everything that is in the way.
        """
        now = self._clock()

        async def work(tx: Tx) -> list[_Found]:
            found = [await self._look(tx, project, ref, reader, now) for ref in refs]
            await self._book.record(tx, project, [each.access for each in found])
            await self._book.purge_accesses(tx, now - ACCESSES_KEPT)
            return found

        found = await self._database.write(work)
        _refuse([each for each in found if each.sealed is None])
        return [self._opened(each.sealed) for each in found if each.sealed]

    async def may(self, project: str, secret: str, member: str) -> bool:
        """True when the policies let a member read a secret."""

        async def work(tx: Tx) -> frozenset[str]:
            return await self._iam.permissions(tx, member, secret_name(project, secret))

        return ACCESS_SECRET in await self._database.read(work)

    async def _look(self, tx: Tx, project: str, ref: Ref, reader: Reader, now: datetime) -> _Found:
        name, version = bare(ref[0]), ref[1]

        def no(outcome: AccessOutcome, words: str, hint: str, number: int = 0) -> _Found:
            return _Found(_access(name, version, reader, now, outcome, number), None, words, hint)

        secret = await self._book.find(tx, project, name)
        if secret is None:
            hint = f"`runyard secrets create {name}`, then run again"
            return no(AccessOutcome.MISSING, f"there is no secret {name}", hint)
        if not await self._may(tx, secret, reader):
            return no(AccessOutcome.DENIED, *_denied(secret, reader.member))
        try:
            number = secret.number(version)
            found = await self._book.version(tx, secret, number)
        except NotFound as error:
            hint = f"`runyard secrets add-version {name}`, then run again"
            return no(AccessOutcome.MISSING, error.message, hint)
        if found.state is not VersionState.ENABLED:
            words = f"version {number} of secret {name} is {found.state.lower()}"
            hint = f"see `runyard secrets versions {name}`"
            return no(AccessOutcome.UNAVAILABLE, words, hint, number)
        sealed = await self._book.sealed(tx, _place(secret, number))
        return _Found(_access(name, version, reader, now, AccessOutcome.GRANTED, number), sealed)

    async def _may(self, tx: Tx, secret: Secret, reader: Reader) -> bool:
        if reader.trusted:
            return True
        resource = secret_name(secret.project, secret.name)
        return ACCESS_SECRET in await self._iam.permissions(tx, reader.member, resource)

    def _opened(self, sealed: Sealed) -> bytes:
        try:
            return open_sealed(self._keys, sealed)
        except Unopened:
            raise Refused(
                f"secret {sealed.place.name} version {sealed.place.version} cannot be opened by any"
                " key that is here",
                hint="restore the cloud's secrets.key that belongs to this database, or add the"
                " value again as a new version",
            ) from None


def open_sealed(keys: Keys, sealed: Sealed) -> bytes:
    """The value in an envelope of either form. Raises Unopened."""
    place, envelope = sealed.place, sealed.envelope
    if envelope.key_id:
        key = keys.find(envelope.key_id)
        if key is None:
            raise Unopened
        return key.open(place, envelope)
    for key in keys.opening():
        try:
            return key.open_form_1(place.name, place.version, envelope.sealed)
        except Unopened:
            continue
    raise Unopened


def _place(secret: Secret, number: int) -> Place:
    return Place(secret.project, secret.name, number)


def _access(
    name: str, version: str, reader: Reader, now: datetime, outcome: AccessOutcome, found: int
) -> SecretAccess:
    return SecretAccess(
        0, now, name, version, found, reader.member, outcome, reader.execution, reader.attempt
    )


def _denied(secret: Secret, member: str) -> tuple[str, str]:
    resource = secret_name(secret.project, secret.name)
    words = f"{member} may not read secret {secret.name}: it has no {ACCESSOR} on {resource}"
    return words, f"`runyard secrets grant {secret.name} {member}`"


def _refuse(found: Sequence[_Found]) -> None:
    """Raises what is in the way, all of it, as the error that weighs most."""
    kinds: tuple[tuple[AccessOutcome, type[CallerError]], ...] = (
        (AccessOutcome.DENIED, PermissionDenied),
        (AccessOutcome.MISSING, NotFound),
        (AccessOutcome.UNAVAILABLE, Refused),
    )
    words = "; ".join(dict.fromkeys(each.words for each in found))
    for outcome, kind in kinds:
        first = next((each for each in found if each.access.outcome is outcome), None)
        if first is not None:
            raise kind(words, hint=first.hint)
