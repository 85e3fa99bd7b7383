"""The end of a log: what each task wrote last, bounded."""

from __future__ import annotations

from pathlib import Path

from runyard.flow.last_lines import CUT
from runyard.localcloud.logging.format import STDERR, STDOUT, SYSTEM, encode
from runyard.localcloud.logging.tail import TAIL_BYTES_MAX, last_lines
from runyard.model.outcome import LAST_CHARACTERS_MAX, LAST_LINE_CHARACTERS_MAX, LAST_LINES_KEPT


def write(path: Path, *entries: tuple[int, int, str, str]) -> Path:
    path.write_bytes(
        b"".join(encode(1, task, attempt, stream, "DEFAULT", text) for task, attempt, stream, text
                 in entries)
    )  # fmt: skip
    return path


def test_each_task_has_the_lines_of_its_last_attempt(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.log",
        (0, 0, STDOUT, "first try"),
        (1, 0, STDOUT, "other"),
        (0, 1, STDERR, "second try"),
        (0, 1, SYSTEM, "the machine"),
        (2, 0, STDOUT, "nobody asked"),
    )
    assert last_lines(path, {0: 1, 1: 0}) == {0: ("second try",), 1: ("other",)}


def test_a_file_that_is_not_there_has_no_lines(tmp_path: Path) -> None:
    assert last_lines(tmp_path / "none.log", {0: 0}) == {0: ()}


def test_lines_and_characters_are_bounded(tmp_path: Path) -> None:
    path = write(tmp_path / "a.log", *((0, 0, STDOUT, str(n)) for n in range(100)))
    assert last_lines(path, {0: 0})[0] == tuple(str(n) for n in range(100 - LAST_LINES_KEPT, 100))
    path = write(tmp_path / "b.log", *((0, 0, STDOUT, "x" * 1000) for _ in range(50)))
    lines = last_lines(path, {0: 0})[0]
    assert {len(line) for line in lines} == {LAST_LINE_CHARACTERS_MAX}
    assert sum(map(len, lines)) > LAST_CHARACTERS_MAX - LAST_LINE_CHARACTERS_MAX
    assert sum(map(len, lines)) <= LAST_CHARACTERS_MAX


def test_a_line_that_is_too_long_keeps_begin_and_end_and_no_half_of_a_number(
    tmp_path: Path,
) -> None:
    line = "403 POST " + " ".join(str(number) for number in range(1000, 1200)) + " denied: no role"
    path = write(tmp_path / "a.log", (0, 0, STDOUT, line))
    (kept,) = last_lines(path, {0: 0})[0]
    begin, end = kept.split(CUT)
    assert begin.startswith("403 POST 1000 1001 ")
    assert end.endswith(" 1199 denied: no role")
    assert LAST_LINE_CHARACTERS_MAX - 10 < len(kept) <= LAST_LINE_CHARACTERS_MAX
    assert {len(word) for word in (begin + end).split() if word.isdecimal()} == {3, 4}
    assert {begin.split()[-1], end.split()[0]} <= set(line.split())
    as_it_may_be = "x" * LAST_LINE_CHARACTERS_MAX
    path = write(tmp_path / "b.log", (0, 0, STDOUT, as_it_may_be))
    assert last_lines(path, {0: 0})[0] == (as_it_may_be,)


def test_only_the_end_of_a_long_log_is_read(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.log", (0, 0, STDOUT, "far up"), (1, 0, STDOUT, "x" * TAIL_BYTES_MAX),
        (2, 0, STDOUT, "last"),
    )  # fmt: skip
    assert last_lines(path, {0: 0, 2: 0}) == {0: (), 2: ("last",)}
