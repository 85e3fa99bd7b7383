"""Places in what a trigger is told: `body.pull_request.head.sha`, `headers.x-github-event`.

A place begins with the part it is in. In a list a step is a number from 0; the names of headers
are in lower case, however they were sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator

from runyard.model.forms import Shaped

#: What is told in parts: the content, and what stands beside it (of requests, of messages).
BODY, HEADERS, ATTRIBUTES = "body", "headers", "attributes"
MESSAGES = "messages"  #: the place of all that a trigger has gathered
ROOTS = (BODY, HEADERS, ATTRIBUTES)
STEPS_MAX = 20
Told = Mapping[str, Any]  #: what a trigger is told, as plain JSON by root
_POINTER = rf"(?:{BODY}|{HEADERS}\.[^\s.]+|{ATTRIBUTES}\.[^\s.]+)(?:\.[^\s.]+){{0,{STEPS_MAX}}}"
_EXPECTED = f"a place such as {BODY}.repository.full_name or {HEADERS}.x-github-event"


def _lower_headers(value: Any) -> Any:
    is_header = isinstance(value, str) and value.startswith(f"{HEADERS}.")
    return value.lower() if is_header else value


Pointer = Annotated[
    str,
    BeforeValidator(_lower_headers),
    Shaped(_POINTER, _EXPECTED, 1000),
]
#: A pointer, or all that was gathered.
Place = Annotated[
    str, BeforeValidator(_lower_headers), Shaped(f"{MESSAGES}|{_POINTER}", _EXPECTED, 1000)
]


def find(told: Told, pointer: str) -> Any:
    """What stands at `pointer`; None where nothing does, which null is too."""
    here: Any = told
    for step in pointer.split("."):
        if isinstance(here, Mapping):
            here = here.get(step)
        elif isinstance(here, list) and step.isascii() and step.isdecimal() and len(step) < 10:
            here = here[int(step)] if int(step) < len(here) else None
        else:
            return None
    return here
