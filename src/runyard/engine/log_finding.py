"""What logs are not read to their end when a process begins, whatever became of the one before.

An attempt that is out, or has a place, is known. One that ended may have neither: it came and went
before anybody began to read it. Logs that are read to their end keep their place until `KEPT` after
the end of their attempt, so an attempt without one that ended later than that was never read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile

from runyard.database.port import Database, Tx
from runyard.model.ids import AttemptKey, RunId, attempt_key, split_attempt_key
from runyard.model.run import Run
from runyard.store.memory import Store
from runyard.telemetry.log_places import Place

KEPT = timedelta(minutes=10)  #: no clock is set back further than this, or something is missed
BEGUN = AttemptKey("")  #: no attempt: see `begun`
PAGE = 500  #: runs looked at together
_ENDED = "attempt_ended"


@dataclass(frozen=True, slots=True)
class Unread:
    """An attempt of a run whose log is read as far as `after`. `is_placed`: that is written.
    `ended_at`: when the attempt ended; None while it is out."""

    run: Run
    after: int = 0
    is_placed: bool = False
    ended_at: datetime | None = None


def begun(at: datetime) -> dict[AttemptKey, datetime]:
    """The place of who is the first to read logs: of all that ended before an instant nobody knows
    whether it was read."""
    return {BEGUN: at + KEPT}


class Over:
    """Logs that are read to their end. `ends`: when their attempts ended, the first first."""

    def __init__(self, ends: Mapping[AttemptKey, datetime]) -> None:
        self._ends = dict(ends)
        self._newest = max(ends.values())

    def __contains__(self, key: AttemptKey) -> bool:
        return key in self._ends

    def add(self, key: AttemptKey, ended_at: datetime) -> None:
        """One more."""
        self._ends[key] = ended_at
        self._newest = max(self._newest, ended_at)

    @property
    def since(self) -> datetime:
        """From when on every attempt that ended, and is read to its end, is one of these."""
        return self._newest - KEPT

    def old(self, now: datetime) -> list[AttemptKey]:
        """Those that need not be kept any more, and are not from now on. An end that is later than
        `now` tells of a clock that was set back, and of no time that has passed."""
        since = min(self._newest, now) - KEPT
        old = list(takewhile(lambda key: self._ends[key] < since, self._ends))
        for key in old:
            del self._ends[key]
        return old


async def find_unread(
    database: Database, store: Store, places: Mapping[AttemptKey, Place], since: datetime
) -> dict[AttemptKey, Unread]:
    """All that is out, has a place, or ended `since` without one. Raises StoreError."""
    over = {key for key, one in places.items() if one.ended_at is not None}

    async def work(tx: Tx) -> dict[AttemptKey, Unread]:
        tried = await store.runs.tried_since(tx, since)
        ids = sorted({split_attempt_key(key)[0] for key in (*places, *tried) if key not in over})
        found: dict[AttemptKey, Unread] = {}
        for first in range(0, len(ids), PAGE):
            for run in await store.runs.get(tx, ids[first : first + PAGE]):
                found |= await _of_run(tx, store, run, places, since)
        return found

    return await database.read(work)


async def _of_run(
    tx: Tx, store: Store, run: Run, places: Mapping[AttemptKey, Place], since: datetime
) -> dict[AttemptKey, Unread]:
    found: dict[AttemptKey, Unread] = {}
    over: list[AttemptKey] = []
    for number in range(1, run.attempt + 1):
        key = attempt_key(run.id, number)
        place = places.get(key)
        if place is not None and place.ended_at is not None:
            continue
        found[key] = Unread(run, 0 if place is None else place.position, place is not None)
        if number < run.attempt or not run.is_out:
            over.append(key)
    ends = await _ends(tx, store, run.id) if over else {}
    for key in over:
        one, at = found[key], ends.get(key, run.ended_at or run.requested_at)
        if one.is_placed or at >= since:
            found[key] = Unread(run, one.after, one.is_placed, at)
        else:
            del found[key]
    return found


async def _ends(tx: Tx, store: Store, run: RunId) -> dict[AttemptKey, datetime]:
    """When the attempts of a run ended."""
    history = await store.runs.history(tx, run)
    return {
        attempt_key(run, fact.data["attempt"]): fact.at for fact in history if fact.kind == _ENDED
    }
