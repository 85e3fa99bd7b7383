"""Pub/Sub as a whole, over one database."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from runyard.database.port import Database
from runyard.database.signals import Signals
from runyard.localcloud.pubsub.administration import Administration
from runyard.localcloud.pubsub.handing import Handing
from runyard.localcloud.pubsub.publishing import Publishing


@dataclass(frozen=True, slots=True)
class PubSub:
    """The parts of it: what there is, the way in, the way out. Projects keep theirs apart."""

    administration: Administration
    publishing: Publishing
    handing: Handing

    @classmethod
    def over(cls, database: Database, clock: Callable[[], datetime]) -> PubSub:
        """Pub/Sub over `database`."""
        signals = Signals()
        publishing = Publishing(database, clock, signals)
        return cls(
            Administration(database, clock, publishing),
            publishing,
            Handing(database, clock, signals, publishing),
        )
