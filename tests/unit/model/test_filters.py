"""The filter language: what it says, what it refuses and where."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runyard.flow.filter_fields import JOB_FIELDS, RUN_FIELDS
from runyard.model.errors import InvalidSpec
from runyard.model.filter_kinds import Value
from runyard.model.filters import (
    CHARACTERS_MAX,
    COMPARISONS_MAX,
    DEPTH_MAX,
    And,
    Comparison,
    Not,
    Or,
    matches,
    parse,
)

DEAD = Comparison("state", "=", "dead")
NIGHTLY = Comparison("job", "=", "nightly")
OLD = Comparison("revision", "<", 3)
INSTANT = 1_769_860_800_000_000
BETWEEN = "write AND or OR between comparisons"
INSTANCE = "for instance: state = dead"


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("", None),
        ("  ", None),
        ("state = dead", DEAD),
        ("state=dead", DEAD),
        ('state="dead"', DEAD),
        ("state != dead", Not(DEAD)),
        ("NOT state=dead", Not(DEAD)),
        ("-state=dead", Not(DEAD)),
        ("- state=dead", Not(DEAD)),
        ("NOT NOT state=dead", Not(Not(DEAD))),
        ("NOT(state=dead)", Not(DEAD)),
        ("((state=dead))", DEAD),
        ("state=dead AND job=nightly", And((DEAD, NIGHTLY))),
        ("state=dead OR job=nightly", Or((DEAD, NIGHTLY))),
        # OR binds closer than AND (AIP-160)
        ("revision<3 AND state=dead OR job=nightly", And((OLD, Or((DEAD, NIGHTLY))))),
        ("state=dead OR job=nightly AND revision<3", And((Or((DEAD, NIGHTLY)), OLD))),
        ("(revision<3 AND state=dead) OR job=nightly", Or((And((OLD, DEAD)), NIGHTLY))),
        ("NOT state=dead OR job=nightly", Or((Not(DEAD), NIGHTLY))),
        ("job = night*", Comparison("job", "=", "night", prefix=True)),
        ("job = *", Comparison("job", "=", "", prefix=True)),
        ('job = "night*"', Comparison("job", "=", "night*")),
        (r'job = "a \"b\" \\ c"', Comparison("job", "=", 'a "b" \\ c')),
        ("job = 'it is (so)'", Comparison("job", "=", "it is (so)")),
        ("job='AND'", Comparison("job", "=", "AND")),
        ("job=AND AND state=dead", And((Comparison("job", "=", "AND"), DEAD))),
        ("requested_at >= 2026-01-31T12:00:00Z", Comparison("requested_at", ">=", INSTANT)),
        ("requested_at>=2026-01-31T13:00:00+01:00", Comparison("requested_at", ">=", INSTANT)),
        ("duration > 0.0000019s", Comparison("duration", ">", 1)),
        ("duration > 1m30s", Comparison("duration", ">", 90_000_000)),
        ("cost <= 0.25", Comparison("cost", "<=", 250_000_000)),
        ("cost <= $0.25", Comparison("cost", "<=", 250_000_000)),
        ("revision = -4", Comparison("revision", "=", -4)),
        (f"revision = {2**63 - 1}", Comparison("revision", "=", 2**63 - 1)),
        (f"revision = -{2**63 - 1}", Comparison("revision", "=", 1 - 2**63)),
        ("cost <= 9223372036", Comparison("cost", "<=", 9_223_372_036_000_000_000)),
        ("labels.team = data", Comparison("labels", "=", "data", "team")),
        ("labels.my-team != d*", Not(Comparison("labels", "=", "d", "my-team", prefix=True))),
        ("labels.team:*", Comparison("labels", "there", key="team")),
        ("labels:team", Comparison("labels", "there", key="team")),
        ("ended_at:*", Comparison("ended_at", "there")),
    ],
)
def test_a_filter_means(text: str, meant: object) -> None:
    assert parse(text, RUN_FIELDS) == meant


def test_a_field_of_many_values_is_asked_for_one() -> None:
    assert parse("regions:us-east1", JOB_FIELDS) == Comparison("regions", "has", "us-east1")
    assert parse("regions:*", JOB_FIELDS) == Comparison("regions", "there")
    assert parse('regions:"*"', JOB_FIELDS) == Comparison("regions", "has", "*")


@pytest.mark.parametrize(
    ("text", "column", "value", "expected", "hint"),
    [
        ("stat = dead", 1, "'stat'", "a field: one of id,", "did you mean 'state'?"),
        ("job=a AND stat=dead", 11, "'stat=dead'", "a field", "did you mean 'state'?"),
        ("state = dad", 9, "'dad'", "one of queued,", "did you mean 'dead'?"),
        ("state dead", 7, "'dead'", "one of =, !=, : after state", ""),
        ("state == dead", 7, "'=='", "one of =, !=, : after state", "write ="),
        ("state", 6, "the end", "one of =, !=, : after state", INSTANCE),
        ("state < dead", 7, "'<'", "one of =, !=, : after state", ""),
        ("state =", 8, "the end", "a value", ""),
        ("state = AND", 9, "'AND'", "one of queued", ""),
        ("job = 'a", 7, "''a'", "a value", "a quote is not closed"),
        ("(state=dead", 12, "the end", "), AND or OR", "a parenthesis is not closed"),
        ("state=dead)", 11, "')'", "the end, AND or OR", BETWEEN),
        ("state=dead job=a", 12, "'job=a'", "the end, AND or OR", BETWEEN),
        ("state=dead and job=a", 12, "'and'", "the end, AND or OR", BETWEEN),
        ("not state=dead", 1, "'not'", "a field", "write NOT"),
        ("and state=dead", 1, "'and'", "a field", "write AND"),
        ("state=dead AND or job=a", 16, "'or'", "a field", "write OR"),
        ("nightly", 1, "'nightly'", "a field: one of id,", ""),
        ("= dead", 1, "'='", "a field, NOT or (", INSTANCE),
        ("state=dead AND", 15, "the end", "a field, NOT or (", INSTANCE),
        ("job.x = a", 1, "'job.x'", "job without a key", "only labels have keys"),
        ("state=dead AND job.x = a", 16, "'job.x'", "job without a key", "only labels have keys"),
        ("labels = a", 8, "'='", ": after labels", ""),
        ("job:a", 5, "'a'", "* after :", "write = to compare"),
        ("revision = 1.5", 12, "'1.5'", "a whole number", ""),
        ("revision = 99999999999999999999", 12, "'99999999999999999999'", "a whole number", ""),
        ("revision = 9223372036854775808", 12, "'9223372036854775808'", "a whole number", ""),
        ("revision = 000000000000000000007", 12, "'000000000000000000007'", "a whole number", ""),
        ("revision = 1_0", 12, "'1_0'", "a whole number", ""),
        ("revision = --1", 12, "'--1'", "a whole number", ""),
        ("revision = 1-", 12, "'1-'", "a whole number", ""),
        ("revision = +1", 12, "'+1'", "a whole number", ""),
        ("revision = ٣", 12, "'٣'", "a whole number", ""),
        ("cost > 9223372036.5", 8, "'9223372036.5'", "an amount of US dollars", ""),
        ("revision = 1*", 12, "'1*'", "a whole number", "* stands for itself in quotes"),
        ("job > a*", 7, "'a*'", "a text", "* stands for itself in quotes"),
        ("requested_at > 2026-01-31", 16, "'2026-01-31'", "an instant of RFC 3339", ""),
        ("requested_at > soon", 16, "'soon'", "an instant of RFC 3339", ""),
        ("requested_at > 0001-01-01T00:00:00+23:00", 16, "'0001-", "an instant of RFC 3339", ""),
        ("duration > 5", 12, "'5'", "a duration such as", ""),
        ("cost > much", 8, "'much'", "an amount of US dollars", ""),
        ("cost > 1e400", 8, "'1e400'", "an amount of US dollars", ""),
        ("cost > nan", 8, "'nan'", "an amount of US dollars", ""),
        ("job = 'a\0b'", 7, "", "a text", ""),
        ("job = '\ud800'", 7, "", "a text", ""),
    ],
)
def test_a_fault_points_at_its_column(
    text: str, column: int, value: str, expected: str, hint: str
) -> None:
    with pytest.raises(InvalidSpec) as raised:
        parse(text, RUN_FIELDS)
    assert raised.value.message == "the filter is not understood"
    (fault,) = raised.value.faults
    assert (fault.path, fault.file, fault.line, fault.column) == ("filter", "filter", 1, column)
    assert fault.value.startswith(value)
    assert fault.expected.startswith(expected)
    assert fault.hint == hint


def test_a_fault_in_a_value_of_many_points_at_its_column() -> None:
    with pytest.raises(InvalidSpec) as raised:
        parse("state=ready AND regions:'\0'", JOB_FIELDS)
    assert raised.value.faults[0].column == 25


def test_a_filter_is_bounded() -> None:
    some = " AND ".join(["job=a"] * COMPARISONS_MAX)
    assert parse(some, RUN_FIELDS) is not None
    deeper = f"at most {DEPTH_MAX} parentheses and NOTs within each other"
    long = f"job={'a' * (CHARACTERS_MAX - 4)}"
    assert parse(long, RUN_FIELDS) is not None
    for text, column, value, expected in (
        (f"{some} AND job=a", len(some) + 6, "'job=a'", f"at most {COMPARISONS_MAX} comparisons"),
        ("(" * (DEPTH_MAX + 1) + "job=a" + ")" * (DEPTH_MAX + 1), DEPTH_MAX + 2, "'job=a", deeper),
        ("NOT " * (DEPTH_MAX + 1) + "job=a", 4 * DEPTH_MAX + 5, "'job=a'", deeper),
        (f"{long}a", 1, "'job=", f"at most {CHARACTERS_MAX} characters"),
    ):
        with pytest.raises(InvalidSpec, match="the filter is not understood") as caught:
            parse(text, RUN_FIELDS)
        (fault,) = caught.value.faults
        assert (fault.column, fault.expected, fault.hint) == (column, expected, "")
        assert fault.value.startswith(value)
    deep = "(" * DEPTH_MAX + "job=a" + ")" * DEPTH_MAX
    assert parse(deep, RUN_FIELDS) == Comparison("job", "=", "a")


ROW: dict[tuple[str, str], Value | tuple[Value, ...] | None] = {
    ("job", ""): "nightly",
    ("state", ""): "dead",
    ("revision", ""): 2,
    ("labels", "team"): "data",
    ("regions", ""): ("us-east1", "us-west1"),
}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("", True),
        ("job=night* AND state=dead", True),
        ("job=day* OR state!=dead", False),
        ("revision>1 AND revision>=2 AND revision<3 AND revision<=2", True),
        ("revision>2", False),
        ("state=dead AND job=day*", False),
        ("labels.team=data AND labels:team AND labels.team:*", True),
        ("labels.owner=ann", False),
        ("labels.owner!=ann AND NOT labels:owner", True),
        ("ended_at:*", False),
        ("ended_at<2026-01-31T12:00:00Z OR ended_at>=2026-01-31T12:00:00Z", False),
        ("ended_at!=2026-01-31T12:00:00Z", True),
    ],
)
def test_a_row_is_asked_for_or_not(text: str, holds: bool) -> None:
    assert matches(parse(text, RUN_FIELDS), lambda *name: ROW.get(name)) is holds


def test_one_of_many_values_is_enough() -> None:
    for text, holds in (
        ("regions:us-west1", True), ("regions:us-west2", False), ("regions:us-west", False),
    ):  # fmt: skip
        assert matches(parse(text, JOB_FIELDS), lambda *name: ROW.get(name)) is holds
    assert not matches(parse("regions:*", JOB_FIELDS), lambda *_: ())


@given(st.text(max_size=60) | st.text("()=<>!:*-\"'\\ ANDORT.jobstate", max_size=60))
def test_whatever_is_written_is_read_or_refused_with_a_column(text: str) -> None:
    try:
        parse(text, RUN_FIELDS)
    except InvalidSpec as error:
        (fault,) = error.faults
        assert 1 <= fault.column <= len(text) + 1
        assert fault.expected
