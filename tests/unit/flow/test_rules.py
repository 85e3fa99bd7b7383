"""What rules say of a job, from its runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from runyard.flow.alerting import begin
from runyard.flow.rule_subject import Subject
from runyard.flow.rules import (
    HISTORY,
    dead,
    judge,
    of_success,
    of_time,
    over,
    quiet_until,
    window_of,
)
from runyard.flow.schedule.compiling import timing_of
from runyard.model.alert import Alert, Observation
from runyard.model.alert_rules import named
from runyard.model.errors import InvalidSpec
from runyard.model.manifest import Source, load
from runyard.model.notice import Severity
from runyard.model.run import RunView
from runyard.model.trigger.schedule import ScheduleSpec
from tests.support.judging import MINUTE, NOW, OFF, opened, run, runs, said
from tests.support.runs import make_spec


def test_every_job_is_watched_without_a_word() -> None:
    assert list(named(())) == ["dead", "failing", "stuck", "overdue"]
    rules = make_spec(alerts=[*OFF[:1], {"took": {"over": "1h"}}, {"took": {"under": "1s"}},
                              {"notStarted": {"within": "5m"}}]).alerts  # fmt: skip
    assert list(named(rules)) == ["failing", "stuck", "overdue", "took", "took-2", "not_started"]


def test_a_death_is_told_with_all_that_is_known_of_it() -> None:
    spec = make_spec(labels={"team": "data"}, runbook="https://example.com/r")
    found = dead("prod", spec, "run_1", "us-central1", "exit status 1")
    assert found is not None
    assert (found.title, found.text, found.run) == ("report is dead", "exit status 1", "run_1")
    assert (found.labels, found.runbook) == ((("team", "data"),), "https://example.com/r")
    assert found.fingerprint == "job/prod/shop/report/dead"
    assert dead("prod", make_spec(alerts=OFF[:1]), "run_1", "", "") is None
    named_otherwise = make_spec(alerts=[*OFF[:1], {"dead": {}, "severity": "info", "for": "1m"}])
    mine = dead("prod", named_otherwise, "run_1", "", "")
    assert mine is None or mine.rule == "dead"


def test_what_is_told_is_whole() -> None:
    rule = {"consecutiveFailures": 2, "severity": "critical", "for": "1m", "name": "mine",
            "labels": {"tier": "gold"}}  # fmt: skip
    spec = make_spec(labels={"team": "data"}, alerts=[*OFF, rule], runbook="https://example.com/r")
    subject = Subject("prod", spec, NOW - timedelta(days=1), runs("ddd"))
    (seen,) = judge(subject, {}, NOW)
    whole = Observation(
        fingerprint="job/prod/shop/report/mine",
        group="job/shop/report",
        seen=True,
        environment="prod",
        project="shop",
        job="report",
        rule="mine",
        severity=Severity.CRITICAL,
        title="report: 3 runs in a row are dead",
        run="run_2",
        region="us-central1",
        labels=(("team", "data"), ("tier", "gold")),
        runbook="https://example.com/r",
        hold_seconds=60,
    )
    assert seen == whole
    alert = opened([seen])
    (gone,) = judge(subject, {"gone": replace(alert, fingerprint="gone")}, NOW)[1:]
    assert gone == Observation(
        fingerprint="gone",
        group="job/shop/report",
        seen=False,
        environment="prod",
        project="shop",
        job="report",
        rule="mine",
        severity=Severity.CRITICAL,
        title="report: 3 runs in a row are dead",
        reason="its rule is gone",
    )
    well = replace(subject, runs=runs("s"))
    (end,) = judge(well, {alert.fingerprint: alert}, NOW)
    assert (end.run, end.region, end.reason) == ("", "", "run_0 succeeded")


def test_a_death_names_its_region_and_has_no_runbook_where_none_is() -> None:
    found = dead("prod", make_spec(), "run_1", "us-central1", "why")
    assert found is not None
    assert (found.region, found.runbook, found.rule) == ("us-central1", "", "dead")


def test_a_death_is_over_with_the_next_success() -> None:
    spec = make_spec()
    seen = dead("prod", spec, "run_0", "", "why")
    assert seen is not None
    alert = begin(seen, None, NOW - 2 * MINUTE)

    def judged(found: Sequence[RunView], alert: Alert = alert) -> list[str]:
        subject = Subject("prod", spec, NOW, found)
        return [one.reason for one in judge(subject, {alert.fingerprint: alert}, NOW)]

    assert judged(runs("ds")) == ["run_1 succeeded"]
    assert judged(runs("sd")) == []
    assert judged([]) == []
    assert judged(runs("dc")) == []
    earlier = [run(7, "succeeded", 5)]
    assert judged(earlier) == []
    assert judged([run(7, "succeeded", 2)]) == []  # at the same instant is not later
    assert judged([run(7, "succeeded", 1)]) == ["run_7 succeeded"]
    assert judged(runs("ds"), replace(alert, cleared_at=NOW)) == []


def test_deaths_in_a_row() -> None:
    rule = {"consecutiveFailures": 3, "severity": "critical"}
    assert said(runs("sdd"), rule) == []
    (one,) = found = said(runs("sdcdd"), rule)
    assert (one.title, one.run) == ("report: 3 runs in a row are dead", "run_4")
    alert = opened(found)
    assert said(runs("sdcdd"), rule, alert) == []  # it is known
    (more,) = said(runs("sdcddd"), rule, alert)
    assert more.title == "report: 4 runs in a row are dead"
    (end,) = said(runs("ddds"), rule, alert)
    assert (end.seen, end.reason) == (False, "run_3 succeeded")
    (back,) = said(runs("sdcdd"), rule, replace(alert, cleared_at=NOW))
    assert back.seen


def test_too_many_deaths_lately() -> None:
    count = {"failed": {"count": 2, "within": "3m"}}
    assert said(runs("ddss"), count) != []
    assert said(runs("ddsss"), count) == []
    alert = opened(said(runs("ddss"), count))
    assert [one.reason for one in said(runs("ddsss"), count, alert)] == [
        "1 of 4 runs died within 180s"
    ]
    assert said(runs("dsds"), count)[0].run == "run_2"
    share = {"failed": {"percent": 50, "within": "1h", "atLeast": 4}}
    assert said(runs("dsds"), share)[0].run == "run_2"
    close = {"failed": {"percent": 50.2, "within": "1h", "atLeast": 2}}
    assert said(runs("ds"), close) == []
    any_at_all = {"failed": {"percent": 0, "within": "3h", "atLeast": 1}}
    assert said(runs("d" + "s" * 110), any_at_all) != []
    assert said(runs("dds"), share) == []
    assert said(runs("ddss"), share) != []
    assert said(runs("dsss"), share) == []
    assert said(runs("ssss"), {"failed": {"percent": 0, "within": "1h", "atLeast": 1}}) == []
    (end,) = said(runs("d"), share, alert)
    assert end.reason == "too few runs to tell"


def test_a_run_that_took_too_long_or_was_too_quick() -> None:
    assert said([], {"took": {"over": "5s"}}) == []
    (slow,) = found = said(runs("s", seconds=10), {"took": {"over": "5s"}})
    assert slow.title == "report: took 10.0 s, more than 5s"
    (quick,) = said(runs("s", seconds=1), {"took": {"under": "5s"}})
    assert quick.title == "report: took 1.0 s, less than 5s"
    (end,) = said(runs("s", seconds=2), {"took": {"over": "5s"}}, opened(found))
    assert end.reason == "run_0 took 2.0 s"
    usual = runs("ssssss", seconds=10)
    last = [run(9, "succeeded", 0, seconds=31)]
    (odd,) = said([*last, *usual[1:]], {"took": {"factor": 3}})
    assert odd.title == "report: took 31.0 s, 3.1 times as long as usual"
    assert said([*last, *usual[2:5]], {"took": {"factor": 3}}) == []
    assert (slow.run, quick.run, odd.run) == ("run_0", "run_0", "run_9")
    for seconds in (25, 30):  # three times as long is not longer
        last = [run(9, "succeeded", 0, seconds=seconds)]
        assert said([*last, *usual[1:]], {"took": {"factor": 3}}) == []
    assert said(runs("s", seconds=5), {"took": {"over": "5s"}}) == []
    assert said(runs("s", seconds=5), {"took": {"under": "5s"}}) == []
    assert said([replace(last[0], started_at=None)], {"took": {"over": "1s"}}) == []


def test_no_success_for_too_long() -> None:
    rule = {"noSuccess": {"within": "2h"}}
    assert said([], rule) != []  # since it was applied, a day ago
    assert said([], rule, succeeded_at=NOW - 119 * MINUTE) == []
    (one,) = found = said([], rule, succeeded_at=NOW - 120 * MINUTE)
    assert one.title == "report: no run succeeded within 7200s"
    (end,) = said([], rule, opened(found), succeeded_at=NOW)
    assert (end.seen, end.reason) == (False, "a run succeeded")
    new = Subject("prod", make_spec(alerts=[*OFF, rule | {"name": "mine"}]), NOW)
    assert judge(new, {one.fingerprint: opened(found)}, NOW) == []  # applied anew, no success yet
    young = Subject("prod", make_spec(alerts=[*OFF, rule]), NOW)
    assert judge(young, {}, NOW) == []


def test_a_run_that_does_not_start_or_end() -> None:
    late = {"notStarted": {"within": "5m"}}
    waiting = [run(1, "queued", 6), run(2, "running", 60)]
    (one,) = found = said(waiting, late)
    assert one.title == "report: run_1 has not started 300 s after it was asked for"
    assert said([run(1, "queued", 4)], late) == []
    (end,) = said([], late, opened(found))
    assert end.reason == "it started"
    (long,) = said(waiting, {"notFinished": {"within": "1h"}})
    assert long.run == "run_2"
    assert long.title == "report: run_2 is not over 3600 s after it was asked for"
    (end,) = said([], {"notFinished": {"within": "1h"}}, opened([long]))
    assert end.reason == "it is over"
    assert said([run(2, "running", 59)], {"notFinished": {"within": "1h"}}) == []


def test_a_schedule_without_success_since_two_instants() -> None:
    spec = make_spec(triggers=[{"schedule": "0 * * * *"}], alerts=OFF[:2])
    (trigger,) = spec.triggers
    assert isinstance(trigger, ScheduleSpec)
    timing = timing_of(trigger, ZoneInfo("UTC"), "t")

    def judged(succeeded_ago: float, **more: Any) -> list[Observation]:
        at = NOW - succeeded_ago * MINUTE
        subject = Subject("prod", spec, NOW, (), at, **{"timings": [timing], **more})
        return judge(subject, {}, NOW)

    assert judged(100) == []  # 11:00 and 12:00, ten minutes are left
    (one,) = judged(130)
    assert "no run succeeded since 2026-09-01T09:50+00:00" in one.title
    assert judged(130, timings=[]) == []
    for ended_ago in (90, 135):
        ended = replace(timing, end_at=NOW - ended_ago * MINUTE)
        assert judged(130, timings=[ended]) == []
        assert len(judged(130, timings=[ended, timing])) == 1
    well = Subject("prod", spec, NOW, (), NOW, timings=[timing])
    (end,) = judge(well, {one.fingerprint: opened([one])}, NOW)
    assert (end.seen, end.reason) == (False, "a run succeeded")


def test_before_which_instant_nobody_need_look() -> None:
    spec = make_spec(triggers=[{"schedule": "0 * * * *"}])
    (trigger,) = spec.triggers
    assert isinstance(trigger, ScheduleSpec)
    timing = timing_of(trigger, ZoneInfo("UTC"), "t")
    subject = Subject("prod", spec, NOW, (), NOW, timings=[timing])
    rules = named(spec.alerts)
    until = quiet_until(subject, rules)
    assert until == NOW + timedelta(hours=2, minutes=10)
    assert judge(subject, {}, until - timedelta(microseconds=1)) == []
    assert len(judge(subject, {}, until)) == 1
    later = make_spec(
        triggers=[{"schedule": "0 * * * *"}],
        alerts=[{"overdue": {"within": "20m"}, "name": "late"}],
    )
    assert quiet_until(subject, named(later.alerts)) == until
    applied = NOW - timedelta(days=1)
    assert quiet_until(replace(subject, since=applied), rules) == until
    unmet = replace(subject, since=applied, succeeded_at=None)
    assert quiet_until(unmet, rules) == applied + timedelta(hours=2, minutes=10)
    never = datetime.max.replace(tzinfo=UTC)
    assert quiet_until(replace(subject, timings=[]), rules) == never
    ended = replace(timing, end_at=NOW + 90 * MINUTE)
    assert quiet_until(replace(subject, timings=[ended]), rules) == never
    late = named(make_spec(alerts=[{"notStarted": {"within": "5m"}}]).alerts)
    assert quiet_until(subject, late) is None


def test_what_has_no_rule_any_more_is_over() -> None:
    alert = opened(said(runs("ddd"), {"consecutiveFailures": 2}))
    subject = Subject("prod", make_spec(), NOW, ())
    (one,) = judge(subject, {"gone": alert}, NOW)
    assert (one.seen, one.reason, one.fingerprint) == (False, "its rule is gone", alert.fingerprint)
    assert over(alert, "why").group == alert.group


def test_which_jobs_have_to_be_looked_at() -> None:
    usual = named(())
    assert (of_time(usual, scheduled=False), of_time(usual, scheduled=True)) == (False, True)
    late = named(make_spec(alerts=[{"notStarted": {"within": "1m"}}]).alerts)
    assert of_time(late, scheduled=False)
    assert not of_success(usual)
    assert of_success(named(make_spec(alerts=[{"took": {"over": "1m"}}]).alerts))
    assert window_of(usual) == HISTORY
    month = named(make_spec(alerts=[{"failed": {"count": 1, "within": "720h"}}]).alerts)
    assert window_of(month) == timedelta(days=30)


TEXT = """\
project: shop
jobs:
  report:
    runbook: https://example.com/report
    alerts:
      - {name: slow, took: {over: 30m}, severity: warning, for: 10m, labels: {tier: gold}}
      - {failed: {percent: 20, within: 1h}}
      - {noSuccess: {within: 26h}}
    template: {template: {containers: [{image: a}]}}
