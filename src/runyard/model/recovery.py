"""How a run comes back from a failure: what its job declares, and what an attempt is given more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
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
class Hold:
    """After a failure that may pass: the run waits until what stood in its way is gone, at most
    `wait_seconds` at a time, while it has had fewer than `attempts_max` attempts."""

    attempts_max: int
    wait_seconds: float


@dataclass(frozen=True, slots=True)
class Recovery:
    """What a job declares, by class; None: the general rule (`retry`) alone."""

    timeout: Extend | None = None
    memory: Grow | None = None
    network: Hold | None = None
    capacity: Hold | None = None
    permission: Hold | None = None
    application: Hold | None = None

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Self:
        """The recovery that was written as JSON."""
        timeout, memory = data["timeout"], data["memory"]
        holds = ((name, data.get(name)) for name in HOLDS)  # older runs have none
        return cls(
            timeout=None if timeout is None else Extend(**timeout),
            memory=None if memory is None else Grow(**memory),
            **{name: Hold(**found) for name, found in holds if found is not None},
        )

    @property
    def attempts_max(self) -> int:
        """The most attempts that any of it allows; 0 when there is none."""
        declared = (self.timeout, self.memory, *(getattr(self, name) for name in HOLDS))
        return max((each.attempts_max for each in declared if each), default=0)


HOLDS = ("network", "capacity", "permission", "application")  #: what a run may wait for


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


@dataclass(frozen=True, slots=True)
class Awaiting:
    """What a run waits for since an instant, and until when at most. `looks`: how often somebody
    looked whether it is there; `look_at`: when somebody looks next. `words`: what was seen last."""

    since: datetime
    until: datetime
    look_at: datetime
    looks: int = 0
    words: str = ""

    @classmethod
    def of(cls, data: Mapping[str, Any] | None) -> Self | None:
        """What was written as JSON; None of None, which older rows have."""
        if data is None:
            return None
        instants = {name: datetime.fromisoformat(data[name]) for name in _INSTANTS}
        return cls(**{**data, **instants})


_INSTANTS = ("since", "until", "look_at")
