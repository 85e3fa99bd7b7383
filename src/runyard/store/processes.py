"""Who works on a database: one row for each process, with its last sign of life.

How long ago that was is told by the database's clock alone, since those of several machines differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from runyard.database.port import Tx
from runyard.store.documents import dumps, loads

VERSION = 1  #: of `body`


@dataclass(frozen=True, slots=True)
class Sign:
    """What a process says of itself. `kind` is the command that it is (`up`, `server`, `engine`),
    `place` where it runs, in words; `working`: it has all it needs (an engine that stands by has
    not); `about` is for people and other processes to read, as plain JSON."""

    name: str
    kind: str
    place: str
    working: bool
    about: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Seen:
    """A process as it was when it gave its last sign, `ago`. `beat` counts the signs."""

    sign: Sign
    beat: int
    ago: timedelta


class Processes:
    """The processes' port to the database."""

    def __init__(self, queries: Mapping[str, str]) -> None:
        self._q = queries

    async def beat(self, tx: Tx, sign: Sign) -> None:
        """A sign of life."""
        body = dumps({"v": VERSION, "about": dict(sign.about)})
        row = (sign.name, sign.kind, sign.place, int(sign.working), body)
        await tx.execute(self._q["process_beat"], row)

    async def all(self, tx: Tx) -> list[Seen]:
        """Every process, by name."""
        return [
            Seen(
                Sign(name, kind, place, bool(working), loads(body)["about"]),
                beat,
                timedelta(microseconds=max(0, micros)),
            )
            for name, kind, place, working, beat, body, micros in await tx.fetch(
                self._q["processes"]
            )
        ]

    async def beats(self, tx: Tx, name: str) -> int:
        """How often one has given a sign; 0 when it never has."""
        rows = await tx.fetch(self._q["process_beats"], (name,))
        return int(rows[0][0]) if rows else 0

    async def leave(self, tx: Tx, name: str) -> None:
        """One of them ends."""
        await tx.execute(self._q["process_leave"], (name,))

    async def forget(self, tx: Tx, silence: timedelta) -> None:
        """Forget those that have been silent for longer."""
        await tx.execute(self._q["processes_forget"], (silence // timedelta(microseconds=1),))
