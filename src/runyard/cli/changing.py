"""Carrying a change through: asked for, confirmed, shown step by step, and what it came to."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import Any

from runyard.cli import output
from runyard.cli.client import Client, segment
from runyard.cli.connect import connect
from runyard.cli.output import printable
from runyard.cli.sse import Event
from runyard.cli.surroundings import pause
from runyard.model.errors import PlatformError, Refused, ServerUnavailable

Document = dict[str, Any]
PATIENCE_SECONDS = 120.0  #: how long a server may stay away, for instance while it is upgraded
_FIRST_PAUSE_SECONDS = 0.1
_PAUSE_SECONDS_MAX = 2.0
_SHOWN = frozenset({"done", "failed", "undone", "stuck"})


def path(operation: str) -> str:
    """Where an operation is in the API."""
    return f"/operations/{segment(operation)}"


def carried_through(client: Client, operation: Document | None, *, yes: bool) -> Document | None:
    """The operation at its end; None of None.

    What is unsafe about it is confirmed by `yes`, or by a person who is asked. Raises Refused when
    it was undone, is stuck, or was not confirmed.
    """
    if operation is None:
        return None
    if operation["state"] == "waiting" and operation["unsafe"] and not operation["confirmed_by"]:
        operation = _confirmed(client, operation, yes=yes)
    if operation["state"] == "waiting":
        output.note(waiting_words(operation))
    ended = followed(operation)
    check(ended)
    return ended


def waiting_words(operation: Mapping[str, Any]) -> str:
    """What an operation waits for, and how it gets it."""
    count = operation["approvals_missing"]
    people = "another person" if count == 1 else f"{count} other people"
    return (
        f"{operation['id']} waits until {people} approved it: "
        f"`runyard operations approve {operation['id']}`"
    )


def check(operation: Mapping[str, Any]) -> None:
    """Raises Refused unless the operation is complete."""
    state, identity = operation["state"], operation["id"]
    if state == "undone":
        raise Refused(
            f"nothing was changed, {identity} was undone: {operation['error']}",
            hint=operation["hint"] or f"`runyard operations get {identity}` shows its steps",
        )
    if state == "stuck":
        raise Refused(
            f"{identity} could not be undone: {operation['trouble']}",
            hint=f"mend that, then `runyard operations resume {identity}`",
        )


def _confirmed(client: Client, operation: Document, *, yes: bool) -> Document:
    for sentence in operation["unsafe"]:
        output.note(f"unsafe: {printable(sentence)}")
    agreed = yes or (sys.stdin.isatty() and _asked())
    verb = "approve" if agreed else "refuse"
    said: Document = client.post(f"{path(operation['id'])}:{verb}", {})
    if not agreed:
        raise Refused(
            "nothing was changed: what is unsafe was not confirmed",
            hint="look at the sentences above, then use --yes",
        )
    return said


def _asked() -> bool:
    output.note("go on? [y/N]")
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def followed(operation: Document) -> Document:
    """The operation once it is at rest; each step is told on a terminal as it is done.

    Ctrl-C stops the following, not the operation.
    """
    shown: set[tuple[int, str]] = set()
    live = sys.stderr.isatty()
    try:
        for event in events(operation["id"]):
            operation = event.data
            if live:
                _tell(operation, shown)
    except KeyboardInterrupt:
        output.note(
            f"no longer following {operation['id']}, which goes on; "
            f"`runyard operations watch {operation['id']}` follows it again"
        )
        raise
    return operation


def _tell(operation: Document, shown: set[tuple[int, str]]) -> None:
    for step in operation["steps"]:
        news = (step["number"], step["state"])
        if step["state"] in _SHOWN and news not in shown:
            shown.add(news)
            output.note(step_line(step))


def step_line(step: Mapping[str, Any]) -> str:
    """One step as a line."""
    where = f" in {step['region']}" if step["region"] else ""
    words = f": {step['message']}" if step["message"] else ""
    return printable(f"{step['state']:8} {step['kind']} of {step['job']}{where}{words}")


def events(operation: str) -> Iterator[Event]:
    """The events of an operation up to its rest, over connections that may break."""
    last_id, waited, delay = "", 0.0, _FIRST_PAUSE_SECONDS
    while True:
        trouble: PlatformError = ServerUnavailable("the stream of events broke off")
        try:
            for event in connect().stream(f"{path(operation)}/events", {}, last_id):
                last_id, waited, delay = event.id or last_id, 0.0, _FIRST_PAUSE_SECONDS
                yield event
                if event.kind == "end":
                    return
        except PlatformError as error:
            if not error.transient:
                raise
            trouble = error
        if waited >= PATIENCE_SECONDS:
            raise trouble
        pause(delay)
        waited, delay = waited + delay, min(delay * 2, _PAUSE_SECONDS_MAX)
