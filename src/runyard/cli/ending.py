"""The end of runs: waiting for it in silence, and the exit status that says what it was."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from runyard.cli import follow
from runyard.cli.connect import connect
from runyard.cli.surroundings import pause
from runyard.model.run import State
from runyard.model.run_statuses import RUN_EXIT_STATUS

Document = dict[str, Any]


def until_final(identity: str) -> Document:
    """Waits in silence for one run; the run as it ended."""
    for event in follow.events(connect, identity, pause, log=False):
        if event.kind == "end":
            return event.data
    raise AssertionError("a stream of events ends with `end`")


def outcome_status(ended: Sequence[Document]) -> int:
    """0 when all succeeded, else the status of the worst end, in the order of RUN_EXIT_STATUS."""
    states = {State(run["state"]) for run in ended}
    return next(
        (status for state, status in RUN_EXIT_STATUS.items() if status and state in states), 0
    )
