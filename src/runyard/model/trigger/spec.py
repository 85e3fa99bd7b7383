"""Any trigger of a job, and what its triggers are called."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Annotated

from runyard.model.kinds import Kinds
from runyard.model.trigger.schedule import ScheduleSpec

#: A kind is told by the key that says it. What is added here is a trigger in a manifest at once.
TriggerSpec = Annotated[ScheduleSpec, Kinds({"schedule": ScheduleSpec}, "a trigger")]


def named(triggers: Sequence[TriggerSpec]) -> tuple[tuple[str, TriggerSpec], ...]:
    """Each trigger with its name, in order. One without a name is called by its kind; the second
    such one `schedule-2`, and so on."""
    counts: Counter[str] = Counter()
    found = []
    for one in triggers:
        if one.name is not None:
            found.append((one.name, one))
            continue
        counts[one.kind] += 1
        number = counts[one.kind]
        found.append((one.kind if number == 1 else f"{one.kind}-{number}", one))
    return tuple(found)
