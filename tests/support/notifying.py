"""What carries out what alerts want done, for tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from runyard.channel.port import Channel, Voices
from runyard.database.port import Database
from runyard.engine.carrier import Carrier
from runyard.engine.launching import Orders
from runyard.engine.notifying import Notifier
from runyard.gate.door import Gate
from runyard.model.effect import Alert, Notify, Pending
from runyard.store.memory import Store
from tests.support.channels import KeptVoices
from tests.support.fake_provider import KeptNotices


@dataclass(slots=True)
class RunHands:
    """Carries out what runs want done, and what alerts do."""

    runs: Carrier
    alerts: Notifier

    async def carry(self, pending: Pending) -> None:
        """See `Hands.carry`."""
        if isinstance(pending.effect, Alert | Notify):
            await self.alerts.carry(pending, pending.effect)
        else:
            await self.runs.carry(pending)


@dataclass(slots=True)
class Ears:
    """Who is told, and what they heard."""

    log: KeptNotices = field(default_factory=KeptNotices)
    voices: KeptVoices = field(default_factory=KeptVoices)


def make_notifier(
    gate: Gate,
    database: Database,
    store: Store,
    clock: Callable[[], datetime],
    log: Channel | None = None,
    voices: Voices | None = None,
) -> Notifier:
    """A notifier over a gate."""
    return Notifier(
        gate,
        database,
        store,
        Orders(database, store),
        log or KeptNotices(),
        voices or KeptVoices(),
        clock,
        ZoneInfo,
    )
