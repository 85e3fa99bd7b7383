"""The command that lets a run go on which waits for something, since that is there now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from runyard.gate.deciding import tell_in
from runyard.model.errors import IllegalTransition, NotFound
from runyard.model.event import Restored
from runyard.model.ids import RunId
from runyard.model.run import AWAITING, Run, State
from runyard.store.working_set import Needs, WorkingSet


@dataclass(slots=True)
class GoOn:
    """What a run waits for is there, in `words`. `by` says so (empty: it was seen).

    A run that waits for its job to be mended goes on with the newest revision; without somebody
    who says so, only when that is newer than its own. Raises NotFound, or IllegalTransition when it
    does not wait, or no revision is newer.
    """

    run: RunId
    now: datetime
    words: str = ""
    by: str = ""

    def needs(self, needs: Needs) -> None:
        """See `Command.needs`."""
        needs.runs.append(self.run)

    async def load(self, work: WorkingSet) -> None:
        """See `Command.load`."""
        row = work.runs.get(self.run)
        if row is not None:
            await work.load_jobs([(row.environment, row.job)])

    def frees(self, work: WorkingSet) -> None:
        """See `Command.frees`."""

    def act(self, work: WorkingSet) -> Run:
        """See `Command.act`."""
        row = work.runs.get(self.run)
        if row is None:
            raise NotFound(f"there is no run {self.run}", hint="list runs with `runyard runs`")
        if row.state not in AWAITING:
            raise IllegalTransition(f"{row.id} waits for nothing: it is {row.state}")
        return tell_in(work, row.id, self._event(work, row), self.now)

    def _event(self, work: WorkingSet, row: Run) -> Restored:
        if row.state is not State.AWAITING_FIX:
            return Restored(self.words, by=self.by)
        jobs = work.jobs[row.environment, row.job]
        newest = max((job.revision for job in jobs if job.project == row.project), default=0)
        if newest > row.revision:
            return Restored(self.words or f"revision {newest} is in force", newest, self.by)
        if not self.by:
            raise IllegalTransition(f"{row.id} waits for a revision after {row.revision}")
        return Restored(self.words, by=self.by)
