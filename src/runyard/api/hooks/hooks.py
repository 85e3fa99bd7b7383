"""What a process remembers of webhooks between their calls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from runyard.api.hooks.doubts import Doubts
from runyard.api.hooks.proofs import Proofs
from runyard.api.issuers import Fetch
from runyard.gate.door import Gate
from runyard.provider.port_secrets import SecretKeeper


@dataclass(frozen=True, slots=True)
class Hooks:
    """One per process."""

    proofs: Proofs
    doubts: Doubts

    @classmethod
    def over(
        cls, gate: Gate, secrets: SecretKeeper, clock: Callable[[], datetime], fetch: Fetch
    ) -> Hooks:
        """`fetch` gets a document of an issuer by its URL."""
        return cls(Proofs(secrets, clock, fetch), Doubts(gate))
