"""When a trigger asks for runs, in a few words for people; from its document."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from runyard.flow.wording import listed, span
from runyard.model.durations import seconds_of

Document = Mapping[str, Any]


def says(document: Document) -> str:
    """When a trigger asks for runs: `@daily in UTC`, `after orders (succeeded)`. What this version
    does not know has no words."""
    return next((tell(document) for key, tell in _WORDS.items() if key in document), "")


def _schedule(document: Document) -> str:
    return f"{document['schedule']} in {document['timeZone']}"


def _event(document: Document) -> str:
    return f"each message of {_messages(document['event'])}"


def _messages(event: Document) -> str:
    """`orders`, `orders (type sold)`."""
    said = (
        f"{key} {event[key]}" for key in ("type", "source", "subject", "filter") if key in event
    )
    which = ", ".join(said)
    topic: str = event["topic"]
    return f"{topic} ({which})" if which else topic


def _webhook(document: Document) -> str:
    return f"webhook of {document['webhook']['kind']}"


def _after(document: Document) -> str:
    return f"after {_ended(document['after'])}"


def _absence(document: Document) -> str:
    absence = document["absence"]
    length = span(seconds_of(absence["within"]))
    of = absence["of"]
    what = f"message of {_messages(of['event'])}" if "event" in of else f"end of {_ended(of)}"
    return f"{document['do']} when there was no {what} for {length}"


def _ended(source: Document) -> str:
    """`orders (succeeded)`, `all of orders and stock (succeeded)`."""
    for many in ("all", "any"):
        if many in source:
            return f"{many} of {listed(source[many])} ({source['on']})"
    return f"{source['job']} ({source['on']})"


_WORDS: dict[str, Callable[[Document], str]] = {
    "schedule": _schedule,
    "event": _event,
    "webhook": _webhook,
    "after": _after,
    "absence": _absence,
}
