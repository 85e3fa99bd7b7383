"""A log is read as it grows, and only what somebody wants of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from runyard.localcloud.logging.format import STDOUT, encode_block
from runyard.localcloud.logging.sifting import sift
from runyard.localcloud.logging.wanted import Matcher, Wanted

OWN = Matcher(Wanted(has="metric"))
LOST = Matcher(Wanted(text="lost"))
BAD = Matcher(Wanted(severities=("ERROR", "CRITICAL")))
EITHER_CASE = Matcher(Wanted(pattern="(?i)LOST$"))
NUMBER = Matcher(Wanted(pattern="^[0-9]+ "))  # no plain text in it: each line is looked at

LINES = b"""\
fine
order 7 lost
{"metric": "rows", "value": 3}
12 orders lost
{"message": "it is lost", "severity": "ERROR"}
{"message": "the word metric: no field", "severity": "DEBUG"}
"""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "log"
    path.write_bytes(encode_block(1_000_000, 0, 0, STDOUT, LINES))
    return path


def test_each_line_tells_who_wants_it(log: Path) -> None:
    found = sift(log, 0, [OWN, LOST, BAD])
    assert [(entry.text, wanted) for entry, wanted in found.found] == [
        ("order 7 lost", (1,)),
        ('{"metric": "rows", "value": 3}', (0,)),
        ("12 orders lost", (1,)),
        ("it is lost", (1, 2)),
    ]
    assert (found.after, found.complete) == (log.stat().st_size, True)
    small = sift(log, 0, [EITHER_CASE, BAD])
    assert [wanted for _, wanted in small.found] == [(0,), (0,), (0, 1)]
    every = sift(log, 0, [LOST, NUMBER])
    assert [wanted for _, wanted in every.found] == [(0,), (0, 1), (0,)]


def test_it_is_read_on_where_it_was_left(log: Path) -> None:
    first = sift(log, 0, [LOST], lines_max=1)
    assert ([entry.text for entry, _ in first.found], first.complete) == (["order 7 lost"], False)
    assert first.found[0][0].position == first.after
    second = sift(log, first.after, [LOST])
    assert [entry.text for entry, _ in second.found] == ["12 orders lost", "it is lost"]
    again = sift(log, second.after, [LOST])
    assert (again.found, again.after, again.complete) == ((), second.after, True)


def test_a_line_that_still_grows_is_read_later(log: Path) -> None:
    whole = log.read_bytes()
    log.write_bytes(whole[:-1])
    found = sift(log, 0, [Matcher(Wanted(text="no field"))])
    assert (found.found, found.after) == ((), whole.rfind(b"\n", 0, -1) + 1)
    assert found.complete
    grown = sift(log, found.after, [LOST])
    assert (grown.after, grown.complete) == (found.after, True)
    log.write_bytes(whole)
    assert len(sift(log, found.after, [Matcher(Wanted(text="no field"))]).found) == 1


def test_what_is_no_line_is_skipped(log: Path) -> None:
    with log.open("ab") as file:
        file.write(b"a torn line that is lost\n")
    assert len(sift(log, 0, [LOST]).found) == 3
    short = sift(log, 0, [LOST], bytes_max=10)
    assert (short.after, short.complete) == (10, False)


def test_a_file_that_is_gone_is_an_empty_one(tmp_path: Path) -> None:
    found = sift(tmp_path / "gone", 7, [LOST])
    assert (found.found, found.after, found.complete) == ((), 7, True)
