"""What is promised of dead letters: one for each dead run, none for any other; what has left the
queue never comes back; at most one run lives in the place of each; a replay comes to its end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from random import Random

from runyard.database.port import Database, Tx
from runyard.gate.dead_letters import Discard
from runyard.gate.door import Gate
from runyard.gate.replaying import BeginReplay, CancelReplay, NewId, ReplayOne
from runyard.model.dead_letter import DeadLetter, LetterState, Replay, ReplayHow, ReplayId
from runyard.model.errors import CallerError
from runyard.model.ids import RunId
from runyard.model.principal import Caller
from runyard.model.run import Run, State
from runyard.store.memory import Store
from tests.simulation.rows import Groups, Rows

CLIENT = Caller("client", ())
_OVER = frozenset(LetterState) - {LetterState.OPEN, LetterState.CHOSEN, LetterState.REPLAYING}


class LetterPromises:
    """Knows how each letter and each replay was, and what the rows must therefore say."""

    def __init__(self) -> None:
        self._settled: dict[RunId, DeadLetter] = {}
        self._over: dict[ReplayId, Replay] = {}
        self._letter_rows = Rows[RunId, DeadLetter]("SELECT * FROM dead_letters")
        self._replay_rows = Rows[ReplayId, Replay]("SELECT * FROM replays")
        self.letters: Mapping[RunId, DeadLetter] = {}
        self.replays: Mapping[ReplayId, Replay] = {}

    async def look(self, database: Database, store: Store) -> None:
        """Read all that there is."""

        port = store.dead_letters

        async def work(tx: Tx) -> tuple[dict[RunId, DeadLetter], dict[ReplayId, Replay]]:
            async def letters(changed: Groups[RunId]) -> dict[RunId, DeadLetter]:
                return {one.run: one for one in await port.get(tx, changed)}

            async def replays(changed: Groups[ReplayId]) -> dict[ReplayId, Replay]:
                return {one.id: one for one in await port.replays(tx, changed)}

            found = await self._letter_rows.look(tx, letters)
            return found, await self._replay_rows.look(tx, replays)

        self.letters, self.replays = await database.read(work)

    def forget(self) -> None:
        """The next look is at everything anew."""
        self._letter_rows.forget()
        self._replay_rows.forget()

    async def check(self, database: Database, store: Store, now: Iterable[Run]) -> None:
        """After every step; `now` are the runs that there are."""
        await self.look(database, store)
        runs = {run.id: run for run in now}
        dead = {run.id for run in runs.values() if run.state is State.DEAD}
        assert self.letters.keys() == dead, f"letters of {self.letters.keys() ^ dead}"
        alive = Counter(run.replays for run in runs.values() if run.replays and not run.is_final)
        for one in self.letters.values():
            before = self._settled.get(one.run)
            assert before is None or before == one, f"{one.run} came back: {one}"
            if one.state in _OVER:
                self._settled[one.run] = one
            replaying = one.state is LetterState.REPLAYING
            assert alive[one.run] == replaying, f"{alive[one.run]} runs in the place of {one}"
            assert (one.settled_at is None) is one.is_queued
        self._check_replays()

    def _check_replays(self) -> None:
        chosen = Counter(
            one.replay for one in self.letters.values() if one.state is LetterState.CHOSEN
        )
        for row in self.replays.values():
            done = row.succeeded + row.died + row.ended_otherwise
            assert done <= row.asked, f"more ends than runs: {row}"
            assert row.asked + row.left + chosen[row.id] <= row.total, f"{row}"
            assert not (row.is_over and chosen[row.id]), f"it keeps letters: {row}"
            before = self._over.get(row.id)
            assert before is None or before.state is row.state, f"{row.id} came back: {row}"
            if row.is_over:
                self._over[row.id] = row

    def check_rest(self) -> None:
        """When everything has come to rest."""
        waiting = [one for one in self.letters.values() if one.state is LetterState.CHOSEN]
        assert not waiting, f"these are not asked for: {waiting}"
        going = [one for one in self.replays.values() if not one.is_over]
        assert not going, f"these go on: {going}"

    def check_outlasted(self) -> None:
        """When everything is older than its retention."""
        assert not self.letters, f"{len(self.letters)} letters were not forgotten"
        assert not self.replays, f"{len(self.replays)} replays were not forgotten"

    # -- what people do ----------------------------------------------------------------------------
    async def deal(self, random: Random, gate: Gate, now: datetime, new_id: NewId) -> None:
        """Somebody does something to letters or replays, whatever state they are in by now."""
        letters = random.sample(sorted(self.letters), k=min(len(self.letters), 4))
        how = ReplayHow(as_it_was=random.random() < 0.5)
        kind = random.choice(["one", "one", "many", "many", "discard", "cancel"])
        try:
            if kind == "cancel" and self.replays:
                replay = random.choice(sorted(self.replays))
                await gate.ask(CancelReplay(CLIENT, replay, "", now))
            elif kind == "many" and letters:
                row = self._replay(random, now, how, new_id)
                await gate.ask(BeginReplay(CLIENT, row, letters, now))
            elif kind == "one" and letters:
                await gate.ask(ReplayOne(CLIENT, letters[0], how, now, new_id))
            elif kind == "discard" and letters:
                await gate.ask(Discard(CLIENT, letters[0], "no need", now))
        except CallerError:
            return  # somebody else was first

    def _replay(self, random: Random, now: datetime, how: ReplayHow, new_id: NewId) -> Replay:
        identity = ReplayId(str(new_id()).replace("run_", "rp_"))
        pace, verify = random.choice([1, 20, 600]), random.random() < 0.5
        return Replay(
            identity, "local", "some", how, "client", now, 0, per_minute=pace, verify_first=verify
        )
