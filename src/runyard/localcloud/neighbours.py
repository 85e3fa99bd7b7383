"""What Cloud Run stands beside on this machine: secrets, IAM, Pub/Sub, over the same database."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from runyard.database.port import Database
from runyard.localcloud.iam.directory import Directory
from runyard.localcloud.iam.policies import Policies
from runyard.localcloud.pubsub.service import PubSub
from runyard.localcloud.secrets.keeper import SecretBox
from runyard.localcloud.secrets.keys import Keys
from runyard.localcloud.secrets.reading import SecretReading
from runyard.localcloud.secrets.rotation import Rotator


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The services that jobs need: secrets kept, read and sealed anew; policies; accounts; topics
    and subscriptions."""

    secrets: SecretBox
    reading: SecretReading
    rotator: Rotator
    policies: Policies
    accounts: Directory
    pubsub: PubSub

    @classmethod
    def over(
        cls,
        database: Database,
        keys: Keys,
        clock: Callable[[], datetime],
        chance: Callable[[int], int],
    ) -> Neighbours:
        """The services over `database`."""
        return cls(
            SecretBox(database, keys, clock),
            SecretReading(database, keys, clock),
            Rotator(database, keys),
            Policies(database),
            Directory(database, clock, chance),
            PubSub.over(database, clock),
        )
