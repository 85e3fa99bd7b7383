"""The part of Cloud Logging's query language that the cloud on this machine understands."""

from __future__ import annotations

from typing import Any

import pytest

from runyard.localcloud.google.log_filter import CHARACTERS_MAX, parse, path_of
from runyard.model.errors import InvalidSpec

ENTRY: dict[str, Any] = {
    "resource": {"type": "cloud_run_job", "labels": {"job_name": "report"}},
    "labels": {"run.googleapis.com/execution_name": "report-abcde"},
    "logName": "projects/shop/logs/run.googleapis.com%2Fstdout",
    "severity": "WARNING",
    "timestamp": "2026-03-01T12:00:00.000500Z",
    "insertId": "00a1",
    "textPayload": "Disk sda is low",
    "jsonPayload": {
        "user": {"id": 7, "full name": "Ada \u212bngstr\u00f6m"},
        "a.b": "dots",
        "ok": True,
        "list": ["one", 2],
        "message": 'says "no"\nand\ufffd goes',
    },
}
EXECUTION = 'labels."run.googleapis.com/execution_name"'


@pytest.mark.parametrize(
    "text",
    [
        "",
        "resource.type=cloud_run_job resource.labels.job_name=REPORT",
        'resource.type="cloud_run_job"\nAND resource.labels.job_name = "report"',
        f'{EXECUTION}="report-abcde"',
        f'{EXECUTION}=("other" OR "report-abcde")',
        "severity>=INFO severity<=error severity!=DEBUG severity>notice severity<ERROR",
        'timestamp>="2026-03-01T12:00:00Z" AND timestamp<"2026-03-01T12:00:00.000501Z"',
        'timestamp>="2026-03-01T13:00:00+01:00"',
        # without a zone it is UTC
        'timestamp>="2026-03-01" timestamp>"2026-03-01T12:00:00.0004" timestamp<"2026-03-02"',
        'insertId>"00a0"',
        'textPayload:"SDA IS"',
        'textPayload:low OR textPayload:"high \\"or\\" so"',
        "jsonPayload.user.id=7",
        'NOT logName:"cloudaudit" AND -textPayload:high',
        # OR binds closer than AND
        "severity=WARNING OR severity=ERROR resource.type=cloud_run_job",
        "(severity=ERROR AND textPayload:low) OR (severity=WARNING)",
        "NOT (severity=ERROR OR textPayload:high)",
        'textPayload=~"sda is" textPayload=~"^Disk|^disk" textPayload=~"(?i)DISK (sda|sdb)"',
        'textPayload=~("high" OR "s.a") textPayload!~"(?:SDA|sdb)"',
        'textPayload=~"low$" textPayload!~"is$" textPayload!~"Disk\\\\."',
        'jsonPayload.message=~"(?s)no..and"',
        'jsonPayload.message!~"no..and" jsonPayload.message=~".no."',
        'jsonPayload.user.id="7.0" jsonPayload.user.id>6 jsonPayload.user.id:7',
        'jsonPayload."user"."full name"="ada \u00e5NGSTRo\u0308m" jsonPayload."a.b"=dots',
        "jsonPayload.ok=TRUE jsonPayload.ok!=false jsonPayload.list=2 jsonPayload.list:ON",
        'jsonPayload.list=~"^on" jsonPayload.list!=two',
        "jsonPayload.ok:* textPayload:* NOT jsonPayload.no:*",
        "NOT jsonPayload.no!=1 NOT jsonPayload.no=~x NOT jsonPayload.user.id=~7",
    ],
)
def test_it_lets_through(text: str) -> None:
    assert parse(text).holds(ENTRY)


@pytest.mark.parametrize(
    "text",
    [
        "resource.type=cloud_run_revision",
        "severity=WARNING OR severity=ERROR resource.type=gce_instance",
        'labels.unknown="x"',
        'labels.unknown>"x"',
        "labels.unknown:x",
        "jsonPayload.user.name=7",
        "NOT severity=WARNING",
        'textPayload=~"disk"',
        "jsonPayload.user.id=seven",
        "jsonPayload.user=7",
        "jsonPayload.user:id",
        'jsonPayload.user=~"."',
        "jsonPayload.ok=1",
        'jsonPayload.user.id=" 7"',
        'jsonPayload.user."full name"=~"(?i)\u00c5"',
        "jsonPayload.no!=7",
        "jsonPayload.no!~x",
        "jsonPayload.user.id!~x",
        "jsonPayload.user.name:*",
        'timestamp>"2026-03-01T12:00:00.000500Z"',
    ],
)
def test_it_holds_back(text: str) -> None:
    assert not parse(text).holds(ENTRY)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("disk", "a field of a log entry, not 'disk'"),
        ('"disk"', "a field of a log entry"),
        ('textPayload=~"a.*b"', "plain text and . | ( ) ^ $ in an expression at '*b'"),
        ('textPayload=~"a[bc]"', "in an expression at '[bc]'"),
        ('textPayload=~"(a|b)(c|d)"', "one pair of parentheses in an expression"),
        ('textPayload=~"(a"', "an expression, but '(a' is none"),
        ("textPayload=*", "a value"),
        ("textPayload", "after textPayload"),
        ("textPayload=", "a value"),
        ("severity=LOUD", "a severity"),
        ("timestamp>=yesterday", "an instant"),
        ("(severity=INFO", "a closing parenthesis"),
        ("severity=(INFO OR", "a value"),
        ("severity=(INFO ERROR)", "OR or a closing parenthesis"),
        ("severity=INFO)", "an expression"),
        ("sample(insertId)", "a field of a log entry"),
        ('textPayload="open', "a field, a text in quotes"),
        ("(" * 30 + "severity=INFO" + ")" * 30, "parentheses in each other"),
        ("severity=INFO " * CHARACTERS_MAX, f"at most {CHARACTERS_MAX}"),
    ],
)
def test_what_it_does_not_know_is_refused(text: str, words: str) -> None:
    with pytest.raises(InvalidSpec, match="filter") as caught:
        parse(text)
    assert words in str(caught.value)


def test_it_says_which_values_alone_can_be_let_through() -> None:
    path = path_of(EXECUTION)
    assert path == ("labels", "run.googleapis.com/execution_name")
    assert parse(f'severity>=INFO ({EXECUTION}=("A" OR "b"))').only[path] == {"a", "b"}
    assert path not in parse(f'NOT {EXECUTION}="a"').only
    assert path not in parse(f'{EXECUTION}="a" OR severity=INFO').only
