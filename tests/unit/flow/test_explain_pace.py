"""How long a run took is held against the job's own history."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest

from runyard.flow.explain_pace import pace
from runyard.model.run import Run, State
from runyard.model.sketch import Sketch
from tests.support.runs import NOW, make_run


def runs(*seconds: float) -> Sketch:
    sketch = Sketch()
    for one in seconds:
        sketch.add(one)
    return sketch


def took(seconds: float, revision: int = 1) -> Run:
    ended = NOW + timedelta(seconds=seconds)
    return make_run(State.SUCCEEDED, started_at=NOW, ended_at=ended, revision=revision)


USUAL = [60.0, 61.0, 62.0, 63.0] * 5
SLOW = [92.0, 93.0, 94.0, 95.0] * 5


@pytest.mark.parametrize(
    ("run", "durations", "told"),
    [
        (make_run(State.RUNNING, started_at=NOW), {1: runs(*USUAL)}, []),
        (make_run(State.SKIPPED, ended_at=NOW), {1: runs(*USUAL)}, []),
        (took(300), {1: runs(60)}, []),
        (took(300), {}, []),
        (took(61), {1: runs(*USUAL)}, []),
        (
            took(300),
            {1: runs(*USUAL)},
            [
                "That is long for report: half of 20 runs that succeeded took at most 1 min 2 s, "
                "and 95% at most 1 min 3 s."
            ],
        ),
        (took(61, 1), {1: runs(*USUAL), 2: runs(*SLOW)}, []),
        (
            took(94, 3),
            {1: runs(*USUAL), 2: runs(*SLOW)},
            [
                "Runs of report take longer since revision 2: half of them took at most 1 min 34 s "
                "(20 runs), and 1 min 2 s before (20 runs)."
            ],
        ),
        (
            took(61, 2),
            {1: runs(*USUAL * 5), 2: runs(*USUAL * 5, *[600.0] * 30)},
            [
                "Runs of report take longer since revision 2: 95% of them took at most 10 min "
                "(130 runs), and 1 min 3 s before (100 runs)."
            ],
        ),
    ],
)
def test_what_is_unusual_is_told(
    run: Run, durations: dict[int, Sketch], told: Sequence[str]
) -> None:
    assert pace(run, durations) == told
