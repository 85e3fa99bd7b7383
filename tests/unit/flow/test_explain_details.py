"""Where a run's story depends on how often, how long and how many."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from runyard.flow.explain import explain
from runyard.flow.wording import dollars, number, span
from runyard.model.event import CancelRequested, DeadlinePassed, Delayed, Due, Event, SlotFreed
from runyard.model.run import OnConflict, Overrides
from tests.support.stories import STEADY, Story, begun

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
