"""What rules say of what was measured: metrics, waits, cost, instants, lines of logs."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from runyard.flow.measured import Wants, begin_of, wants
from runyard.flow.rule_subject import Subject
from runyard.flow.rules import judge, of_success, of_time
from runyard.model.alert import Alert, Observation
from runyard.model.alert_rules import named
from runyard.model.errors import InvalidSpec
from runyard.model.log_pattern import LogPattern
from runyard.model.manifest import Source, load
from runyard.model.measured_rules import Per
from runyard.model.metric import Metric, Point, Series
from runyard.model.sketch import Sketch
from runyard.model.trigger.instant import Fate, Unrun
from tests.support.judging import MINUTE, NOW, OFF, opened, run, said
from tests.support.runs import make_spec

DOLLAR = 10**9
ROWS = {"name": "own.rows", "take": "sum", "within": "1h"}


def point(metric: str, *values: float, ago: float = 1, **labels: str) -> Point:
    """What was seen of a metric in the minute so many minutes ago."""
    sketch = Sketch()
    for value in values:
        sketch.add(value)
    series = Series("prod", "shop", "report", "r1", metric, tuple(sorted(labels.items())))
    return Point(series, NOW - ago * MINUTE, 60, sketch)


def titles(found: list[Observation]) -> list[str]:
    return [one.title for one in found]


def judged(rule: dict[str, Any], *points: Point, alert: Alert | None = None) -> list[Observation]:
    return said([], rule, alert, points=points)


@pytest.mark.parametrize(
    ("take", "value"),
    [("count", 3), ("sum", 12), ("mean", 4), ("min", 1), ("max", 8), ("p50", 3), ("p99", 8)],
)
def test_each_way_to_take_values(take: str, value: float) -> None:
    seen = point("own.rows", 1, 3, 8)
    rule = {"metric": ROWS | {"take": take, "over": value - 0.5}}
    (one,) = judged(rule, seen)
    assert one.title.startswith(f"report: {take} of own.rows is ")
    assert one.title.endswith(f" within 1h, more than {value - 0.5:g}")
    assert judged({"metric": ROWS | {"take": take, "over": value + 0.5}}, seen) == []
    assert judged({"metric": ROWS | {"take": take, "under": value + 0.5}}, seen) != []


def test_a_limit_of_nothing_and_what_is_at_a_limit() -> None:
    assert judged({"metric": ROWS | {"over": 0}}, point("own.rows", 0.5)) != []
    assert judged({"metric": ROWS | {"under": 0}}, point("own.rows", 0)) == []
    assert judged({"metric": ROWS | {"under": 1}}, point("own.rows", 1)) == []
    assert judged({"metric": ROWS | {"over": 1}}, point("own.rows", 1)) == []
    assert judged({"metric": ROWS | {"take": "mean", "over": 0.5}}, point("own.rows", 0, 0)) == []


def test_only_the_window_the_metric_and_the_labels_count() -> None:
    rule = {"metric": ROWS | {"labels": {"table": "orders"}, "over": 4}}
    points = [
        point("own.rows", 2, table="orders", job_part="a"),
        point("own.rows", 2, table="orders", ago=60.5),  # touches the window
        point("own.rows", 9, table="orders", ago=61),
        point("own.rows", 9, table="others"),
        point("own.rows", 9),
        point("own.lines", 9, table="orders"),
    ]
    assert judged(rule, *points) == []
    two = {"metric": ROWS | {"labels": {"table": "orders", "shop": "a"}, "over": 4}}
    (one,) = judged(two, point("own.rows", 9, table="orders", shop="a"))
    assert "own.rows (shop=a, table=orders) is 9" in one.title
    (one,) = judged(rule, *points, point("own.rows", 1, table="orders"))
    assert one.title == ("report: sum of own.rows (table=orders) is 5 within 1h, more than 4")


def test_a_metric_that_is_counted_only_has_no_quantiles() -> None:
    sketch = Sketch()
    sketch.tally(1)
    seen = replace(point(Metric.RUNS, state="dead"), sketch=sketch)
    rule = {"name": "runs", "take": "p95", "within": "1h", "over": 0.5}
    assert judged({"metric": rule}, seen) != []


def test_too_few_values_say_nothing() -> None:
    rule = {"metric": ROWS | {"take": "max", "over": 1, "atLeast": 3}}
    assert judged(rule, point("own.rows", 5, 5)) == []
    alert = opened(judged(rule, point("own.rows", 5, 5, 5)))
    (end,) = judged(rule, point("own.rows", 5, 5), alert=alert)
    assert (end.seen, end.reason) == (False, "too few values to tell")
    (end,) = judged(rule, point("own.rows", 0, 0, 0), alert=alert)
    assert end.reason == "max of own.rows is 0 within 1h"


def test_too_little_is_wrong_also_where_nothing_was_seen() -> None:
    (one,) = judged({"metric": ROWS | {"under": 1}})
    assert one.title == "report: sum of own.rows is 0 within 1h, less than 1"
    young = {"metric": ROWS | {"under": 1, "within": "25h"}}  # it was applied a day ago
    assert judged(young) == []
    assert judged({"metric": ROWS | {"under": 1, "within": "24h"}}) != []


def test_attempts_that_wait_too_long() -> None:
    rule = {"queueWait": {"over": "5m", "within": "1h"}}
    assert judged(rule) == []
    assert judged(rule, point(Metric.QUEUE_WAIT, *[1] * 99, 900)) == []
    (one,) = found = judged(rule, point(Metric.QUEUE_WAIT, 1, 900, 900))
    assert one.title == "report: 95 % of 3 attempts were taken up within 900.0 s, not within 5m"
    (end,) = judged(rule, alert=opened(found))
    assert end.reason == "nothing waited"
    (end,) = judged(rule, point(Metric.QUEUE_WAIT, 1), alert=opened(found))
    assert end.reason == "95 % of 1 attempts were taken up within 1.0 s"


def test_lines_of_a_log() -> None:
    rule = {"log": {"pattern": "order [0-9]+ lost", "count": 2, "within": "10m"}}
    seen = [point(Metric.LOG_MATCHES, 1, rule="mine"), point(Metric.LOG_MATCHES, 7, rule="other")]
    assert judged(rule, *seen) == []
    (one,) = found = judged(rule, *seen, *seen)
    assert one.title == "report: 2 lines have 'order [0-9]+ lost' within 10m"
    (end,) = judged(rule, *seen, alert=opened(found))
    assert end.reason == "1 line has 'order [0-9]+ lost' within 10m"
    worse = {"log": {"severity": "ERROR", "within": "10m"}}
    assert "'ERROR or worse'" in judged(worse, *seen)[0].title


REFUSED = LogPattern("p1", "connection to <ip> refused", NOW - 9 * MINUTE, NOW, 70)
BROKEN = LogPattern("p2", "the disk is full", NOW - 100 * MINUTE, NOW, 70)


def lines(pattern: str, *per_window: int) -> list[Point]:
    """How many lines there were in each window of ten minutes, the last one first."""
    return [
        point(Metric.ERROR_LINES, *[1.0] * count, ago=5 + 10 * place, pattern=pattern)
        for place, count in enumerate(per_window)
        if count
    ]


def test_a_kind_of_error_that_is_new() -> None:
    rule = {"errorPattern": {"new": True, "within": "10m", "atLeast": 3}}
    seen = lines("p1", 3) + lines("p2", 9)
    assert said([], rule) == []
    assert said([], rule, points=lines("p1", 2), patterns=[REFUSED, BROKEN]) == []
    (one,) = found = said([], rule, points=seen, patterns=[REFUSED, BROKEN])
    assert one.title == "report: new kind of error: connection to <ip> refused (3 lines)"
    both = [REFUSED, replace(BROKEN, first_seen_at=NOW)]
    (one,) = said([], rule, points=seen, patterns=both)
    assert one.title.endswith("the disk is full (9 lines, and 1 more kinds)")
    (end,) = said([], rule, opened(found), patterns=[BROKEN])
    assert (end.seen, end.reason) == (False, "no new kind of error within 10m")


def test_much_more_of_a_kind_of_error_than_usual() -> None:
    rule = {"errorPattern": {"times": 5, "within": "10m", "atLeast": 10}}
    usual = [4, 4, 4, 4, 4, 4, 4]
    assert said([], rule, points=lines("p2", 19, *usual), patterns=[BROKEN]) == []
    (one,) = said([], rule, points=lines("p2", 20, *usual), patterns=[BROKEN])
    assert one.title == "report: much more than usual: the disk is full (20 lines)"
    assert said([], rule, points=lines("p2", 20, *usual, 99), patterns=[BROKEN]) == [one]
    assert said([], rule, points=lines("p2", 9), patterns=[BROKEN]) == []
    assert said([], rule, points=lines("p2", 10), patterns=[BROKEN]) != []
    found = wants(rules(rule), NOW)
    assert (found.patterns, found.points_since) == (True, NOW - 80 * MINUTE)


def test_a_single_line_of_a_kind_is_enough_where_that_is_asked() -> None:
    rule = {"errorPattern": {"new": True, "within": "10m", "atLeast": 1}}
    assert said([], rule, patterns=[REFUSED]) == []
    (one,) = said([], rule, points=lines("p1", 1), patterns=[REFUSED])
    assert one.title == "report: new kind of error: connection to <ip> refused (1 line)"
    (one,) = said([], rule, points=lines("p1", 2), patterns=[REFUSED])
    assert one.title == "report: new kind of error: connection to <ip> refused (2 lines)"
    just = replace(REFUSED, first_seen_at=NOW - 10 * MINUTE)
    assert said([], rule, points=lines("p1", 1), patterns=[just]) != []
    for ago, is_in in ((0, True), (10, True), (11, False)):  # a point belongs to where it ends
        at = point(Metric.ERROR_LINES, 1, ago=ago, pattern="p1")
        assert bool(said([], rule, points=[at], patterns=[just])) is is_in


def test_a_kind_of_the_last_second_of_a_minute_is_told_of_within_a_minute() -> None:
    rule = {"errorPattern": {"new": True, "within": "1m"}}
    late = point(Metric.ERROR_LINES, 1, ago=1, pattern="p1")
    just = replace(REFUSED, first_seen_at=NOW - timedelta(seconds=1))
    assert said([], rule, points=[late], patterns=[just]) != []


def test_what_a_clock_wrote_that_was_ahead_counts_as_of_now() -> None:
    new = {"errorPattern": {"new": True, "within": "10m"}}
    for ago, is_in in ((-4, True), (-5, False)):
        at = point(Metric.ERROR_LINES, 1, ago=ago, pattern="p1")
        assert bool(said([], new, points=[at], patterns=[REFUSED])) is is_in


def test_a_kind_that_was_hardly_there_is_compared_with_one_a_window() -> None:
    rule = {"errorPattern": {"times": 5, "within": "10m", "atLeast": 5}}
    for before in ((), (1,) * 7, (1, 0, 0)):
        assert said([], rule, points=lines("p2", 5, *before), patterns=[BROKEN]) != []
    assert wants(rules(rule), NOW).metrics == ("error_lines",)


def test_instants_that_became_no_run() -> None:
    rule = {"missed": {"count": 3, "within": "1h"}}
    unrun = [
        Unrun(Fate.MISSED, 2, NOW - MINUTE),
        Unrun(Fate.MISSED, 5, NOW - 61 * MINUTE),
        Unrun(Fate.BLACKOUT, 5, NOW),
    ]
    assert said([], rule, unrun=unrun) == []
    assert said([], rule, unrun=[Unrun(Fate.MISSED, 3, NOW - 60 * MINUTE)]) != []
    (one,) = found = said([], rule, unrun=[*unrun, Unrun(Fate.OVERLAP, 1, NOW)])
    assert one.title == "report: 3 instants became no run within 1h (missed, overlap)"
    (end,) = said([], rule, opened(found))
    assert end.reason == "0 instants became no run within 1h"
    only = {"missed": {"within": "1h", "fates": ["blackout"]}}
    assert "5 instants" in said([], only, unrun=unrun)[0].title


def test_what_a_day_or_a_month_costs() -> None:
    rule = {"cost": {"over": "2.50 USD", "per": "month"}}
    assert said([], rule) == []
    assert said([], rule, spent={Per.MONTH: 2_500_000_000}) == []
    (one,) = found = said([], rule, spent={Per.MONTH: 3 * DOLLAR})
    assert one.title == "report: $3.00 in 2026-09, more than 2.50 USD"
    (end,) = said([], rule, opened(found), spent={Per.MONTH: DOLLAR})
    assert end.reason == "$1.00 in 2026-09"
    day = {"cost": {"over": "1 USD", "per": "day"}}
    assert "in 2026-09-01" in said([], day, spent={Per.DAY: 2 * DOLLAR})[0].title
    nothing = {"cost": {"over": "0 USD", "per": "day"}}
    assert said([], nothing) == []
    assert said([], nothing, spent={Per.DAY: 1}) != []


LATE = datetime(2026, 9, 17, 13, 14, 15, 678, tzinfo=NOW.tzinfo)


@pytest.mark.parametrize(("per", "begun"), [("day", "2026-09-17"), ("month", "2026-09-01")])
def test_a_day_and_a_month_begin_at_midnight(per: str, begun: str) -> None:
    assert begin_of(Per(per), LATE) == datetime.fromisoformat(f"{begun}T00:00:00Z")
    spec = make_spec(alerts=[*OFF, {"cost": {"over": "1 USD", "per": per}}])
    subject = Subject("prod", spec, NOW, spent={Per(per): 2 * DOLLAR})
    assert wants(named(spec.alerts).values(), LATE).spent_since == (
        (Per(per), begin_of(Per(per), LATE)),
    )
    (one,) = judge(subject, {}, LATE)
    shown = begun if per == "day" else begun[:7]
    assert one.title == f"report: $2.00 in {shown}, more than 1 USD"


def test_the_last_run_is_the_one_that_ended_last() -> None:
    rule = {"cost": {"over": "1 USD", "per": "run"}}
    long = replace(run(1, "dead", 1, seconds=7200), cost_nano_dollars=2 * DOLLAR)
    assert said([run(2, "succeeded", 5), long], rule)[0].run == "run_1"


def test_what_a_run_costs() -> None:
    rule = {"cost": {"over": "1 USD", "per": "run"}}
    dear = replace(run(1, "dead", 5), cost_nano_dollars=2 * DOLLAR)
    cheap = replace(run(2, "succeeded", 1), cost_nano_dollars=DOLLAR)
    assert said([], rule) == []
    assert said([cheap, dear], rule) == []  # the last one was not
    (one,) = found = said([dear], rule)
    assert (one.title, one.run) == ("report: run_1 cost $2.00, more than 1 USD", "run_1")
    (end,) = said([cheap, dear], rule, opened(found))
    assert end.reason == "run_2 cost $1.00"
    goes_on = replace(run(3, "running", 1), cost_nano_dollars=2 * DOLLAR)
    assert said([goes_on, cheap], rule)[0].run == "run_3"


def rules(*each: dict[str, Any]) -> Any:
    return named(make_spec(alerts=list(each)).alerts).values()


def test_what_has_to_be_read_for_rules() -> None:
    assert wants(rules(), NOW) == Wants()
    assert wants(rules({"cost": {"over": "1 USD", "per": "run"}}), NOW) == Wants()
    found = wants(
        rules(
            {"metric": ROWS | {"over": 1, "within": "2h"}},
            {"queueWait": {"over": "1m", "within": "1h"}},
            {"log": {"text": "lost", "within": "1m"}},
            {"missed": {"within": "3h"}},
            {"cost": {"over": "1 USD", "per": "day"}},
            {"cost": {"over": "9 USD", "per": "month"}},
        ),
        NOW,
    )
    midnight = datetime(2026, 9, 1, tzinfo=NOW.tzinfo)
    assert found == Wants(
        ("log_matches", "own.rows", "queue_wait_seconds"),
        NOW - timedelta(hours=2),
        ((Per.DAY, midnight), (Per.MONTH, midnight)),
        NOW - timedelta(hours=3),
    )


def test_they_are_looked_at_though_nothing_happened() -> None:
    rule = named(make_spec(alerts=[{"metric": ROWS | {"over": 1}}]).alerts)
    assert of_time(rule, scheduled=False)
    assert not of_success(rule)
    assert of_success(named(make_spec(alerts=[{"cost": {"over": "1 USD", "per": "run"}}]).alerts))


TEXT = """\
project: shop
jobs:
  report:
    alerts:
      - {metric: {name: own.rows, labels: {table: orders}, take: sum, under: 1, within: 24h}}
      - {queueWait: {over: 5m, within: 1h}}
      - {missed: {within: 24h, fates: [missed, late]}}
      - {cost: {over: 20 USD, per: month}}
      - {errorPattern: {new: true, within: 1h}}
      - {log: {text: lost, pattern: "order [0-9]+", severity: WARNING, within: 10m}}
    template: {template: {containers: [{image: a}]}}
