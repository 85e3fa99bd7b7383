"""The colours of the diagrams, everywhere the same: what a box means is seen before it is read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum


class Kind(StrEnum):
    """What a box is about."""

    SUCCESS = "success"
    ERROR = "error"
    PROCESS = "process"
    QUESTION = "question"
    WARNING = "warning"


FILLS: Mapping[Kind, str] = {
    Kind.SUCCESS: "#c8e6c9",
    Kind.ERROR: "#ffcdd2",
    Kind.PROCESS: "#e3f2fd",
    Kind.QUESTION: "#e1f5fe",
    Kind.WARNING: "#fff3e0",
}
LEGEND = (
    "Green is success, red an error that somebody should look at, blue work on its way (lighter: a "
    "question), orange a warning: it did not go straight on."
)


def classes(kinds: Iterable[Kind]) -> list[str]:
    """Mermaid's definitions of `kinds`."""
    used = set(kinds)
    return [
        f"    classDef {kind} fill:{fill},stroke:#607d8b,color:#263238"
        for kind, fill in FILLS.items()
        if kind in used
    ]
