"""The dead letters and replays that one batch of decisions works on."""

from __future__ import annotations

from collections.abc import Iterable

from runyard.database.port import Tx
from runyard.flow.replaying import in_turn
from runyard.model.dead_letter import DeadLetter, LetterState, Replay, ReplayId
from runyard.model.ids import RunId
from runyard.store.dead_letters import DeadLetters


class LetterSet:
    """Loaded, changed in memory, written together."""

    def __init__(self, port: DeadLetters, tx: Tx) -> None:
        self.port = port
        self._tx = tx
        self.rows: dict[RunId, DeadLetter] = {}
        self.replays: dict[ReplayId, Replay] = {}
        self._changed: set[RunId] = set()
        self._changed_replays: set[ReplayId] = set()

    async def load(self, runs: Iterable[RunId]) -> None:
        """Bring in the letters of runs; those that are here stay."""
        missing = [each for each in dict.fromkeys(runs) if each not in self.rows]
        if missing:
            self.take(await self.port.get(self._tx, missing))

    async def load_replays(self, ids: Iterable[ReplayId]) -> None:
        """Bring in replays; those that are here stay."""
        missing = [each for each in dict.fromkeys(ids) if each and each not in self.replays]
        if missing:
            self.take_replays(await self.port.replays(self._tx, missing))

    async def load_chosen(self, replay: ReplayId, limit: int) -> None:
        """Bring in the first letters of a replay whose turn comes."""
        self.take(await self.port.chosen(self._tx, replay, limit + len(self._changed)))

    def chosen(self, replay: ReplayId) -> list[DeadLetter]:
        """The letters of a replay whose turn comes, of those that are here, in their order."""
        mine = (one for one in self.rows.values() if one.replay == replay)
        return in_turn([one for one in mine if one.state is LetterState.CHOSEN])

    def take(self, letters: Iterable[DeadLetter]) -> None:
        """Bring in letters that were read; those that are here stay."""
        for one in letters:
            self.rows.setdefault(one.run, one)

    def take_replays(self, replays: Iterable[Replay]) -> None:
        """Bring in replays that were read; those that are here stay."""
        for one in replays:
            self.replays.setdefault(one.id, one)

    def put(self, letter: DeadLetter) -> None:
        """Keep a new or changed letter."""
        self.rows[letter.run] = letter
        self._changed.add(letter.run)

    def put_replay(self, replay: Replay) -> None:
        """Keep a new or changed replay."""
        self.replays[replay.id] = replay
        self._changed_replays.add(replay.id)

    @property
    def may_be_due(self) -> bool:
        """True when a replay has an instant that somebody has to wait for."""
        return any(self.replays[each].due_at is not None for each in self._changed_replays)

    async def write(self) -> None:
        """Write all of it."""
        await self.port.put(self._tx, [self.rows[each] for each in sorted(self._changed)])
        replays = [self.replays[each] for each in sorted(self._changed_replays)]
        await self.port.put_replays(self._tx, replays)
