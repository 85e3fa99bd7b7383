"""How a job declares its ways back from failures, in the manifest."""

from __future__ import annotations

from typing import Annotated

from runyard.model.beside import ATTEMPTS_MAX
from runyard.model.durations import seconds_of
from runyard.model.forms import Between, Lasting, MemoryAmount
from runyard.model.quantities import memory_bytes_of
from runyard.model.recovery import HOLDS, Extend, Grow, Hold, Recovery
from runyard.model.strict import Strict

FACTOR_MAX = 10
#: https://cloud.google.com/run/quotas: a task of a job may last 168 hours
TIMEOUT_SECONDS_MAX = 168 * 3600
WAIT_SECONDS_MAX = 168 * 3600  #: a week: whoever has to mend something has been at work once


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


class _HoldSpec(Strict):
    attempts: Annotated[int, Between(2, ATTEMPTS_MAX)] = 5
    wait: Annotated[str, Lasting(1, WAIT_SECONDS_MAX, "168h")]

    def policy(self) -> Hold:
        """As a run keeps it."""
        return Hold(self.attempts, seconds_of(self.wait))


class NetworkRecoverySpec(_HoldSpec):
    """After a failure of the network: the run waits until all of `needs.egress` can be reached, at
    most for `wait`. `attempts` bounds the run's attempts when the last one ended so."""

    wait: Annotated[str, Lasting(1, WAIT_SECONDS_MAX, "168h")] = "15m"


class CapacityRecoverySpec(_HoldSpec):
    """After a want of room or quota: the run waits until its region has room, with growing pauses,
    at most for `wait`. `attempts` bounds the run's attempts when the last one ended so."""

    wait: Annotated[str, Lasting(1, WAIT_SECONDS_MAX, "168h")] = "1h"


class PermissionRecoverySpec(_HoldSpec):
    """After a refusal: the run waits until its identity may do what the job says it needs, at most
    for `wait`. `attempts` bounds the run's attempts when the last one ended so."""

    wait: Annotated[str, Lasting(1, WAIT_SECONDS_MAX, "168h")] = "4h"


class ApplicationRecoverySpec(_HoldSpec):
    """After a failure of the program itself: the run waits for a newer revision of its job, or for
    somebody who says so, at most for `wait`; the next attempt is of that revision."""

    wait: Annotated[str, Lasting(1, WAIT_SECONDS_MAX, "168h")] = "48h"


class RecoverySpec(Strict):
    """Ways back by the class of a failure. What is not declared goes by `retry` alone."""

    timeout: TimeoutRecoverySpec | None = None
    memory: MemoryRecoverySpec | None = None
    network: NetworkRecoverySpec | None = None
    capacity: CapacityRecoverySpec | None = None
    permission: PermissionRecoverySpec | None = None
    application: ApplicationRecoverySpec | None = None

    def policy(self, timeout_seconds: float) -> Recovery:
        """As a run keeps it; `timeout_seconds` is what the job gives a task."""
        timeout, memory = self.timeout, self.memory
        holds = {name: getattr(self, name) for name in HOLDS}
        return Recovery(
            timeout=None if timeout is None else timeout.policy(timeout_seconds),
            memory=None if memory is None else memory.policy(),
            **{name: None if spec is None else spec.policy() for name, spec in holds.items()},
        )
