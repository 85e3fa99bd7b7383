"""A yard whose job is watched, and whoever is told."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from runyard.engine.alerts import AlertsLoop
from runyard.gate.alerting import AddSilence
from runyard.gate.environments import ApplyEnvironments
from runyard.model.alert import Alert, Silence, SilenceId
from runyard.model.effect import Alert as Death
from runyard.model.effect import Notify, Pending
from runyard.model.environment import Environment
from runyard.model.errors import ChannelError
from runyard.model.event import Ended
from runyard.model.incident import Incident, Told
from runyard.model.outcome import Ending
from runyard.model.principal import ADMIN, Caller, Grant, Role
from runyard.model.run import Run
from runyard.store.alerts import AlertQuestion
from tests.support.gates import Yard
from tests.support.notifying import Ears, make_notifier
from tests.support.runs import make_outcome, make_spec

ROOT = Caller(ADMIN, (Grant(Role.ADMIN),))
SLACK = {"slack": {"url": {"secret": "url"}}}
DOWN = ChannelError("it is down", hint="look at it")


@dataclass(slots=True)
class Watch:
    """A yard with a job that is watched, and whoever is told."""

    yard: Yard
    ears: Ears = field(default_factory=Ears)
    done: int = 0
    loop: Any = None

    async def begin(self, environment: dict[str, Any] | None = None, **beside: Any) -> None:
        """The job, the environment, a loop that has looked once."""
        spec = make_spec(**beside)
        await self.yard.apply(spec)
        usual = {"channels": {"ops": SLACK, "lead": SLACK}}
        found = Environment.from_document(usual if environment is None else environment)
        apply = ApplyEnvironments(spec.project, {"local": found}, "ann", self.yard.now)
        await self.yard.gate.ask(apply)
        self.loop = AlertsLoop(self.yard.gate, self.yard.database, self.yard.store, ZoneInfo)
        await self.look()

    async def look(self, seconds: float = 1) -> Any:
        """Time passes, then a tick; what it wants told is told."""
        self.yard.later(seconds)
        found = await self.loop.tick(self.yard.now)
        await self.carry()
        return found

    async def run(self, *, dead: bool, tick: bool = True) -> Run:
        """A run that comes to its end."""
        run = await self.yard.request()
        self.yard.later(5)
        ending = Ending.FAILED if dead else Ending.SUCCEEDED
        run = await self.yard.tell(run, Ended(1, make_outcome(ending)))
        await self.carry()
        if tick:
            self.loop.ended([run])
            await self.look()
        return run

    async def carry(self) -> None:
        """Carry out what alerts want done, and what follows from it."""
        yard = self.yard
        notifier = make_notifier(
            yard.gate, yard.database, yard.store, lambda: yard.now, self.ears.log, self.ears.voices
        )
        while self.done < len(yard.committed):
            for pending in yard.committed[self.done].effects:
                if isinstance(pending.effect, Death | Notify):
                    await notifier.carry(pending, pending.effect)
            self.done += 1

    async def again(self, pending: Pending) -> None:
        """Carry one effect out, as the outbox loop does when it is due again."""
        yard = self.yard
        assert isinstance(pending.effect, Notify)
        notifier = make_notifier(
            yard.gate, yard.database, yard.store, lambda: yard.now, self.ears.log, self.ears.voices
        )
        await notifier.carry(pending, pending.effect)
        await self.carry()

    async def alerts(self, state: str = "") -> list[Alert]:
        """All of them, the oldest first."""
        question = AlertQuestion("local", state=state)
        found = await self.yard.database.read(lambda tx: self.yard.store.alerts.page(tx, question))
        return found[::-1]

    async def incidents(self) -> list[Incident]:
        """All of them, the oldest first."""
        port = self.yard.store.alerts
        found = await self.yard.database.read(
            lambda tx: port.incidents_page(tx, AlertQuestion("local"))
        )
        return found[::-1]

    async def kinds(self, incident: Incident) -> list[str]:
        """What its timeline has, deliveries left out."""
        port = self.yard.store.alerts
        facts = await self.yard.database.read(lambda tx: port.history(tx, incident.id))
        return [fact.kind for fact in facts if not isinstance(fact.fact, Told)]

    async def claimed(self) -> list[Pending]:
        """What is left in the outbox for channels, whenever it is due."""
        later = self.yard.now + timedelta(days=1)
        store = self.yard.store
        found = await self.yard.database.write(
            lambda tx: store.outbox.claim(tx, "again", later, later, 100)
        )
        return [one for one in found if isinstance(one.effect, Notify)]

    def heard(self, name: str = "ops") -> list[str]:
        """The kinds of news that a channel was told."""
        return [str(notice.kind) for notice in self.ears.voices.by(name)]


def silence(yard: Yard, **changes: Any) -> AddSilence:
    """A silence of the job, for an hour."""
    usual: dict[str, Any] = {
        "id": SilenceId("sil_1"),
        "environment": "local",
        "job": "report",
        "rule": "",
        "begins_at": yard.now,
        "ends_at": yard.now + timedelta(hours=1),
        "by": "bob",
        "reason": "a move",
    }
    return AddSilence(ROOT, Silence(**usual | changes), yard.now, ZoneInfo)
