"""The command that mends triggers which do not stand as they have to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from runyard.flow.freezing import Zones
from runyard.flow.schedule.checking import Mending, check, overdue
from runyard.model.trigger.row import Trigger
from runyard.store.working_set import Needs, WorkingSet


@dataclass(slots=True)
class Recheck:
    """Mend triggers that were found wrong, as far as they are still as they were found; people are
    told of what cannot happen by itself. The answer is how many were mended.

    `late` are those that stayed due though the schedule loop looked.
    """

    rows: Sequence[Trigger]
    now: datetime
    zones: Zones
    late: Sequence[Trigger] = ()

    def needs(self, needs: Needs) -> None:
        """See `Command.needs`."""

    async def load(self, work: WorkingSet) -> None:
        """See `Command.load`."""
        await work.triggers.load_jobs(
            (one.environment, one.job) for one in [*self.rows, *self.late]
        )

    def frees(self, work: WorkingSet) -> None:
        """See `Command.frees`."""

    def act(self, work: WorkingSet) -> int:
        """See `Command.act`."""
        found = [check(row, self.zones, self.now) for row in self._standing(work, self.rows)]
        found += [overdue(row, self.zones, self.now) for row in self._standing(work, self.late)]
        mendings = [one for one in found if one is not None]
        for mending in mendings:
            self._mend(work, mending)
        return len(mendings)

    def _standing(self, work: WorkingSet, rows: Sequence[Trigger]) -> list[Trigger]:
        """The rows as this batch has them, of those that are as they were found."""
        known = [(work.triggers.rows.get(row.key), row.version) for row in rows]
        return [row for row, version in known if row is not None and row.version == version]

    def _mend(self, work: WorkingSet, mending: Mending) -> None:
        row = mending.trigger
        work.triggers.put(row)
        if mending.words:
            title = f"{row.job}: {row.name}"
            work.announce(row.told_as("watchdog"), title, mending.words, self.now)
