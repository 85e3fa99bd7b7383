"""Where attempts are to be looked for: what their runs say of them, for providers that keep nothing
of their own, and for who has to choose among several."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from runyard.model.environment import Environment
from runyard.model.ids import AttemptKey


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """What the run of an attempt says of where it was sent. `handle` is the provider's name of the
    attempt; empty while nobody knows it."""

    project: str
    environment: str
    region: str
    job: str
    handle: str = ""


#: The whereabouts of attempts; those whose run is not kept are left out.
Trace = Callable[[Sequence[AttemptKey]], Awaitable[Mapping[AttemptKey, Whereabouts]]]
#: What an environment (project, name) is bound to.
Binding = Callable[[str, str], Awaitable[Environment]]
