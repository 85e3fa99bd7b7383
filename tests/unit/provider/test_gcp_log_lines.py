"""Entries of Cloud Logging as lines, and positions in a log."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from runyard.api.queries import POSITION_MAX
from runyard.model.instants import from_micros
from runyard.provider.gcp.log_lines import (
    EARLY,
    LINE_BITS,
    Question,
    filter_of,
    instant,
    lines,
    newest_first,
    start_of,
    told,
)
from tests.support.google_logs import NAME, an_entry
from tests.support.google_stand_in import START

ASKED = Question(NAME, START)
DAY = int(EARLY / timedelta(milliseconds=1)) << LINE_BITS  #: the position of `START`


def test_lines_have_their_task_their_stream_and_their_severity() -> None:
    entries = [
        an_entry("out", 0, severity="INFO"),
        an_entry("bad", 1, task=3, attempt=2, log="run.googleapis.com%2Fstderr"),
        an_entry("Container called exit(1).", 2, log="run.googleapis.com%2Fvarlog%2Fsystem"),
        an_entry("by a library", 3, log="my-logger", labels=None),
        an_entry("who did it", 4, log="cloudaudit.googleapis.com%2Fsystem_event"),
    ]
    found, last = lines(ASKED, entries, 0, 0)
    assert [(one.text, one.task, one.attempt, one.stream, one.severity) for one in found] == [
        ("out", 0, 0, "stdout", "INFO"),
        ("bad", 3, 2, "stderr", "DEFAULT"),
        ("Container called exit(1).", 0, 0, "system", "DEFAULT"),
        ("by a library", 0, 0, "stdout", "DEFAULT"),
    ]
    assert [one.at for one in found] == [START + timedelta(seconds=n) for n in range(4)]
    assert [one.position for one in found] == [DAY + (1000 * n << LINE_BITS) + 1 for n in range(4)]
    assert last == found[-1].position


@pytest.mark.parametrize(
    ("payload", "text", "fields"),
    [
        ({"message": "low", "disk": "sda"}, "low", {"disk": "sda"}),
        ({"message": "low"}, "low", {}),
        ({"message": "one\ntwo"}, "one\ntwo", {}),
        ({"user": "ada", "n": 1}, '{"user":"ada","n":1}', {"user": "ada", "n": 1}),
        ({"message": 7}, '{"message":7}', {"message": 7}),
    ],
)
def test_a_structured_line_is_its_message_and_fields(
    payload: Any, text: str, fields: dict[str, Any]
) -> None:
    ((line,), _) = lines(ASKED, [an_entry("", jsonPayload=payload)], 0, 0)
    assert (line.text, line.fields) == (text, fields)


def test_a_text_of_several_lines_is_so_many_lines() -> None:
    (first, second, third), _ = lines(ASKED, [an_entry("a\n b\nc\n", 0)], 0, 0)
    assert [first.text, second.text, third.text] == ["a", " b", "c"]
    assert first.fields is None
    assert third.position == second.position + 1 == first.position + 2
    (rest,), _ = lines(
        ASKED, [an_entry("a\n b\nc\n", 0)], start_of(second.position), second.position
    )
    assert rest == third
    assert [line.text for line in newest_first([an_entry("d"), an_entry("a\nb")])] == [
        "d",
        "b",
        "a",
    ]


def test_reading_on_from_any_line_goes_on_with_the_next() -> None:
    same = [an_entry(f"{n:02}", 5, insert_id=f"{n:02}") for n in range(10)]
    entries = [an_entry("first", 4), *same, an_entry("last", 5.001)]
    every, _ = lines(ASKED, entries, 0, 0)
    assert len({one.position for one in every}) == len(every) == 12
    for number, line in enumerate(every):
        there = [one for one in entries if instant(one) >= START + timedelta(seconds=4)]
        counted = start_of(line.position)
        since = [one for one in there if _position(one) > counted]
        assert lines(ASKED, since, counted, line.position)[0] == every[number + 1 :]


def _position(entry: Any) -> int:
    return lines(ASKED, [entry], 0, 0)[0][0].position


def test_an_entry_that_is_told_twice_is_one() -> None:
    twice = an_entry("once", 1)
    found, _ = lines(ASKED, [twice, twice, an_entry("once", 2)], 0, 0)
    assert [one.text for one in found] == ["once", "once"]
    assert found[0].at != found[1].at


def test_positions_never_fall_and_fit() -> None:
    times = ("2026-02-01T00:00:00Z", "2099-01-01T00:00:00Z", "2026-03-01T12:00:00Z", "nonsense")
    entries = [an_entry(text, timestamp=text) for text in times]
    positions = [one.position for one in lines(ASKED, entries, 0, 0)[0]]
    assert positions == sorted(set(positions))
    assert positions[-1] < POSITION_MAX


@pytest.mark.parametrize(
    ("text", "micros"),
    [
        ("2026-03-01T12:00:00Z", 0),
        ("2026-03-01T12:00:00.5Z", 500_000),
        ("2026-03-01T12:00:00.000123789Z", 123),
        ("2026-03-01T13:00:00+01:00", 0),
        ("2026-03-01T12:00:00.oddZ", 0),
    ],
)
def test_instants_have_microseconds(text: str, micros: int) -> None:
    assert instant(an_entry("", timestamp=text)) == START + timedelta(microseconds=micros)


def test_an_instant_that_is_none_is_the_oldest() -> None:
    assert instant({}) == from_micros(0)


def test_a_filter_asks_for_one_execution_from_an_instant_on() -> None:
    assert ASKED.google_project == "shop-prod"
    assert filter_of(ASKED, 0, None) == (
        'resource.type="cloud_run_job" AND '
        'labels."run.googleapis.com/execution_name"="report-00001" AND '
        'timestamp>="2026-02-28T12:00:00Z"'
    )
    task = Question(NAME, START, 7)
    position = DAY + (1500 << LINE_BITS) + 3
    assert told(position) == 3
    assert filter_of(task, position, START + timedelta(seconds=2)).endswith(
        ' AND timestamp>="2026-03-01T12:00:01.500000Z" AND '
        'labels."run.googleapis.com/task_index"="7" AND timestamp<"2026-03-01T12:00:02Z"'
    )