"""


def test_rules_are_read_from_a_manifest_and_come_back() -> None:
    (job,) = load([Source("runyard.yaml", TEXT)]).jobs
    document = job.document()
    assert type(job).from_document(document) == job
    assert document["alerts"][0] == {
        "name": "slow", "severity": "warning", "for": "600s", "labels": {"tier": "gold"},
        "enabled": True, "took": {"over": "1800s"},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("before", "after", "path", "words"),
    [
        ("{over: 30m}", "{}", "alerts[0].took", "at least one of over, under, factor"),
        ("{percent: 20, within: 1h}", "{within: 1h}", "alerts[1].failed", "one of count, percent"),
        ("{percent: 20, ", "{percent: 20, count: 2, ", "alerts[1].failed", "exactly one of"),
        ("noSuccess: {within: 26h}", "never: 1", "alerts[2]", "a rule with exactly one of dead"),
        ("26h", "26", "alerts[2].noSuccess.within", "a duration"),
        ("https://", "ftp://", "runbook", "a URL"),
    ],
)
def test_what_is_wrong_is_named(before: str, after: str, path: str, words: str) -> None:
    assert before in TEXT
    with pytest.raises(InvalidSpec) as caught:
        load([Source("runyard.yaml", TEXT.replace(before, after))])
    found = caught.value.faults[0]
    assert found.path == f"jobs.report.{path}"
    assert words in found.expected
