"""What a line says that a job measures."""

from __future__ import annotations

from typing import Any

import pytest

from runyard.model.errors import InvalidSpec
from runyard.model.log_metrics import LogMetricSpec, own_samples
from runyard.model.manifest import Source, load

TABLE = (("table", "orders"),)


@pytest.mark.parametrize(
    ("fields", "samples"),
    [
        ({"metric": "rows"}, [("own.rows", (), 1.0)]),
        ({"metric": "rows", "value": 0}, [("own.rows", (), 0.0)]),
        (
            {"metric": "Rows.Read-all", "value": 1.5, "labels": {"table": "orders"}},
            [("own.rows_read_all", TABLE, 1.5)],
        ),
        (
            {"metric": {"rows": 12, "bytes": 3}, "labels": {"part": 7, "is_last": True}},
            [
                ("own.rows", (("is_last", "true"), ("part", "7")), 12.0),
                ("own.bytes", (("is_last", "true"), ("part", "7")), 3.0),
            ],
        ),
        ({"metric": {"rows": 12, "bytes": "3"}}, [("own.rows", (), 12.0), None]),
        ({"metric": 7}, [None]),
        ({"metric": {}}, [None]),
        ({"metric": {str(n): n for n in range(21)}}, [None]),
        ({"metric": "1rows"}, [None]),
        ({"metric": "rows", "value": -1}, [None]),
        ({"metric": "rows", "value": True}, [None]),
        ({"metric": "rows", "value": float("inf")}, [None]),
        ({"metric": "rows", "value": float("nan")}, [None]),
        ({"metric": "rows", "labels": ["table"]}, [None]),
        ({"metric": "rows", "labels": {"job": "other"}}, [None]),
        ({"metric": "rows", "labels": {"Table": "orders"}}, [None]),
        ({"metric": "rows", "labels": {"table": ""}}, [None]),
        ({"metric": "rows", "labels": {"table": {"a": 1}}}, [None]),
        ({"metric": "rows", "labels": {"table": "o" * 65}}, [None]),
        ({"metric": "rows", "labels": {f"l{n}": "a" for n in range(6)}}, [None]),
        ({}, [None]),
    ],
)
def test_a_line_of_a_tasks_own(fields: dict[str, Any], samples: list[Any]) -> None:
    assert own_samples(fields) == samples


def spec(**about: Any) -> LogMetricSpec:
    return LogMetricSpec.model_validate(about)


def test_a_line_that_is_counted_or_has_a_number_in_it() -> None:
    assert spec(text="lost").sample("lost", "an order was lost") == ("own.lost", (), 1.0)
    rows = spec(pattern=r"read ([0-9.]+) rows of (\w+)?", value=1, labels={"table": 2})
    assert rows.sample("rows", "read 12 rows of orders") == ("own.rows", TABLE, 12.0)
    assert rows.sample("rows", "read 1.2.3 rows of orders") is None
    assert rows.sample("rows", "read 12 rows of ") is None  # no table
    assert rows.sample("rows", "something else") is None


TEXT = """\
project: shop
jobs:
  report:
    metrics:
      lost_orders: {text: order lost, severity: WARNING}
      rows: {pattern: "read ([0-9]+) rows of ([a-z]+)", value: 1, labels: {table: 2}}
    template: {template: {containers: [{image: a}]}}
"""


def test_they_are_read_from_a_manifest_and_come_back() -> None:
    (job,) = load([Source("runyard.yaml", TEXT)]).jobs
    assert type(job).from_document(job.document()) == job
    assert job.document()["metrics"]["lost_orders"] == {
        "text": "order lost", "severity": "WARNING",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("before", "after", "path", "words"),
    [
        ("lost_orders:", "Lost:", "metrics", "a metric's name"),
        ("value: 1", "value: 3", "metrics.rows", "groups that its pattern has: it has 2"),
        ("{table: 2}", "{table: 3}", "metrics.rows", "groups that its pattern has: it has 2"),
        ("{table: 2}", "{region: 2}", "metrics.rows", "none of environment, job, le"),
        ("{text: order lost, severity: WARNING}", "{}", "metrics.lost_orders", "at least one of"),
        ("{text: order lost,", "{text: order lost, value: 1,", "metrics.lost_orders", "it has 0"),
    ],
)
def test_what_is_wrong_is_named(before: str, after: str, path: str, words: str) -> None:
    assert before in TEXT
    with pytest.raises(InvalidSpec) as caught:
        load([Source("runyard.yaml", TEXT.replace(before, after))])
    found = caught.value.faults[0]
    assert found.path.startswith(f"jobs.report.{path}")
    assert words in found.expected
