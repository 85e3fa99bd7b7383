"""What is promised of what people do about incidents: it is done once for each key, whoever dies,
and never without its fact in the timeline, nor the fact without it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from random import Random
from zoneinfo import ZoneInfo

from runyard.database.port import Database, Tx
from runyard.gate.door import Gate
from runyard.gate.remedying import Remedy, Wanted
from runyard.gate.replaying import BeginReplay, NewId
from runyard.model.alert import IncidentId
from runyard.model.dead_letter import Replay, ReplayHow, ReplayId
from runyard.model.errors import CallerError
from runyard.model.ids import RunId
from runyard.model.incident import Remedied, RemedyAction
from runyard.model.principal import Caller
from runyard.store.memory import Store
from tests.simulation.rows import Groups, Rows

MENDER = Caller("mender", ())
REMEDIED = "SELECT incident_id, sequence, data FROM incident_history WHERE kind = 'remedied'"


class RemedyPromises:
    """Knows what was answered, and every fact that there ever was."""

    def __init__(self) -> None:
        self._answered: dict[tuple[IncidentId, str], Remedied] = {}
        self._replays: set[str] = set()
        self._rows = Rows[IncidentId, list[Remedied]](REMEDIED)

    async def check(self, database: Database, store: Store, replays: Iterable[Replay]) -> None:
        """After every step; these are the replays that there are."""

        async def work(tx: Tx) -> dict[IncidentId, list[Remedied]]:
            async def made(changed: Groups[IncidentId]) -> dict[IncidentId, list[Remedied]]:
                return {one: await store.alerts.remedies(tx, one) for one in changed}

            return await self._rows.look(tx, made)

        found = await database.read(work)
        for incident, facts in found.items():
            keys = Counter(one.key for one in facts if one.key)
            assert all(count == 1 for count in keys.values()), f"{incident}: done twice: {keys}"
            self._replays |= {one.replay for one in facts}
        for (where, key), fact in self._answered.items():
            assert where not in found or fact in found[where], f"{key} was lost"
        mine = {row.id for row in replays if row.by == MENDER.name}
        assert mine <= self._replays, f"done without a fact: {mine - self._replays}"

    def forget(self) -> None:
        """The next look is at everything anew."""
        self._rows.forget()

    async def mend(
        self,
        random: Random,
        gate: Gate,
        now: datetime,
        new_id: NewId,
        incidents: Sequence[IncidentId],
        letters: Sequence[RunId],
    ) -> None:
        """Somebody has some dead runs replayed, about an incident; perhaps not for the first
        time."""
        if not incidents or not letters:
            return
        incident, key = random.choice(incidents), random.choice(["", "a", "b"])
        wanted = Wanted(incident, RemedyAction.REPLAY, MENDER, "", key)
        chosen = random.sample(letters, k=min(len(letters), 3))
        identity = ReplayId(str(new_id()).replace("run_", "rp_"))
        row = Replay(identity, "local", "some", ReplayHow(), MENDER.name, now, 0)

        def told(begun: Replay) -> Remedied:
            return Remedied(MENDER.name, RemedyAction.REPLAY, "some", key=key, replay=begun.id)

        command = BeginReplay(MENDER, row, chosen, now)
        try:
            done = await gate.ask(Remedy(wanted, command, told, now, ZoneInfo))
        except CallerError:
            return  # none of them is open any more, or the incident was forgotten
        assert done.fact is not None
        if key:
            before = self._answered.setdefault((incident, key), done.fact)
            assert before == done.fact, f"two answers for {key}"
