"""What a run's own end is as a CLI exit status. Beside `codes`, which every command needs."""

from __future__ import annotations

from runyard.model.run import State

RUN_EXIT_STATUS: dict[State, int] = {
    State.SUCCEEDED: 0,
    State.DEAD: 1,
    State.CANCELLED: 3,
    State.SKIPPED: 4,
}
