"""Paths into plain data: `results[0].response.id`, `results.login.response["user id"]`.

Nothing is evaluated: a path is names and numbers, followed through objects and lists.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

Step = str | int

_FIRST = re.compile(r"(results|payload)")
_STEP = re.compile(
    r"""\.([A-Za-z_][\w-]*)|\[(\d{1,9})\]|\[("(?:[^"\\]|\\.)*"|'[^'\\]*')\]""", re.ASCII
)


class PathError(ValueError):
    """A path that cannot be read, or that leads nowhere."""


def read_path(text: str) -> tuple[Step, ...]:
    """The steps of a path. Raises PathError."""
    first = _FIRST.match(text)
    if first is None:
        raise PathError(f"{text!r} does not begin with `results` or `payload`")
    steps: list[Step] = [first[1]]
    position = first.end()
    while position < len(text):
        step = _STEP.match(text, position)
        if step is None:
            raise PathError(f"{text!r} cannot be read from {text[position:]!r} on")
        name, number, quoted = step.groups()
        steps.append(int(number) if number else name or quoted[1:-1])
        position = step.end()
    return tuple(steps)


def follow(steps: Sequence[Step], data: Mapping[str, Any]) -> Any:
    """What `steps` lead to in `data`. Raises PathError, which says where the way ended."""
    found: Any = data
    for position, step in enumerate(steps):
        try:
            found = _step(found, step)
        except (KeyError, IndexError, TypeError):
            before = spell(steps[:position])
            raise PathError(f"{before} has nothing at {step!r}") from None
    return found


def spell(steps: Sequence[Step]) -> str:
    """A path as it is written."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
    return text.removeprefix(".")


def _step(data: Any, step: Step) -> Any:
    by_name = getattr(data, "by_name", None)  # results: a list that knows names too
    if isinstance(step, str) and by_name is not None:
        return by_name[step]
    if isinstance(step, int) != isinstance(data, list):
        raise TypeError
    return data[step]
