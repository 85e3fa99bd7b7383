"""What differs between two JSON documents, field by field. Pure.

Order counts where it has a meaning (args, command, regions, containers) and nowhere else: variables
are matched by name, volumes by name, mounts by path, and lists that are sets by their values.
The documents are canonical ones (`JobSpec.document()`): what is at its default is not in them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from runyard.model.validation import dotted

Json = Any  #: what JSON can hold; None stands for nothing
Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Named:
    """A step into a list: to the item whose `field` is `value`, or (no field) that is `value`."""

    field: str
    value: str


Step = str | int | Named
Steps = tuple[Step, ...]

#: Lists of mappings whose order has no meaning, by the field that tells their items apart.
_KEYED = {
    "env": "name",
    "volumes": "name",
    "volumeMounts": "mountPath",
    "items": "path",
    "buckets": "name",
    "topics": "name",
    "triggers": "name",
    "alerts": "name",
}
#: Lists of texts that are sets.
_SETS = frozenset({"egress", "secrets", "roles", "dependsOn", "instances", "tags", "ignore_drift"})
_PLACED = frozenset({"alerts"})  #: matched by place, where not all of them have a name
_ALIGNED = "containers"  #: matched by name where they are in the same order, else by place
_NOTHING: tuple[Json, ...] = (None, [])


@dataclass(frozen=True, slots=True)
class Difference:
    """One field that is not the same. `before` and `after` are None where there is nothing."""

    steps: Steps
    before: Json
    after: Json

    @property
    def path(self) -> str:
        """The field as people write it: `template.template.containers[0].env[MONTH].value`."""
        return path_text(self.steps)


def path_text(steps: Steps) -> str:
    """`steps` as people write them."""
    text = ""
    for step in steps:
        if isinstance(step, str):
            text += f".{dotted((step,))}" if text else dotted((step,))
        else:
            text += f"[{step.value if isinstance(step, Named) else step}]"
    return text


def covers(pattern: str, path: str) -> bool:
    """True when `pattern` names the field at `path` or something around it."""
    return path == pattern or path.startswith((f"{pattern}.", f"{pattern}["))


def differences(before: Json, after: Json) -> tuple[Difference, ...]:
    """Every field in which `after` is not `before`, in the order of the documents."""
    return tuple(_between((), before, after))


def _between(steps: Steps, before: Json, after: Json) -> Iterator[Difference]:
    if _same(before, after):
        return
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in dict.fromkeys((*before, *after)):
            yield from _between((*steps, key), before.get(key), after.get(key))
    elif (pairs := _pairs(steps, before, after)) is not None:
        for step, one, other in pairs:
            yield from _between((*steps, step), one, other)
    else:
        yield Difference(steps, _some(before), _some(after))


def _same(before: Json, after: Json) -> bool:
    return before == after or (before in _NOTHING and after in _NOTHING)


def _some(value: Json) -> Json:
    return None if value in _NOTHING else value


def _pairs(steps: Steps, before: Json, after: Json) -> list[tuple[Step, Json, Json]] | None:
    """The items of two lists side by side; None when the lists are compared as a whole."""
    lists = tuple([] if one in _NOTHING else one for one in (before, after))
    if not all(isinstance(one, list | tuple) for one in lists) or not steps:
        return None
    field = steps[-1]
    if field in _SETS:
        return _by_name("", *lists)
    if field in _KEYED and all(_are_named(one, _KEYED[str(field)]) for one in lists):
        return _by_name(_KEYED[str(field)], *lists)
    if field in _PLACED:
        return _by_place(*lists)
    if field == _ALIGNED and _are_aligned(*lists):
        return _by_name("name", *lists)
    if field == _ALIGNED and len(lists[0]) - len(lists[1]) <= 1:
        return _by_place(*lists)
    return None


def _by_name(
    field: str, before: Sequence[Json], after: Sequence[Json]
) -> list[tuple[Step, Json, Json]]:
    one = {item[field] if field else item: item for item in before}
    other = {item[field] if field else item: item for item in after}
    names = dict.fromkeys((*one, *other))
    return [(Named(field, str(name)), one.get(name), other.get(name)) for name in names]


def _by_place(before: Sequence[Json], after: Sequence[Json]) -> list[tuple[Step, Json, Json]]:
    count = max(len(before), len(after))
    one, other = ([*items, *[None] * (count - len(items))] for items in (list(before), list(after)))
    return [(place, one[place], other[place]) for place in range(count)]


def _are_named(items: Sequence[Json], field: str) -> bool:
    names = [item.get(field) if isinstance(item, Mapping) else None for item in items]
    return all(names) and len(set(names)) == len(names)


def _are_aligned(before: Sequence[Json], after: Sequence[Json]) -> bool:
    """Named, in the same order, as far as both go: else their order has changed."""
    if not (_are_named(before, "name") and _are_named(after, "name")):
        return False
    return all(one["name"] == other["name"] for one, other in zip(before, after, strict=False))


def with_value(document: Json, steps: Steps, value: Json) -> Json:
    """`document` with `value` at `steps`; None takes away what is there. Changes no argument.

    What is missing on the way is made; an item that is not there yet goes to the end of its list.
    """
    if not steps:
        return value
    first, rest = steps[0], steps[1:]
    if isinstance(first, str):
        entries = dict(document or {})
        new = with_value(entries.get(first), rest, value)
        entries.pop(first, None) if new is None else entries.update({first: new})
        return entries
    items = list(document or [])
    place = first if isinstance(first, int) else _place(items, first)
    old = items[place] if place < len(items) else None
    new = with_value(_begun(old, first) if rest else old, rest, value)
    items[place : place + 1] = [] if new is None else [new]
    return items


def _place(items: Sequence[Json], named: Named) -> int:
    names = [item[named.field] if named.field else item for item in items]
    return names.index(named.value) if named.value in names else len(names)


def _begun(old: Json, step: Step) -> Json:
    if old is None and isinstance(step, Named) and step.field:
        return {step.field: step.value}
    return old
