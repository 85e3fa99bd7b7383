"""Rules in words."""

from __future__ import annotations

from typing import Any

import pytest

from runyard.flow.rule_words import lasting, words
from runyard.model.alert_rules import named
from tests.support.runs import make_spec


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"dead": {}}, "a run is dead"),
        ({"consecutiveFailures": 3}, "3 runs in a row are dead"),
        ({"failed": {"count": 5, "within": "1h"}}, "5 runs died within 1h"),
        (
            {"failed": {"percent": 20, "within": "90m"}},
            "20 % of at least 5 runs died within 90m",
        ),
        (
            {"took": {"over": "30m", "under": "5s", "factor": 3}},
            "the last success took longer than 30m or less than 5s or more than 3 times as long "
            "as usual",
        ),
        ({"took": {"under": "5s"}}, "the last success took less than 5s"),
        (
            {"took": {"factor": 3}},
            "the last success took more than 3 times as long as usual",
        ),
        ({"noSuccess": {"within": "26h"}}, "no run succeeded for 26h"),
        ({"notStarted": {"within": "10m"}}, "a run waits for 10m"),
        ({"notFinished": {"within": "2h"}}, "a run is not over 2h after it was asked for"),
        (
            {"overdue": {"within": "10m"}},
            "no run succeeded since the last but one instant of its schedule, 10m later",
        ),
        (
            {"queueWait": {"over": "5m", "within": "1h"}},
            "1 of 20 attempts waited longer than 5m within 1h",
        ),
        (
            {"missed": {"within": "24h", "fates": ["missed", "late"]}},
            "an instant of its schedules became no run within 1d (missed, late)",
        ),
        (
            {"missed": {"count": 2, "within": "1h", "fates": ["late"]}},
            "2 instants of its schedules became no run within 1h (late)",
        ),
        ({"cost": {"over": "1 USD", "per": "run"}}, "a run costs more than 1 USD"),
        ({"cost": {"over": "9 USD", "per": "month"}}, "a month (UTC) costs more than 9 USD"),
        ({"errorPattern": {"new": True, "within": "1h"}}, "a kind of error is new within 1h"),
        (
            {"errorPattern": {"times": 5, "atLeast": 10, "within": "1h"}},
            "there are 5 times as many lines of a kind of error, in at least 10 lines, within 1h",
        ),
        (
            {"errorPattern": {"new": True, "atLeast": 2, "within": "1h"}},
            "a kind of error is new, in at least 2 lines, within 1h",
        ),
        ({"log": {"text": "lost", "within": "1m"}}, "a line with the text 'lost', within 1m"),
        (
            {"log": {"severity": "ERROR", "pattern": "a+", "count": 3, "within": "1m"}},
            "3 lines of ERROR or worse, matching 'a+', within 1m",
        ),
        (
            {"metric": {"name": "own.rows", "take": "sum", "under": 1, "within": "1h"}},
            "sum of own.rows is less than 1 within 1h",
        ),
        (
            {"metric": {"name": "runs", "labels": {"state": "dead", "region": "r1"},
                        "take": "count", "over": 2, "within": "1h"}},
            "count of runs (region=r1, state=dead) is more than 2 within 1h",
        ),
    ],
)  # fmt: skip
def test_each_kind_says_when_it_is_wrong(rule: dict[str, Any], said: str) -> None:
    found = named(make_spec(alerts=[rule | {"name": "mine"}]).alerts)["mine"]
    assert words(found) == said


def test_durations_are_in_their_greatest_whole_unit() -> None:
    assert [lasting(one) for one in ("0s", "1.5s", "60s", "61s", "3600s", "86400s")] == [
        "0s", "1.5s", "1m", "61s", "1h", "1d",
    ]  # fmt: skip
