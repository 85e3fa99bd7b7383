"""Dead letters and replays, asked for in the words of the domain."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from runyard.database.port import Tx, Value
from runyard.model.dead_letter import DeadLetter, Replay, ReplayId
from runyard.model.ids import RunId
from runyard.model.instants import from_micros, to_micros
from runyard.store.dead_letter_rows import letter_of, letter_params, replay_of, replay_params
from runyard.store.documents import dumps
from runyard.store.run_rows import instant, micros

QUEUED = "queued"  #: of `LetterQuestion.state`: those in the queue
LetterPlace = tuple[int, str]  #: microseconds of its death, its run: where a page ended


@dataclass(frozen=True, slots=True)
class LetterQuestion:
    """Which letters; empty texts and None mean any. `state` is a state, or `QUEUED`. Dead from
    `since` to before `until`. No environments at all: none; None: all of them."""

    environment: str = ""
    project: str = ""
    job: str = ""
    failure_class: str = ""
    group: str = ""
    state: str = ""
    since: datetime | None = None
    until: datetime | None = None
    environments: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class LetterGroup:
    """Letters that say the same: how many, how many of them are open, when the first and the last
    died, and one of the newest."""

    fingerprint: str
    count: int
    open_count: int
    first_at: datetime
    last_at: datetime
    example: DeadLetter


class DeadLetters:
    """The dead letters' port to the database."""

    def __init__(self, queries: Mapping[str, str]) -> None:
        self._q = queries

    async def get(self, tx: Tx, runs: Iterable[RunId]) -> list[DeadLetter]:
        """The letters of these runs; runs without one are left out, the order is free."""
        rows = await tx.fetch(self._q["dead_letters_by_run"], (dumps(list(runs)),))
        return [letter_of(row) for row in rows]

    async def page(
        self, tx: Tx, asked: LetterQuestion, before: LetterPlace | None, limit: int
    ) -> list[DeadLetter]:
        """Letters that fit, the latest death first, before a place (None: from the latest on)."""
        conditions, params = _conditions(asked)
        if before is not None:
            first, second = f"${len(params) + 1}", f"${len(params) + 2}"
            conditions.append(f"(died_at < {first} OR (died_at = {first} AND run_id < {second}))")
            params += before
        sql = f"{self._q['dead_letters_page']}{_where(conditions)}"
        sql += f" ORDER BY died_at DESC, run_id DESC LIMIT ${len(params) + 1}"
        return [letter_of(row) for row in await tx.fetch(sql, [*params, limit])]

    async def count(self, tx: Tx, asked: LetterQuestion) -> int:
        """How many letters fit."""
        conditions, params = _conditions(asked)
        sql = f"{self._q['dead_letters_count']}{_where(conditions)}"
        return int((await tx.fetch(sql, params))[0][0])

    async def groups(self, tx: Tx, asked: LetterQuestion, limit: int) -> list[LetterGroup]:
        """The groups of the letters that fit, the one with the latest death first."""
        conditions, params = _conditions(asked)
        sql = f"{self._q['dead_letters_groups']}{_where(conditions)} GROUP BY fingerprint"
        sql += f" ORDER BY max(died_at) DESC, fingerprint LIMIT ${len(params) + 1}"
        rows = await tx.fetch(sql, [*params, limit])
        examples = {one.run: one for one in await self.get(tx, [row[5] for row in rows])}
        return [
            LetterGroup(
                row[0], row[1], row[2], from_micros(row[3]), from_micros(row[4]), examples[row[5]]
            )
            for row in rows
        ]

    async def chosen(self, tx: Tx, replay: ReplayId, limit: int) -> list[DeadLetter]:
        """The letters of a replay whose turn comes, in the order of their turns."""
        rows = await tx.fetch(self._q["dead_letters_chosen"], (replay, limit))
        return [letter_of(row) for row in rows]

    async def expired(self, tx: Tx, before: datetime, limit: int) -> list[DeadLetter]:
        """Open letters of runs that died before an instant, the oldest first."""
        rows = await tx.fetch(self._q["dead_letters_expired"], (to_micros(before), limit))
        return [letter_of(row) for row in rows]

    async def missing(self, tx: Tx, after: str, limit: int) -> list[RunId]:
        """Dead runs without a letter, by id, after one of them."""
        rows = await tx.fetch(self._q["dead_letters_missing"], (after, limit))
        return [RunId(row[0]) for row in rows]

    async def put(self, tx: Tx, letters: Sequence[DeadLetter]) -> None:
        """Write letters, new or known."""
        await tx.execute_many(
            self._q["dead_letter_upsert"], [letter_params(one) for one in letters]
        )

    async def delete(self, tx: Tx, runs: Sequence[RunId]) -> None:
        """Remove the letters of runs that are removed."""
        await tx.execute(self._q["dead_letters_delete"], (dumps(list(runs)),))

    # -- replays -----------------------------------------------------------------------------------
    async def replays(self, tx: Tx, ids: Iterable[ReplayId]) -> list[Replay]:
        """The replays with these ids; unknown ids are left out, the order is free."""
        rows = await tx.fetch(self._q["replays_by_id"], (dumps(list(ids)),))
        return [replay_of(row) for row in rows]

    async def replays_due(self, tx: Tx, now: datetime, limit: int) -> list[Replay]:
        """The replays whose instant has come, the oldest first."""
        rows = await tx.fetch(self._q["replays_due"], (to_micros(now), limit))
        return [replay_of(row) for row in rows]

    async def next_instant(self, tx: Tx) -> datetime | None:
        """When the next replay is due."""
        return instant((await tx.fetch(self._q["replays_next_instant"]))[0][0])

    async def replay_page(
        self, tx: Tx, environments: Sequence[str] | None, before: str, limit: int
    ) -> list[Replay]:
        """Replays in some environments (None: in all), newest first, before an id (empty: all)."""
        conditions: list[str] = []
        params: list[Value] = []
        if before:
            conditions, params = ["id < $1"], [before]
        _within(environments, conditions, params)
        sql = f"{self._q['replays_page']}{_where(conditions)}"
        sql += f" ORDER BY id DESC LIMIT ${len(params) + 1}"
        return [replay_of(row) for row in await tx.fetch(sql, [*params, limit])]

    async def put_replays(self, tx: Tx, replays: Sequence[Replay]) -> None:
        """Write replays, new or known."""
        await tx.execute_many(self._q["replay_upsert"], [replay_params(one) for one in replays])

    async def forget_replays(self, tx: Tx, before: datetime) -> int:
        """Remove replays that were over before an instant; how many it was."""
        return await tx.execute(self._q["replays_forget"], (to_micros(before),))


