"""Following runs to their end, with all that there is to see."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from runyard.cli import display, ending, follow_many, output
from runyard.cli.connect import connect
from runyard.cli.surroundings import pause
from runyard.model.codes import exit_status
from runyard.model.errors import Code

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
    return ending.outcome_status(ended)


def _detached(identities: Sequence[str]) -> None:
    for identity in identities:
        output.note(
            f"no longer following {identity}, which goes on; stop it with "
            f"`runyard cancel {identity}`, follow it again with `runyard logs -f {identity}`"
        )
