"""Where a run's story depends on how often, how long and how many."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta

import pytest

from runyard.flow.explain import explain
from runyard.flow.wording import dollars, instant, number, plain, span
from runyard.model.event import (
    CancelRequested,
    DeadlinePassed,
    Delayed,
    Due,
    Ended,
    Event,
    Released,
    Requested,
    Skipped,
    SlotFreed,
    Waited,
)
from runyard.model.ids import RunId
from runyard.model.outcome import Ending, TaskFailure
from runyard.model.run import OnConflict, Overrides, State, TriggeredBy, TriggerKind
from runyard.store.runs import Happening
from tests.support.runs import NOW, make_run
from tests.support.stories import STEADY, Story, begun, outcome

SLOT = "job/shop/local/report"
REGION = "region/local/us-central1"


def told(story: Story) -> str:
    return "\n".join(explain(story.run, story.history, story.charges, story.now))


@pytest.mark.parametrize(
    ("delays", "often"), [(1, "then:"), (2, "then (2 times):"), (3, "(3 times)"), (4, "(4 times)")]
)
@pytest.mark.parametrize("goes_on", [False, True])
def test_delays_in_a_row_are_told_once_with_their_number(
    delays: int, often: str, goes_on: bool
) -> None:
    story = begun().tell(Due(), 0.1)
    for _ in range(delays):
        story.tell(Delayed(1, "it does not answer", story.now), 1)
    if goes_on:
        story.tell(CancelRequested("ann"), 1)
    text = told(story)
    assert text.count("it does not answer") == 1
    assert often in text


@pytest.mark.parametrize("event", [CancelRequested("ann"), DeadlinePassed()])
def test_a_wait_ends_with_what_ended_it(event: Event) -> None:
    policy = replace(STEADY, concurrency_limit=1, deadline_seconds=60.0)
    story = begun(policy).tell(Due(), 0.1, {SLOT: 1}).tell(event, 25)
    story.now += timedelta(hours=1)
    assert "It waited 25 s because" in told(story)


def test_each_wait_is_as_long_as_it_was() -> None:
    story = begun(replace(STEADY, concurrency_limit=1)).tell(Due(), 0.1, {SLOT: 1})
    story.tell(SlotFreed(SLOT), 25).tell(Due(), 0, {REGION: 1000})
    story.tell(SlotFreed(REGION), 50).launched(after=75)
    text = told(story)
    assert "It waited 25 s because its job" in text
    assert "It waited 50 s because 1,000 runs were out" in text


def test_a_wait_may_end_in_being_skipped() -> None:
    policy = replace(STEADY, concurrency_limit=1, on_conflict=OnConflict.SKIP)
    story = begun(policy).tell(Due(), 0.1, {REGION: 1000})
    story.tell(SlotFreed(REGION), 30).tell(Due(), 0, {SLOT: 1})
    text = told(story)
    assert "It waited 30 s" in text
    assert "It was skipped at" in text


@pytest.mark.parametrize(
    ("overrides", "said", "unsaid"),
    [
        (Overrides(args=()), "there are no arguments", "the arguments are"),
        (Overrides(task_count=1), "there is 1 task", "tasks"),
        (Overrides(task_count=2), "there are 2 tasks", "there is"),
        (Overrides(env=tuple((f"V{n}", "x") for n in range(10))), "V9 changed", "more"),
        (Overrides(env=tuple((f"V{n}", "x") for n in range(11))), "V9 and 1 more", "V10"),
        (Overrides(env=tuple((f"V{n}", "x") for n in range(15))), "V9 and 5 more", "V10"),
    ],
)
def test_what_is_changed_for_one_run(overrides: Overrides, said: str, unsaid: str) -> None:
    first, changes = told(begun(overrides=overrides)).split("\n")[:2]
    assert "asked for" in first
    assert said in changes
    assert unsaid not in changes


@pytest.mark.parametrize(
    ("priority", "said"),
    [(1, "1 min ahead"), (2, "2 min ahead"), (-1, "1 min behind")],
)
def test_a_priority_is_a_lead_or_its_opposite(priority: int, said: str) -> None:
    assert said in told(begun(priority=priority)).replace("1 minute", "1 min")


@pytest.mark.parametrize(
    ("amount", "text"), [(1000, "1,000"), (1.5, "1.5"), (0, "0"), (10.25, "10.25"), (100.0, "100")]
)
def test_numbers_keep_their_noughts(amount: float, text: str) -> None:
    assert number(amount) == text


@pytest.mark.parametrize(
    ("nano_dollars", "text"), [(10_000_000_000, "$10"), (18_000, "$0.000018"), (5 * 10**8, "$0.5")]
)
def test_prices_keep_their_noughts(nano_dollars: int, text: str) -> None:
    assert dollars(nano_dollars) == text


def test_a_span_changes_its_form_at_ten_seconds() -> None:
    assert span(9.94) == "9.9 s"
    assert span(9.95) == "10 s"
    assert span(10.5) in ("10 s", "11 s")


def test_a_policy_of_two_attempts_says_which() -> None:
    assert (
        "attempt 1 of at most 2" in told(begun(replace(STEADY, attempts_max=2)).launched()).lower()
    )
    assert "its only attempt" in told(begun(replace(STEADY, attempts_max=1)).launched()).lower()


@pytest.mark.parametrize(("seconds", "when"), [(4, "in 6 s"), (10, "now"), (60, "now")])
def test_what_backs_off_is_due_later_or_now(seconds: float, when: str) -> None:
    ended = Ended(1, outcome(Ending.FAILED, "1 task failed", failed=1))
    story = begun().launched().tell(ended, 5)
    story.now += timedelta(seconds=seconds)
    assert f"attempt 2 is due {when}, at" in told(story)


def test_who_died_waiting_is_dead_for_the_reason_it_has() -> None:
    story = begun(replace(STEADY, deadline_seconds=60.0)).tell(DeadlinePassed(), 60)
    assert "It is dead since 12:01:00 UTC: its deadline of 60 s passed" in told(story)


@pytest.mark.parametrize(("failed", "more"), [(2, ""), (3, "1 more task failed"), (9, "7 more")])
def test_more_failures_than_are_kept_are_counted(failed: int, more: str) -> None:
    kept = [TaskFailure(index, 1, "no", exit_code=1) for index in range(2)]
    ended = outcome(Ending.FAILED, "tasks failed", *kept, failed=failed)
    text = told(begun(replace(STEADY, attempts_max=1)).launched().tell(Ended(1, ended), 5))
    assert more in text
    assert ("more task" in text) is bool(more)


def test_the_cost_of_two_attempts_is_summed_and_that_of_one_is_not() -> None:
    failed = outcome(Ending.FAILED, "1 task failed", failed=1)
    story = begun().launched().tell(Ended(1, failed), 5)
    assert "Together the" not in told(story)
    story.launched(after=10).tell(Ended(2, outcome()), 5)
    assert "Together the 2 attempts cost" in told(story)


@pytest.mark.parametrize(
    ("task_attempts", "wall", "billed", "raised"),
    [
        (1, 60_001, 60_100, False),
        (1, 60_000, 60_100, True),  # a whole step is more than rounding makes
        (2, 120_001, 120_200, False),
        (2, 120_000, 120_200, True),
        (0, 59_900, 60_000, True),
    ],
)
def test_only_what_the_minimum_added_is_told(
    task_attempts: int, wall: int, billed: int, raised: bool
) -> None:
    ended = outcome()
    usage = replace(
        ended.usage,
        task_attempts=task_attempts,
        wall_milliseconds=wall,
        billed_milliseconds=billed,
    )
    text = told(begun().launched().tell(Ended(1, replace(ended, usage=usage)), 61))
    assert ("is billed for at least 1 min;" in text) is raised


def test_all_that_is_left_is_told() -> None:
    story = begun().launched().tell(Ended(1, outcome()), 5)
    assert "could not be removed: a; b." in told(story.tell(Released(1, (), ("a", "b")), 1))


def test_a_text_is_cut_only_when_it_is_too_long() -> None:
    assert plain("x" * 500) == "x" * 500
    assert plain("x" * 501) == "x" * 499 + "…"


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (datetime(2026, 9, 1, 23, 59, 59, tzinfo=UTC), "23:59:59 UTC"),
        (datetime(2026, 9, 2, tzinfo=UTC), "2026-09-02 00:00:00 UTC"),
        (datetime(2026, 9, 1, tzinfo=UTC), "00:00:00 UTC"),
    ],
)
def test_a_day_is_one_of_utc(at: datetime, text: str) -> None:
    assert instant(at, datetime(2026, 9, 1, 20, tzinfo=UTC)) == text
    assert instant(at, datetime(2026, 9, 1, 1, tzinfo=UTC)) == text


def test_what_a_trigger_asked_for_names_its_instant_and_waits_for_its_like() -> None:
    by = TriggeredBy("shop/local/report/s", NOW - timedelta(minutes=5), slot="trigger/s")
    requested = Requested(TriggerKind.SCHEDULE, by.trigger, 1)
    run = make_run(trigger=TriggerKind.SCHEDULE, triggered_by=by)
    told = [
        Happening(1, NOW, "requested", State.QUEUED, asdict(requested)),
        Happening(2, NOW, "waited", State.QUEUED, asdict(Waited("trigger/s", 1))),
        Happening(3, NOW, "skipped", State.SKIPPED, asdict(Skipped("a newer one came"))),
    ]
    text = "\n".join(explain(run, told, [], NOW))
    assert "It is for the instant 11:55:00 UTC, 5 min before." in text
    assert "its trigger has 1 run at once and an earlier one was not over" in text
    assert "will never start: a newer one came (its trigger's policy)." in text


def test_what_a_chain_asked_for_names_the_runs_that_it_follows() -> None:
    after = (RunId("run_a"), RunId("run_b"))
    by = TriggeredBy("shop/local/report/chain", NOW - timedelta(seconds=2), after=after)
    requested = Requested(TriggerKind.CHAIN, by.trigger, 1)
    for meant, ending in (
        (by, "b, the last of which ended at 11:59:58 UTC."),
        (replace(by, instant=None), "b."),
    ):
        run = make_run(trigger=TriggerKind.CHAIN, triggered_by=meant)
        told = [Happening(1, NOW, "requested", State.QUEUED, asdict(requested))]
        text = "\n".join(explain(run, told, [], NOW))
        assert f"It follows run_a and run_{ending}" in text
