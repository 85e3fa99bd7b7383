"""Commands about dead letters that ask for no run: discarding them, noting that they were told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from runyard.flow import dead_letters
from runyard.flow.dead_letters import Discarded
from runyard.gate.replaying import no_letter, record
from runyard.model.dead_letter import NOTES_KEPT, DeadLetter, LetterState, Published
from runyard.model.ids import RunId
from runyard.model.principal import Caller
from runyard.store.working_set import Needs, WorkingSet


@dataclass(slots=True)
class Discard:
    """Take a letter out of the queue without a run. The answer is the letter.

    Raises NotFound, or IllegalTransition when it is not open.
    """

    caller: Caller
    run: RunId
    reason: str
    now: datetime

    def needs(self, needs: Needs) -> None:
        """See `Command.needs`."""

    async def load(self, work: WorkingSet) -> None:
        """See `Command.load`."""
        await work.letters.load([self.run])

    def frees(self, work: WorkingSet) -> None:
        """See `Command.frees`."""

    def act(self, work: WorkingSet) -> DeadLetter:
        """See `Command.act`."""
        letter = work.letters.rows.get(self.run)
        if letter is None:
            raise no_letter(self.run)
        return _discard(work, letter, self.caller, self.reason, self.now)


@dataclass(slots=True)
class DiscardMany:
    """The same with many; those that are not open are left alone. The answer is those that were
    discarded."""

    caller: Caller
    runs: Sequence[RunId]
    reason: str
    now: datetime

    def needs(self, needs: Needs) -> None:
        """See `Command.needs`."""

    async def load(self, work: WorkingSet) -> None:
        """See `Command.load`."""
        await work.letters.load(self.runs)

    def frees(self, work: WorkingSet) -> None:
        """See `Command.frees`."""

    def act(self, work: WorkingSet) -> list[DeadLetter]:
        """See `Command.act`."""
        found = [work.letters.rows.get(each) for each in dict.fromkeys(self.runs)]
        return [
            _discard(work, one, self.caller, self.reason, self.now)
            for one in found
            if one is not None and one.state is LetterState.OPEN
        ]


def _discard(
    work: WorkingSet, letter: DeadLetter, caller: Caller, reason: str, now: datetime
) -> DeadLetter:
    after = dead_letters.decide(letter, Discarded(caller.name, reason), now)
    work.letters.put(after)
    group = {"group": letter.fingerprint}
    record(work, caller, "dead_letter.discard", letter, group, reason, now)
    return after


@dataclass(slots=True)
class NotePublished:
    """Note that letters were published to a topic: as which messages, by their runs."""

    caller: Caller
    topic: str
    messages: Mapping[RunId, str]
    now: datetime

    def needs(self, needs: Needs) -> None:
        """See `Command.needs`."""

    async def load(self, work: WorkingSet) -> None:
        """See `Command.load`."""
        await work.letters.load(self.messages)

    def frees(self, work: WorkingSet) -> None:
        """See `Command.frees`."""

    def act(self, work: WorkingSet) -> None:
        """See `Command.act`."""
        for run, message in self.messages.items():
            letter = work.letters.rows.get(run)
            if letter is None:  # its run was forgotten meanwhile
                continue
            told = (*letter.published, Published(self.now, self.topic, message))[-NOTES_KEPT:]
            work.letters.put(letter.evolve(published=told, version=letter.version + 1))
            after = {"topic": self.topic, "message": message}
            record(work, self.caller, "dead_letter.publish", letter, after, "", self.now)
