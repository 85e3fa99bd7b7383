"""What is kept of the lines that a task wrote last."""

from __future__ import annotations

from runyard.flow.last_lines import CUT, LINE_END_CHARACTERS, kept, shortened
from runyard.model.outcome import LAST_CHARACTERS_MAX, LAST_LINE_CHARACTERS_MAX, LAST_LINES_KEPT


def test_the_newest_lines_are_kept_oldest_first() -> None:
    assert kept([]) == ()
    assert kept(["c", "b", "a"]) == ("a", "b", "c")
    assert kept(str(n) for n in range(100)) == tuple(
        str(LAST_LINES_KEPT - 1 - n) for n in range(30)
    )


def test_together_they_are_bounded() -> None:
    lines = kept("x" * 1000 for _ in range(50))
    assert {len(line) for line in lines} == {LAST_LINE_CHARACTERS_MAX}
    assert len(lines) == LAST_CHARACTERS_MAX // LAST_LINE_CHARACTERS_MAX


def test_lines_that_fill_what_there_is_room_for_are_all_kept() -> None:
    lines = ["x" * 300] * (LAST_CHARACTERS_MAX // 300)
    assert kept([*lines, "one more"]) == tuple(lines)


def test_begin_and_end_of_a_long_line_stay() -> None:
    assert shortened("x" * LAST_LINE_CHARACTERS_MAX) == "x" * LAST_LINE_CHARACTERS_MAX
    short = shortened("y" * 1000)
    assert (len(short), CUT in short) == (LAST_LINE_CHARACTERS_MAX, True)
    assert short.endswith("y" * LINE_END_CHARACTERS)
    begin, end = shortened("403 " + "word " * 200 + "denied").split(CUT)
    assert begin.startswith("403 word")
    assert end.endswith("word denied")
