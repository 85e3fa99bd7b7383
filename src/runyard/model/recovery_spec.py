"""How a job declares its ways back from failures, in the manifest."""

from __future__ import annotations

from typing import Annotated

from runyard.model.beside import ATTEMPTS_MAX
from runyard.model.durations import seconds_of
from runyard.model.forms import Between, Lasting, MemoryAmount
from runyard.model.quantities import memory_bytes_of
from runyard.model.recovery import Extend, Grow, Recovery
from runyard.model.strict import Strict

FACTOR_MAX = 10
#: https://cloud.google.com/run/quotas: a task of a job may last 168 hours
TIMEOUT_SECONDS_MAX = 168 * 3600


class TimeoutRecoverySpec(Strict):
    """After the timeout of a task: the next attempt may last longer, up to `max`. `attempts` bounds
    the run's attempts when the last one ended so."""

    attempts: Annotated[int, Between(2, ATTEMPTS_MAX)] = 3
    factor: Annotated[float, Between(1, FACTOR_MAX)] = 2.0
    max: Annotated[str, Lasting(1, TIMEOUT_SECONDS_MAX, "168h")]

    def policy(self, timeout_seconds: float) -> Extend:
        """As a run keeps it."""
        return Extend(self.attempts, self.factor, seconds_of(self.max), timeout_seconds)


class MemoryRecoverySpec(Strict):
    """After a want of memory: the next attempt gets more, up to `max` a task, with the CPUs that
    Cloud Run asks for it. `attempts` bounds the run's attempts when the last one ended so."""

    attempts: Annotated[int, Between(2, ATTEMPTS_MAX)] = 3
    factor: Annotated[float, Between(1, FACTOR_MAX)] = 2.0
    max: Annotated[str, MemoryAmount()]

    def policy(self) -> Grow:
        """As a run keeps it."""
        return Grow(self.attempts, self.factor, memory_bytes_of(self.max))


class RecoverySpec(Strict):
    """Ways back by the class of a failure. What is not declared goes by `retry` alone."""

    timeout: TimeoutRecoverySpec | None = None
    memory: MemoryRecoverySpec | None = None

    def policy(self, timeout_seconds: float) -> Recovery:
        """As a run keeps it; `timeout_seconds` is what the job gives a task."""
        timeout, memory = self.timeout, self.memory
        return Recovery(
            timeout=None if timeout is None else timeout.policy(timeout_seconds),
            memory=None if memory is None else memory.policy(),
        )