"""


def test_they_are_read_from_a_manifest_and_come_back() -> None:
    (job,) = load([Source("runyard.yaml", TEXT)]).jobs
    assert type(job).from_document(job.document()) == job
    assert list(named(job.alerts))[4:] == [
        "metric",
        "queue_wait",
        "missed",
        "cost",
        "error_pattern",
        "log",
    ]


@pytest.mark.parametrize(
    ("before", "after", "path", "words"),
    [
        ("own.rows", "rows", "alerts[0].metric.name", "own.NAME of a task's own"),
        ("take: sum", "take: most", "alerts[0].metric.take", "one of count, sum, mean"),
        ("under: 1", "under: 1, over: 2", "alerts[0].metric", "exactly one of over, under"),
        ("under: 1, ", "", "alerts[0].metric", "exactly one of over, under"),
        ("{table: orders}", "{Table: orders}", "alerts[0].metric.labels", "a label"),
        ("[missed, late]", "[gone]", "alerts[2].missed.fates[0]", "one of run, alert, overlap"),
        ("20 USD", "20", "alerts[3].cost.over", "an amount of money such as 20 USD"),
        ("20 USD", "20 EUR", "alerts[3].cost.over", "an amount of money such as 20 USD"),
        ("new: true", "new: false", "alerts[4].errorPattern", "exactly one of new, times"),
        ("new: true", "times: 2, new: true", "alerts[4].errorPattern", "exactly one of new, times"),
        ("per: month", "per: year", "alerts[3].cost.per", "one of run, day, month"),
        ("order [0-9]+", "(a+)+", "alerts[5].log.pattern", "a regular expression"),
        ("text: lost", "text: a", "alerts[5].log.text", "3 to 200 characters"),
        ("severity: WARNING", "severity: BAD", "alerts[5].log.severity", "one of DEFAULT"),
        (
            'text: lost, pattern: "order [0-9]+", severity: WARNING, ', "", "alerts[5].log",
            "at least one of text, pattern, severity",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(before: str, after: str, path: str, words: str) -> None:
    assert before in TEXT
    with pytest.raises(InvalidSpec) as caught:
        load([Source("runyard.yaml", TEXT.replace(before, after))])
    found = caught.value.faults[0]
    assert found.path.startswith(f"jobs.report.{path}")
    assert words in found.expected
