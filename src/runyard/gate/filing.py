"""Dead letters follow runs: a batch that gives a run up files its letter, and a batch that ends a
run which was asked for in place of a dead one tells that one's letter, and its replay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from runyard.flow import dead_letters, replaying
from runyard.flow.dead_letters import SERVER, Ended, Expired, LetGo, letter_of
from runyard.model.audit import AuditEntry
from runyard.model.dead_letter import LETTERS_MAX, DeadLetter, Replay, ReplayState
from runyard.model.errors import IllegalTransition
from runyard.model.event import Released
from runyard.model.ids import RunId
from runyard.model.run import Run, State
from runyard.store.working_set import Needs, WorkingSet

ENDS_EARLY = frozenset({ReplayState.STOPPED, ReplayState.CANCELLED})


async def file_letters(work: WorkingSet, now: datetime) -> None:
    """File the letters of runs that this batch gave up; tell those whose replacement has ended."""
    ended = [run for run, fact, _ in work.facts if run.is_final and not isinstance(fact, Released)]
    for run in ended:
        if run.state is State.DEAD:
            work.letters.put(letter_of(run))
    again = [run for run in ended if run.replays]
    if not again:
        return
    await work.letters.load(run.replays for run in again)
    found = [work.letters.rows.get(run.replays) for run in again]
    await work.letters.load_replays(one.replay for one in found if one is not None)
    for run in again:
        await _tell(work, run, now)


async def _tell(work: WorkingSet, run: Run, now: datetime) -> None:
    letter = work.letters.rows.get(run.replays)
    if letter is None:  # the dead run was forgotten meanwhile
        return
    try:
        work.letters.put(dead_letters.decide(letter, Ended(run), now))
    except IllegalTransition:
        return  # another run stands in its place
    replay = work.letters.replays.get(letter.replay)
    if replay is not None:
        after = replaying.ended(replay, run, now)
        work.letters.put_replay(after)
        if after.state is ReplayState.STOPPED:
            await work.letters.load_chosen(after.id, LETTERS_MAX)
            let_go(work, after, SERVER, now)


def let_go(work: WorkingSet, replay: Replay, by: str, now: datetime) -> None:
    """Put back into the queue what a replay will not ask for any more; it was loaded."""
    for letter in work.letters.chosen(replay.id):
        event = LetGo(by, f"{replay.id} is {replay.state}: {replay.reason}")
        work.letters.put(dead_letters.decide(letter, event, now))


@dataclass(slots=True)
class FileOld:
    """File letters of runs that died before there were any. The answer is the last of the runs
    that were looked at; None: there is none left."""

    after: str
    now: datetime
    limit: int = 100
    runs: tuple[RunId, ...] = ()

    def needs(self, needs: Needs) -> None:
        """See `Command.needs`."""

    async def load(self, work: WorkingSet) -> None:
        """See `Command.load`."""
        found = await work.store.dead_letters.missing(work.tx, self.after, self.limit)
        self.runs = tuple(found)
        await work.load_runs(self.runs)

    def frees(self, work: WorkingSet) -> None:
        """See `Command.frees`."""

    def act(self, work: WorkingSet) -> RunId | None:
        """See `Command.act`."""
        for each in self.runs:
            if each not in work.letters.rows:
                work.letters.put(letter_of(work.runs[each]))
        return self.runs[-1] if self.runs else None


@dataclass(slots=True)
class ExpireLetters:
    """Take letters out of the queue that were open for as long as the settings say (`words`). The
    audit log keeps how many of each job that were. The answer is how many it was."""

    before: datetime
    words: str
    now: datetime
    limit: int = 100
    letters: Sequence[DeadLetter] = ()

    def needs(self, needs: Needs) -> None:
        """See `Command.needs`."""

    async def load(self, work: WorkingSet) -> None:
        """See `Command.load`."""
        self.letters = await work.store.dead_letters.expired(work.tx, self.before, self.limit)
        work.letters.take(self.letters)

    def frees(self, work: WorkingSet) -> None:
        """See `Command.frees`."""

    def act(self, work: WorkingSet) -> int:
        """See `Command.act`."""
        gone: dict[tuple[str, str, str], list[DeadLetter]] = {}
        for one in self.letters:
            try:
                after = dead_letters.decide(
                    work.letters.rows[one.run], Expired(self.words), self.now
                )
            except IllegalTransition:
                continue  # another command of this batch has it
            work.letters.put(after)
            gone.setdefault(one.key, []).append(one)
        for (project, environment, job), letters in gone.items():
            after_words = {"count": len(letters), "runs": [one.run for one in letters]}
            work.record(
                AuditEntry(
                    self.now,
                    SERVER,
                    "dead_letter.expire",
                    f"job/{project}/{job}",
                    environment,
                    after=after_words,
                    reason=self.words,
                )
            )
        return len(self.letters)
