"""How many runs start, and how many are out, in each minute of a region."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import accumulate

import pytest

from runyard.flow.schedule.boards import Board, Peak, RegionLoad, boards, load
from runyard.flow.schedule.placing import Look, Pace, Placed

BEGIN = datetime(2026, 11, 26, 20, 30, 17, 500, tzinfo=UTC)
FIRST = int(BEGIN.timestamp()) // 60
MINUTE = timedelta(minutes=1)


def placed(*seconds: int, alone: bool = False, even_a_day: float = 0.0) -> Placed:
    """Starts so many seconds after the first minute begins."""
    starts = [FIRST * 60 + each for each in seconds]
    return Placed(("shop", "a"), "at", ("r",), 7, starts, alone=alone, even_a_day=even_a_day)


@pytest.mark.parametrize(
    ("one", "starts", "out"),
    [
        (placed(), [0, 0, 0, 0], [0, 0, 0, 0]),
        (placed(17), [1, 0, 0, 0], [1, 1, 0, 0]),
        (placed(17, 18), [2, 0, 0, 0], [2, 2, 0, 0]),
        (placed(17, 18, alone=True), [2, 0, 0, 0], [1, 1, 0, 0]),
        (placed(0, 60, alone=True), [1, 1, 0, 0], [1, 1, 1, 0]),
        (placed(0, 120, alone=True), [1, 0, 1, 0], [1, 1, 1, 1]),
        (placed(0, 180), [1, 0, 0, 1], [1, 1, 0, 1]),
        (placed(200, 210, alone=True), [0, 0, 0, 2], [0, 0, 0, 1]),
        (placed(200, 240, 900), [0, 0, 0, 1], [0, 0, 0, 1]),
    ],
)
def test_a_run_is_out_in_each_minute_that_it_touches(
    one: Placed, starts: list[int], out: list[int]
) -> None:
    board = Board(4)
    board.add(one, Pace(60, 0), FIRST)
    assert (board.runs, board.starts) == (7, starts)
    assert list(accumulate(board.typical))[:4] == out
    assert (len(board.typical), len(board.high)) == (5, 5)
    board.add(one, Pace(0, 60), FIRST)
    assert board.runs == 14
    assert board.starts == [2 * each for each in starts]


@pytest.mark.parametrize(
    ("alone", "pace", "typical", "high"),
    [
        (False, Pace(1, 2), 1, 1),  # one every half a minute
        (False, Pace(30, 31), 1, 2),
        (False, Pace(120, 300), 4, 10),
        (True, Pace(120, 300), 1, 1),
    ],
)
def test_what_is_even_is_out_for_as_long_as_it_takes(
    alone: bool, pace: Pace, typical: int, high: int
) -> None:
    board = Board(4)
    for count in (1, 2):
        board.add(placed(alone=alone, even_a_day=2880.0), pace, FIRST)
        even = (board.even_starts, board.even_typical, board.even_high)
        assert even == (2.0 * count, typical * count, high * count)


def test_the_load_of_a_region_is_the_most_there_is_and_when_first() -> None:
    seen = Look(BEGIN, 1, 1)
    last = 24 * 60 - 1
    first = BEGIN.replace(second=0, microsecond=0)
    (name, board), *_ = boards(
        [placed(60, 90, 180, last * 60, last * 60, last * 60)], {("shop", "a"): Pace(0, 60)}, seen
    ).items()
    end = first + last * MINUTE
    assert load(name, board, seen) == RegionLoad("r", 7, Peak(3, end), Peak(3, end), Peak(3, end))
    board.add(placed(60, even_a_day=10.0), Pace(0, 120), FIRST)
    assert load(name, board, seen) == RegionLoad(
        "r", 14, Peak(4, first + MINUTE), Peak(4, first + MINUTE), Peak(4, first + MINUTE)
    )
