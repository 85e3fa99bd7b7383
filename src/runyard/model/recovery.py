"""How a run comes back from a failure: what its job declares, and what an attempt is given more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Extend:
    """After the timeout of a task: the next attempt may last `factor` times as long, at most
    `max_seconds` a task, while the run has had fewer than `attempts_max` attempts.
    `initial_seconds` is what the job gives a task."""

    attempts_max: int
    factor: float
    max_seconds: float
    initial_seconds: float


@dataclass(frozen=True, slots=True)
class Grow:
    """After a want of memory: the next attempt gets `factor` times as much, at most `max_bytes` a
    task, while the run has had fewer than `attempts_max` attempts."""

    attempts_max: int
    factor: float
    max_bytes: int


@dataclass(frozen=True, slots=True)
class Recovery:
    """What a job declares, by class; None: the general rule (`retry`) alone."""

    timeout: Extend | None = None
    memory: Grow | None = None

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Self:
        """The recovery that was written as JSON."""
        timeout, memory = data["timeout"], data["memory"]
        return cls(
            timeout=None if timeout is None else Extend(**timeout),
            memory=None if memory is None else Grow(**memory),
        )

    @property
    def attempts_max(self) -> int:
        """The most attempts that any of it allows; 0 when there is none."""
        return max((each.attempts_max for each in (self.timeout, self.memory) if each), default=0)


@dataclass(frozen=True, slots=True)
class Scaled:
    """What the attempts of a run get instead of what its job says; None: as the job says.

    For this run only. `timeout_seconds` is per task attempt, `memory_bytes` of one task, over all
    its containers.
    """

    timeout_seconds: float | None = None
    memory_bytes: int | None = None

    @classmethod
    def of(cls, data: Mapping[str, Any] | None) -> Self:
        """What was written as JSON; nothing of None, which older rows have."""
        return cls(**(data or {}))


UNSCALED = Scaled()
