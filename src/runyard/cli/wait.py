"""Following runs to their end, and the exit status that says how they ended."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from runyard.cli import display, follow_many, output
from runyard.cli.connect import connect
from runyard.cli.surroundings import pause
from runyard.model.codes import RUN_EXIT_STATUS, exit_status
from runyard.model.errors import Code
from runyard.model.run import State

Document = dict[str, Any]


def follow(runs: Sequence[Document], *, log: bool, as_json: bool) -> int:
    """Shows `runs` until all are final and returns the exit status. Ctrl-C leaves them running."""
    shown = display.chosen(runs, as_json=as_json)
    ended: list[Document] = []
    identities = [run["id"] for run in runs]
    try:
        for place, event in follow_many.events_of(connect, identities, pause, log=log):
            shown.show(place, event)
            if event.kind == "end":
                ended.append(event.data)
    except KeyboardInterrupt:
        shown.close()
        _detached(identities)
        return exit_status(Code.CANCELLED)
    finally:
        shown.close()
    return outcome_status(ended)


def until_final(identity: str) -> Document:
    """Waits in silence for one run; the run as it ended."""
    for _, event in follow_many.events_of(connect, [identity], pause, log=False):
        if event.kind == "end":
            return event.data
    raise AssertionError("a stream of events ends with `end`")


def outcome_status(ended: Sequence[Document]) -> int:
    """0 when all succeeded, else the status of the worst end, in the order of RUN_EXIT_STATUS."""
    states = {State(run["state"]) for run in ended}
    return next(
        (status for state, status in RUN_EXIT_STATUS.items() if status and state in states), 0
    )


def _detached(identities: Sequence[str]) -> None:
    for identity in identities:
        output.note(
            f"no longer following {identity}, which goes on; stop it with "
            f"`runyard cancel {identity}`, follow it again with `runyard logs -f {identity}`"
        )
