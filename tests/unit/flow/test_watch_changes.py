"""What an incident that is over says of the watch: each offer, and when there is none."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from runyard.flow.watch_changes import WatchChange, lasting, watch_changes
from runyard.model.alert import AlertId, IncidentId
from runyard.model.alert_rules import RULES_MAX
from runyard.model.incident import Incident, IncidentState, Member
from runyard.model.job import JobSpec
from runyard.model.notice import Severity
from tests.support.runs import make_spec

OPENED = datetime(2026, 11, 3, 12, tzinfo=UTC)


def incident(*rules: str, lasted: float | None = 90, **changes: Any) -> Incident:
    """Over by itself after so many seconds; None: not over."""
    over = None if lasted is None else OPENED + timedelta(seconds=lasted)
    made = Incident(
        id=IncidentId("inc_1"),
        environment="local",
        project="shop",
        job="report",
        group="g",
        state=IncidentState.OPEN if over is None else IncidentState.RESOLVED,
        severity=Severity.ERROR,
        title="it is dead",
        opened_at=OPENED,
        resolved_at=over,
        members=tuple(Member(AlertId(one), one, Severity.ERROR, "x") for one in rules),
    )
    return replace(made, **changes)


def changes(
    one: Incident, *alerts: dict[str, Any], before: tuple[Incident, ...] = (), lines: str = ""
) -> list[WatchChange]:
    document = make_spec(alerts=list(alerts)).document()
    return watch_changes(one, before, document, lines.splitlines())


def offered(
    one: Incident, *alerts: dict[str, Any], before: tuple[Incident, ...] = (), lines: str = ""
) -> dict[str, dict[str, tuple[Any, Any]]]:
    """What differs, by the name of the offer and the path."""
    found = changes(one, *alerts, before=before, lines=lines)
    for each in found:
        assert JobSpec.from_document(each.document).document() is not None
    assert len({each.name for each in found}) == len(found)
    return {
        each.name: {field.path: (field.before, field.after) for field in each.fields}
        for each in found
    }


SLOW = {"name": "slow", "took": {"over": "30m", "factor": 3}}
BY_ANN: dict[str, Any] = {"resolved_by": "ann"}


def test_of_what_is_not_over_nothing_is_said() -> None:
    assert offered(incident("slow", lasted=None), SLOW, lines="connection refused") == {}


def test_what_is_over_soon_by_itself_may_be_so_for_longer() -> None:
    found = offered(incident("slow"), SLOW)
    assert found["hold-slow"] == {"alerts[slow].for": ("0s", "180s")}
    assert "hold-slow" not in offered(incident("slow"), SLOW | {"for": "3m"})
    assert "hold-slow" not in offered(incident("slow", lasted=3601), SLOW)
    assert "hold-slow" not in offered(incident("slow", **BY_ANN), SLOW)
    assert "hold-slow" not in offered(incident("slow", acknowledged_at=OPENED), SLOW)


@pytest.mark.parametrize(
    ("lasted", "hold"),
    [(0, "60s"), (0.5, "60s"), (40, "60s"), (41, "120s"), (90, "180s"), (3600, "5400s")],
)
def test_it_may_be_so_for_half_as_long_again_in_whole_minutes(lasted: float, hold: str) -> None:
    found = offered(incident("slow", lasted=lasted), SLOW)
    assert found["hold-slow"] == {"alerts[slow].for": ("0s", hold)}


def test_each_offer_says_what_it_is_of_and_why() -> None:
    one = incident("slow")
    found = changes(one, SLOW, before=(one, one), lines="connection refused")
    assert [(each.name, each.rule, each.reason) for each in found] == [
        ("hold-slow", "slow", "it was over by itself after 1 min 30 s, before anybody had it"),
        ("limit-slow", "slow", "if it was not worth telling: its limit, half as much again"),
        ("off-slow", "slow", "3 incidents of it lately were over by themselves, unseen"),
        (
            "add-log-1",
            "log-1",
            "a run wrote it before it died: told when it is seen, not only when a run is dead",
        ),
    ]
    at_once, *_ = changes(incident("slow", lasted=0), SLOW)
    assert at_once.reason == "it was over by itself after 0 s, before anybody had it"


def test_a_rule_that_every_job_has_is_written_down_to_be_changed() -> None:
    found = offered(incident("dead"))
    assert list(found) == ["hold-dead"]
    (before, after), *_ = found["hold-dead"].values()
    assert before is None
    assert (after["name"], after["for"], after["dead"]) == ("dead", "180s", {})
    assert offered(incident("gone")) == {}


@pytest.mark.parametrize(
    ("rule", "path", "before", "after"),
    [
        ({"took": {"over": "30m"}}, "took.over", "1800s", "2700s"),
        ({"took": {"factor": 3}}, "took.factor", 3.0, 4.5),
        ({"consecutiveFailures": 5}, "consecutiveFailures", 5, 8),
        ({"consecutiveFailures": 90}, "consecutiveFailures", 90, 100),
        ({"failed": {"count": 5, "within": "1h"}}, "failed.count", 5, 8),
        ({"failed": {"percent": 80, "within": "1h"}}, "failed.percent", 80.0, 100.0),
        ({"noSuccess": {"within": "26h"}}, "noSuccess.within", "93600s", "140400s"),
        ({"noSuccess": {"within": "8000h"}}, "noSuccess.within", "28800000s", "31622400s"),
        ({"notStarted": {"within": "10m"}}, "notStarted.within", "600s", "900s"),
        ({"notFinished": {"within": "2h"}}, "notFinished.within", "7200s", "10800s"),
        ({"overdue": {"within": "10m"}}, "overdue.within", "600s", "900s"),
    ],
)
def test_a_limit_is_raised_by_half_of_it(
    rule: dict[str, Any], path: str, before: Any, after: Any
) -> None:
    found = offered(incident("mine", **BY_ANN), {"name": "mine", **rule})
    assert found == {"limit-mine": {f"alerts[mine].{path}": (before, after)}}


def test_all_limits_of_a_rule_are_one_offer_and_one_at_its_most_is_none() -> None:
    found = offered(incident("slow", **BY_ANN), SLOW)
    assert list(found["limit-slow"]) == ["alerts[slow].took.over", "alerts[slow].took.factor"]
    most = {"name": "mine", "failed": {"percent": 100, "within": "1h"}}
    assert offered(incident("mine", **BY_ANN), most) == {}


def test_rules_without_names_are_changed_in_their_place() -> None:
    rules = ({"took": {"over": "1m"}}, {"took": {"over": "2m"}})
    found = offered(incident("took-2", **BY_ANN), *rules)
    assert found == {"limit-took-2": {"alerts[1].took.over": ("120s", "180s")}}


def test_what_nobody_acts_on_may_be_off() -> None:
    idle = incident("slow")
    assert "off-slow" not in offered(idle, SLOW, before=(idle,))
    seen = replace(idle, acknowledged_at=OPENED)
    assert "off-slow" not in offered(idle, SLOW, before=(idle, seen, incident("dead")))
    found = offered(idle, SLOW, before=(idle, idle))
    assert found["off-slow"] == {"alerts[slow].enabled": (True, False)}


def test_the_last_line_that_says_something_is_a_rule_of_its_own() -> None:
    lines = "starting\n2026-11-03 12:00:01 ERROR cannot reach the ledger: refused (db-7:5432)\n17\n"
    found = offered(incident("dead", **BY_ANN), lines=lines)
    ((path, (before, after)),) = found["add-log-1"].items()
    assert (path, before) == ("alerts[log-1]", None)
    assert after["log"] == {
        "text": "ERROR cannot reach the ledger: refused", "count": 1, "within": "600s",
    }  # fmt: skip
    taken = {"name": "log-1", "log": {"text": "something else", "within": "1h"}}
    assert list(offered(incident("dead", **BY_ANN), taken, lines=lines)) == ["add-log-2"]
    known = {"name": "mine", "log": after["log"]}
    assert offered(incident("dead", **BY_ANN), known, lines=lines) == {}
    assert offered(incident("dead", **BY_ANN), lines="17\n\n") == {}
    most = [{"name": f"log-{number}", "took": {"over": "1m"}} for number in range(1, RULES_MAX)]
    assert list(offered(incident("dead", **BY_ANN), *most, lines=lines)) == [f"add-log-{RULES_MAX}"]
    full = [{"name": f"r-{number}", "took": {"over": "1m"}} for number in range(RULES_MAX)]
    assert offered(incident("dead", **BY_ANN), *full, lines=lines) == {}


def test_what_changes_from_time_to_time_is_left_out_of_a_line() -> None:
    assert lasting("worker-3: Traceback (most recent call last):") == "most recent call last"
    assert lasting("KeyError: 'total'") == "KeyError"
    assert lasting("XX cannot open, it is gone; 42") == "XX cannot open, it is gone"
    assert lasting("") == lasting("0x7f3a 42 99") == lasting("short") == ""
    assert len(lasting("a b " * 200)) <= 120