def _conditions(asked: LetterQuestion) -> tuple[list[str], list[Value]]:
    given: tuple[tuple[str, Value], ...] = (
        ("environment =", asked.environment),
        ("project =", asked.project),
        ("job =", asked.job),
        ("failure_class =", asked.failure_class),
        ("fingerprint =", asked.group),
        ("state =", "" if asked.state == QUEUED else asked.state),
        ("died_at >=", micros(asked.since)),
        ("died_at <", micros(asked.until)),
    )
    said = [(words, value) for words, value in given if value not in ("", None)]
    conditions = [f"{words} ${place}" for place, (words, _) in enumerate(said, 1)]
    params: list[Value] = [value for _, value in said]
    if asked.state == QUEUED:
        conditions.append("settled_at IS NULL")
    _within(asked.environments, conditions, params)
    return conditions, params


def _within(environments: Sequence[str] | None, conditions: list[str], params: list[Value]) -> None:
    """Add the condition that it is in one of some environments; None: in any."""
    if environments is None:
        return
    places = [f"${place}" for place, _ in enumerate(environments, len(params) + 1)]
    conditions.append(f"environment IN ({', '.join(places)})" if places else "1 = 0")
    params += environments


def _where(conditions: Sequence[str]) -> str:
    return f" WHERE {' AND '.join(conditions)}" if conditions else ""
