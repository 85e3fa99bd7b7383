"""Gives the secrets a new key-encryption key while they are in use.

1. A new key is staged: it seals from now on, both open.
2. Every version's data key is sealed by it, some at a time; no value is touched.
3. It takes over; the old one is kept aside, for backups that it sealed.

Whoever dies in between leaves what both keys open; `resume` goes on at the next start, and also
seals anew what lies in an older form, or came back sealed by a retired key.
"""

from __future__ import annotations

import asyncio
import logging
from functools import partial

from runyard.database.port import Database, Tx
from runyard.localcloud.secrets.book import Sealed, SecretBook
from runyard.localcloud.secrets.keys import Keys
from runyard.localcloud.secrets.reading import open_sealed
from runyard.localcloud.secrets.sealing import SealingKey, Unopened
from runyard.model.secret import Rotation

_log = logging.getLogger(__name__)

BATCH = 200  #: versions sealed anew in one transaction


class Rotator:
    """Rotates `keys`, which seal the secrets in `database`."""

    def __init__(self, database: Database, keys: Keys, batch: int = BATCH) -> None:
        self._database = database
        self._keys = keys
        self._batch = batch
        self._book = SecretBook(database.dialect)
        self._turn = asyncio.Lock()

    async def rotate(self) -> Rotation:
        """Let a new key take over; one that was staged before and not promoted goes on."""
        async with self._turn:
            await asyncio.to_thread(self._keys.stage)
            sealed, left = await self._seal_anew()
            retired = await asyncio.to_thread(self._keys.promote)
            return Rotation(self._keys.sealing.id, retired, sealed, left)

    async def resume(self) -> None:
        """Finish what an earlier process began; seal by the present key what is not."""
        if self._keys.rotating:
            done = await self.rotate()
            _log.info("the rotation to key %s is finished", done.key)
            return
        async with self._turn:
            sealed, left = await self._seal_anew()
        if sealed:
            _log.info("%d secret versions are sealed by the key in force now", sealed)
        if left:
            _log.warning("%d secret versions cannot be opened by any key that is here", left)

    async def _seal_anew(self) -> tuple[int, int]:
        """How many were sealed by the key in force, and how many could not be."""
        sealed, left = 0, 0
        last: Sealed | None = None
        while True:
            found, done = await self._database.write(partial(self._some, after=last))
            sealed, left = sealed + done, left + len(found) - done
            if len(found) < self._batch:
                return sealed, left
            last = found[-1]

    async def _some(self, tx: Tx, *, after: Sealed | None) -> tuple[list[Sealed], int]:
        key = self._keys.sealing
        found = await self._book.sealed_otherwise(tx, key.id, after, self._batch)
        done = 0
        for each in found:
            anew = self._anew(each, key)
            if anew is not None:
                await self._book.seal(tx, anew)
                done += 1
        return found, done

    def _anew(self, sealed: Sealed, key: SealingKey) -> Sealed | None:
        """The same value in an envelope of `key`; None when nobody can open it."""
        place, envelope = sealed.place, sealed.envelope
        try:
            if envelope.key_id:
                before = self._keys.find(envelope.key_id)
                return Sealed(place, before.reseal(place, envelope, key)) if before else None
            return Sealed(place, key.seal(place, open_sealed(self._keys, sealed)))
        except Unopened:
            return None
