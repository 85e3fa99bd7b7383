"""What is asked of Cloud Logging for a search: all that is wanted comes through, and nothing that
was written into a question is taken for a part of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from runyard.localcloud.google.log_filter import parse
from runyard.provider.gcp.log_lines import EXECUTION, TASK, lines_in
from runyard.provider.gcp.log_query import (
    CHARACTERS_MAX,
    TERMS_CHARACTERS_MAX,
    filters_of,
    is_loose,
)
from runyard.provider.gcp.log_wanted import wants
from runyard.provider.gcp.names import ExecutionName
from runyard.provider.port import LogEntry, LogWanted
from tests.support.google_logs import an_entry
from tests.support.google_stand_in import START

PARENT = "projects/shop-prod/locations/us-central1/jobs"
REPORT = ExecutionName(f"{PARENT}/report", "report", "report-00001")
HEAD = 'resource.type="cloud_run_job" AND timestamp>="2026-03-01T12:00:00Z" AND '
MINE = f'labels."{EXECUTION}"=("report-00001")'
WORDS = ("a", "b", "ab", "kis", "K", "\u212a", "i\u0131\u0130", "\u017f", "e\u0301", "\u00e9",
         '"', "\\", ".", "(", "$", "\n", " ", "\U0001f40b", "1", "--")  # fmt: skip
TEXTS = st.lists(st.sampled_from(WORDS), max_size=8).map("".join)
VALUES: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from((1, 1.5, True, None, "ab", "1", "true", "null", [1, "ab"], {"x": "ab"})), TEXTS
)
PAYLOADS = st.dictionaries(st.sampled_from(("message", "n", "u", "u.x", 'm"')), VALUES, max_size=4)
SEVERITIES = ("DEFAULT", "INFO", "ERROR")


@st.composite
def entries(draw: st.DrawFn) -> Mapping[str, Any]:
    how: dict[str, Any] = {"jsonPayload": draw(PAYLOADS)} if draw(st.booleans()) else {}
    if draw(st.booleans()):
        how["severity"] = draw(st.sampled_from(SEVERITIES))
    if draw(st.booleans()):
        how["labels"] = {EXECUTION: "report-00001"}
    seconds = draw(st.integers(0, 3))
    return an_entry(draw(TEXTS), seconds, task=draw(st.integers(0, 1)), insert_id="x", **how)


PIECES = (
    "ab",
    "kis",
    "K",
    "\u00e9",
    r"\.",
    ".",
    r"\w",
    "(ab|kis)",
    "a?",
    "|",
    "ab+",
    r'"',
    r"\\",
    "\n",
)
PATTERNS = st.builds(
    lambda flags, pieces: flags + "".join(pieces),
    st.sampled_from(("", "(?i)", "^")),
    st.lists(st.sampled_from(PIECES), max_size=5),
)
WANTED = st.sampled_from(("text", "pattern", "severities", "task", "fields", "time"))


@settings(max_examples=1_000)
@given(entry=entries(), said=st.data())
def test_whatever_is_wanted_comes_through(entry: Mapping[str, Any], said: st.DataObject) -> None:
    line = said.draw(st.sampled_from(lines_in(entry)))
    wanted = LogWanted(**dict(_condition(line, said, said.draw(WANTED)) for _ in range(2)))
    (text,) = filters_of([REPORT], wanted, START)
    if wants(wanted, line) and not _is_listed(entry):
        assert parse(text).holds(entry)


def _condition(line: LogEntry, said: st.DataObject, kind: str) -> tuple[str, Any]:
    """One that holds for a line, or may."""
    match kind:
        case "text":
            start = said.draw(st.integers(0, len(line.text)))
            return "text", line.text[start : start + said.draw(st.integers(1, 9))]
        case "pattern":
            return "pattern", said.draw(PATTERNS)
        case "severities":
            many = (SEVERITIES, ("INFO", "ERROR"), (line.severity, "LOUD"), (line.severity,))
            return "severities", said.draw(st.sampled_from(many))
        case "task":
            return "task", said.draw(st.integers(0, 1))
        case "fields":
            pairs = list(_values_in(line.fields or {})) or [("n", "1")]
            return "fields", (said.draw(st.sampled_from(pairs)),)
        case _:
            at = line.at + timedelta(microseconds=said.draw(st.integers(-1, 1)))
            return said.draw(st.sampled_from(("since", "before"))), at


def _values_in(fields: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """What fields have, in each of the ways that somebody may ask for it."""
    for name, value in fields.items():
        if isinstance(value, dict):
            yield from _values_in(value, f"{prefix}{name}.")
        elif isinstance(value, str):
            yield f"{prefix}{name}", value
        else:
            yield f"{prefix}{name}", json.dumps(value)
            yield f"{prefix}{name}", f" {json.dumps(value)} "


@pytest.mark.parametrize(
    ("entry", "wanted"),
    [
        (an_entry("caf e\u0301", 1), LogWanted(text="caf e")),
        (an_entry("on disk K", 1), LogWanted(pattern="(?i)on disk k")),
        (an_entry("on di\u017f\u212a \u0130", 1), LogWanted(pattern="(?i)on disk i")),
        (an_entry("", 1, jsonPayload={"msg": "x", "message": 7}), LogWanted(text='"msg":"x"')),
        (an_entry("", 1, jsonPayload={"message": "a\nb"}), LogWanted(text="a\nb")),
        (an_entry("", 1, jsonPayload={"n": None}), LogWanted(fields=(("n", "null"),))),
        (an_entry("", 1, jsonPayload={"a.b": 1.0}), LogWanted(fields=(("a.b", " 1.0 "),))),
        (an_entry("x", 1, labels={EXECUTION: "report-00001"}), LogWanted(task=0)),
    ],
)
def test_what_is_rare_comes_through_too(entry: Mapping[str, Any], wanted: LogWanted) -> None:
    (line,) = lines_in(entry)
    assert wants(wanted, line)
    (text,) = filters_of([REPORT], wanted, START)
    assert parse(text).holds(entry)


def _is_listed(entry: Mapping[str, Any]) -> bool:
    """The one thing that is not found: more than the texts of a list that stands for a message."""
    return isinstance((entry.get("jsonPayload") or {}).get("message"), list)


@pytest.mark.parametrize("name", ["text", "pattern", "path", "value"])
@given(said=st.text())
@example(said='x" OR resource.type="gce_instance')
@example(said='\\" OR severity="ERROR')
@example(said="x) OR (severity=ERROR")
@example(said='x\n-- "')
def test_nothing_of_a_question_is_taken_for_a_part_of_the_filter(name: str, said: str) -> None:
    wanted = {
        "text": LogWanted(text=said),
        "pattern": LogWanted(pattern=said),
        "path": LogWanted(fields=((said, "x"),)),
        "value": LogWanted(fields=(("x", said),)),
    }[name]
    (text,) = filters_of([REPORT], wanted, START)
    assert text.startswith(HEAD)
    assert text.endswith(MINE)
    let_through = parse(text)
    assert let_through.only[("labels", EXECUTION)] == {"report-00001"}
    for strange in (
        an_entry("x", 1, severity="ERROR", resource={"type": "gce_instance"}),
        an_entry("x", 1, severity="ERROR", labels={EXECUTION: "other-00001"}),
        an_entry("x", -1, severity="ERROR"),
    ):
        assert not let_through.holds(strange)


@pytest.mark.parametrize(
    ("wanted", "condition"),
    [
        (LogWanted(), ""),
        (LogWanted(text='a "b" c\\d'),
         '(textPayload=~"(?s)a .b. c.d" OR jsonPayload.message=~"(?s)a .b. c.d" OR '
         '(NOT textPayload:* AND NOT jsonPayload.message=~".")) AND '),
        (LogWanted(pattern=r"(?i)Disk \d+ full"),
         '(textPayload=~"(?is)(D... )" OR jsonPayload.message=~"(?is)(D... )" OR '
         '(NOT textPayload:* AND NOT jsonPayload.message=~".")) AND '),
        (LogWanted(pattern=r"refused|timed\.out"),
         '(textPayload=~"(?s)(refused|timed.out)" OR '
         'jsonPayload.message=~"(?s)(refused|timed.out)" OR '
         '(NOT textPayload:* AND NOT jsonPayload.message=~".")) AND '),
        (LogWanted(pattern=r"\d+"), ""),
        (LogWanted(severities=("ERROR", "ALERT")), 'severity=("ERROR" OR "ALERT") AND '),
        (LogWanted(severities=("DEFAULT", "INFO")), ""),
        (LogWanted(task=3), f'labels."{TASK}"="3" AND '),
        (LogWanted(task=0), f'(labels."{TASK}"="0" OR NOT labels."{TASK}":*) AND '),
        (LogWanted(fields=(("user.name", "ada"),)),
         '(jsonPayload."user"."name"=("ada") OR jsonPayload."user.name"=("ada")) AND '),
        (LogWanted(fields=(("n", " 7"),)), '(jsonPayload."n"=(" 7" OR "7")) AND '),
        (LogWanted(fields=(("n", "null"), ("a..b", "x"), ("n", "a\nb"))), ""),
        (LogWanted(before=START + timedelta(seconds=1)),
         'timestamp<"2026-03-01T12:00:01Z" AND '),
    ],
)  # fmt: skip
def test_a_question_in_googles_words(wanted: LogWanted, condition: str) -> None:
    assert filters_of([REPORT], wanted, START) == [HEAD + condition + MINE]


def test_a_question_of_many_words_asks_for_as_many_as_fit() -> None:
    fields = tuple((f"field{number}", "x" * 900) for number in range(50))
    (text,) = filters_of([REPORT], LogWanted(fields=fields), START)
    assert TERMS_CHARACTERS_MAX - 1_000 < len(text) < CHARACTERS_MAX
    assert 'jsonPayload."field0"=' in text


def test_the_time_that_is_wanted_counts_where_it_is_later() -> None:
    later = START + timedelta(hours=1)
    (text,) = filters_of([REPORT], LogWanted(since=later), START)
    assert 'timestamp>="2026-03-01T13:00:00Z"' in text
    (text,) = filters_of([REPORT], LogWanted(since=START - timedelta(hours=1)), START)
    assert text.startswith(HEAD)


def executions(jobs: int, each: int) -> list[ExecutionName]:
    return [
        ExecutionName(f"{PARENT}/job{job:040}", f"job{job:040}", f"job{job:040}-{number:05}")
        for number in range(each, 0, -1)
        for job in range(jobs)
    ]


def test_many_executions_are_asked_for_by_their_jobs() -> None:
    (text,) = filters_of(executions(jobs=2, each=100), LogWanted(), START)
    assert f'labels."{EXECUTION}"' in text
    (text,) = filters_of(executions(jobs=2, each=1_000), LogWanted(text="x"), START)
    assert EXECUTION not in text
    assert text.count("job0") == 2


def test_too_many_jobs_are_asked_for_one_part_after_the_other() -> None:
    texts = filters_of(executions(jobs=1_000, each=2), LogWanted(text="y" * 1_000), START)
    assert len(texts) == 3
    assert max(map(len, texts)) <= CHARACTERS_MAX
    assert all(parse(text) for text in texts)
    assert f'"job{0:040}"' in texts[0]
    assert sum(text.count('"job0') for text in texts) == 1_000


def test_of_some_questions_a_filter_says_everything() -> None:
    assert not is_loose(LogWanted(task=1, severities=("INFO",), since=START))
    assert is_loose(LogWanted(text="x"))
    assert is_loose(LogWanted(fields=(("a", "b"),)))
