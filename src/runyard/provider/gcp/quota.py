"""How often something may be asked: so many at once, and so many a minute on and on. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Allowance:
    """`at_once` may be asked together, `per_minute` in the long run: in no minute more than both
    together."""

    per_minute: float
    at_once: int


class Quota:
    """Counts what is asked. `now` is any clock in seconds that only goes forward."""

    def __init__(self, allowance: Allowance, now: float) -> None:
        self._allowance = allowance
        self._left = float(allowance.at_once)
        self._at = now

    def take(self, now: float, spare: int = 0) -> float:
        """Take one, and give 0; or how many seconds later there is one again. `spare` of them are
        left to others."""
        per_second = self._allowance.per_minute / 60
        if now > self._at:
            gained = (now - self._at) * per_second
            self._left = min(float(self._allowance.at_once), self._left + gained)
            self._at = now
        if self._left >= 1 + spare and now >= self._at:
            self._left -= 1
            return 0.0
        return max(0.0, self._at - now) + max(0.0, 1 + spare - self._left) / per_second

    def exhaust(self, now: float, seconds: float) -> None:
        """There is none, and none is gained for so long."""
        self._left = 0.0
        self._at = now + seconds
