"""Dead letters in a yard: made, looked at, dealt with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from runyard.gate.replaying import AdvanceReplays, BeginReplay, ReplayOne
from runyard.model.dead_letter import DeadLetter, Replay, ReplayHow, ReplayId
from runyard.model.event import Ended
from runyard.model.ids import RunId
from runyard.model.outcome import Ending
from runyard.model.principal import Caller
from runyard.model.run import Run, State
from runyard.store.dead_letters import LetterQuestion
from tests.support.gates import Yard
from tests.support.runs import make_outcome

ANN = Caller("ann", ())
AS_IT_IS = ReplayHow()


async def end(yard: Yard, run: Run, ending: Ending = Ending.FAILED) -> Run:
    """An attempt of a run ends."""
    return await yard.tell(run, Ended(run.attempt, make_outcome(ending)))


async def die(yard: Yard, job: str = "report", **asked: Any) -> Run:
    """A run that is dead."""
    dead = await end(yard, await yard.request(job, **asked))
    assert dead.state is State.DEAD
    return dead


async def letter(yard: Yard, run: Run | RunId) -> DeadLetter:
    """The letter of a dead run."""
    identity = run.id if isinstance(run, Run) else run
    [found] = await yard.database.read(lambda tx: yard.store.dead_letters.get(tx, [identity]))
    return found


async def page(yard: Yard, limit: int = 100, before: Any = None, **asked: Any) -> list[DeadLetter]:
    """The letters that fit."""
    question = LetterQuestion(**asked)
    return await yard.database.read(
        lambda tx: yard.store.dead_letters.page(tx, question, before, limit)
    )


async def replay_one(yard: Yard, run: RunId, how: ReplayHow = AS_IT_IS) -> Run:
    """A run in place of a dead one."""
    new = await yard.gate.ask(ReplayOne(ANN, run, how, yard.now, yard.new_id))
    return await yard.run(new.id)


async def begin(yard: Yard, letters: Sequence[Run], **said: Any) -> Replay:
    """A replay of the letters of some runs."""
    identity = ReplayId(f"rp_{next(yard.numbers)}")
    how = said.pop("how", AS_IT_IS)
    row = Replay(identity, "local", "some", how, "ann", yard.now, 0, **said)
    return await yard.gate.ask(BeginReplay(ANN, row, [one.id for one in letters], yard.now))


async def advance(yard: Yard) -> int:
    """What is due of replays is asked for; how many were due."""
    return await yard.gate.ask(AdvanceReplays(yard.now, yard.new_id))


async def replay(yard: Yard, one: Replay) -> Replay:
    """A replay as it is now."""
    [found] = await yard.database.read(lambda tx: yard.store.dead_letters.replays(tx, [one.id]))
    return found


async def newest(yard: Yard, dead: Run) -> Run:
    """The run that was asked for in place of a dead one."""
    return await yard.run((await letter(yard, dead)).replayed_by)
