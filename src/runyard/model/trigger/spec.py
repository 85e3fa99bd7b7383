"""Any trigger of a job, and what its triggers are called."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from runyard.model.kinds import Kinds
from runyard.model.trigger.absence import AbsenceSpec
from runyard.model.trigger.chain import ChainSpec
from runyard.model.trigger.event import EventSpec
from runyard.model.trigger.schedule import ScheduleSpec
from runyard.model.trigger.webhook import WebhookSpec

AnyTrigger = ScheduleSpec | EventSpec | WebhookSpec | ChainSpec | AbsenceSpec
#: Each kind by the key that says it.
KINDS: dict[str, type[AnyTrigger]] = {
    "schedule": ScheduleSpec,
    "event": EventSpec,
    "webhook": WebhookSpec,
    "after": ChainSpec,
    "absence": AbsenceSpec,
}
#: What is added here is a trigger in a manifest at once.
TriggerSpec = Annotated[AnyTrigger, Kinds(KINDS, "a trigger")]


def kind_of(trigger: Mapping[str, Any]) -> str:
    """The kind of a trigger as it is written; empty when none of its keys says one."""
    return next((model.kind for key, model in KINDS.items() if key in trigger), "")


def names_of(said: Sequence[str | None], kinds: Sequence[str]) -> list[str]:
    """What triggers are called, in order. One that says no name is called by its kind; the second
    such one `schedule-2`, and so on. What has no kind has no name."""
    counts: Counter[str] = Counter()
    names = []
    for name, kind in zip(said, kinds, strict=True):
        counts[kind] += name is None
        number = f"-{counts[kind]}" if kind and counts[kind] > 1 else ""
        names.append(f"{kind}{number}" if name is None else name)
    return names


def by_name(document: Mapping[str, Any] | None) -> dict[str, Mapping[str, Any]]:
    """The triggers of a job's document as they are written, each by its name; of no job: none."""
    triggers = document.get("triggers", ()) if document else ()
    names = names_of([one.get("name") for one in triggers], [kind_of(one) for one in triggers])
    return dict(zip(names, triggers, strict=True))


def named(triggers: Sequence[TriggerSpec]) -> tuple[tuple[str, TriggerSpec], ...]:
    """Each trigger with its name, in order."""
    names = names_of([one.name for one in triggers], [one.kind for one in triggers])
    return tuple(zip(names, triggers, strict=True))
