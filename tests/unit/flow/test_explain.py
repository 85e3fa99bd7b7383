"""A run's story is told whole, in order, and only from rows: golden texts, and what must hold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runyard.flow.explain import explain
from runyard.flow.wording import (
    count,
    counts,
    dollars,
    listed,
    number,
    plain,
    sentence,
    signal_name,
    span,
)
from runyard.model.errors import IllegalTransition
from runyard.model.event import (
    CancelRequested,
    DeadlinePassed,
    Delayed,
    Due,
    Ended,
    Event,
    Launched,
    Released,
    SlotFreed,
)
from runyard.model.ids import RunId
from runyard.model.outcome import Ending, TaskFailure
from runyard.model.run import OnConflict, Overrides, RunPolicy
from runyard.store.runs import Happening
from tests.support.stories import START, STEADY, Story, begun, outcome

STORIES = Path(__file__).parent / "stories"
SLOT = "job/shop/local/report"
REGION = "region/local/us-central1"


def succeeded() -> Story:
    return begun().launched().tell(Ended(1, outcome()), 72)


def released() -> Story:
    removed = (("folder", 2), ("cgroup", 2), ("process", 0))
    left = ("the folder /tmp/x: permission denied",)
    return succeeded().tell(Released(1, removed, left), 1)


def failed_twice_then_succeeded() -> Story:
    exit_code = TaskFailure(1, 2, "the source is empty.", exit_code=4)
    killed = TaskFailure(0, 1, "", signal=9)
    memory = TaskFailure(1, 1, "used 600 MiB of 512 MiB", signal=9, out_of_memory=True)
    story = begun().launched("no image is pulled")
    story.tell(Ended(1, outcome(Ending.FAILED, "1 task failed", exit_code, retried=1)), 30)
    story.launched("no image is pulled", "the memory limit is not enforced", after=10)
    story.tell(Ended(2, outcome(Ending.FAILED, "2 tasks failed", killed, memory)), 5)
    return story.launched(after=20.4).tell(Ended(3, outcome(retried=2)), 3600)


def timed_out() -> Story:
    late = TaskFailure(1, 1, "ran for 600 s", exit_code=None, signal=15, timed_out=True)
    story = begun().launched()
    return story.tell(Ended(1, outcome(Ending.TIMED_OUT, "1 task timed out", late)), 600)


def timeout_retried() -> Story:
    late = TaskFailure(1, 1, "", timed_out=True)
    story = begun(replace(STEADY, timeout_attempts_max=2)).launched()
    return story.tell(Ended(1, outcome(Ending.TIMED_OUT, "1 task timed out", late)), 600)


def many_failures() -> Story:
    first = [TaskFailure(index, 1, "bad input", exit_code=1) for index in range(10)]
    policy = replace(STEADY, attempts_max=1)
    ended = outcome(Ending.FAILED, "1234 tasks failed", *first, failed=1234)
    return begun(policy).launched().tell(Ended(1, ended), 20)


def waited_for_its_job() -> Story:
    story = begun(replace(STEADY, concurrency_limit=1)).tell(Due(), 0.1, {SLOT: 1})
    return story.tell(SlotFreed(SLOT), 125).launched()


def waits_for_its_region() -> Story:
    story = begun(priority=2).tell(Due(), 0.1, {REGION: 1000})
    story.now += timedelta(minutes=9)
    return story


def skipped() -> Story:
    policy = replace(STEADY, concurrency_limit=2, on_conflict=OnConflict.SKIP)
    return begun(policy).tell(Due(), 0.1, {SLOT: 2})


def cancelled_while_queued() -> Story:
    return begun(replace(STEADY, concurrency_limit=1)).tell(
        CancelRequested("admin", "not\nneeded."), 12
    )


def cancelled_while_running() -> Story:
    story = begun().launched().tell(CancelRequested("admin"), 40)
    return story.tell(Ended(1, outcome(Ending.CANCELLED, "cancelled")), 9)


def stopping() -> Story:
    return begun().launched().tell(CancelRequested("admin", "too slow"), 40)


def replaced_by_newer() -> Story:
    newer = RunId("run_01m1edeag30000000000000002")
    story = begun().launched().tell(CancelRequested("runyard", "", newer), 3)
    return story.tell(Ended(1, outcome(Ending.CANCELLED, "cancelled")), 1)


def deadline_passed() -> Story:
    policy = replace(STEADY, deadline_seconds=3600.0)
    story = begun(policy).launched().tell(DeadlinePassed(), 3600)
    return story.tell(Ended(1, outcome(Ending.CANCELLED, "cancelled")), 10)


def deadline_forbids_retry() -> Story:
    policy = replace(STEADY, deadline_seconds=60.0)
    bad = TaskFailure(0, 1, "no", exit_code=1)
    story = begun(policy).launched()
    return story.tell(Ended(1, outcome(Ending.FAILED, "1 task failed", bad)), 55)


def lost_and_backing_off() -> Story:
    nothing = outcome(Ending.LOST, "the spawner has no record of it", billed_milliseconds=0)
    return begun().launched().tell(Ended(1, replace(nothing, task_count=0, succeeded_count=0)), 90)


def delayed_and_refused() -> Story:
    story = begun().tell(Due(), 0.1)
    for _ in range(3):
        story.tell(Delayed(1, "the spawner does not answer", story.now), 1)
    refused = outcome(Ending.REFUSED, "no command to run", billed_milliseconds=0)
    return story.tell(Ended(1, replace(refused, task_count=0, succeeded_count=0)), 1)


def changed_for_this_run() -> Story:
    overrides = Overrides(("--month", "3"), (("DEBUG", "1"), ("MODE", "x")), 4, 90.0)
    warning = "image is not pulled: command and args are run on this machine as it is"
    return begun(overrides=overrides, priority=-3).launched(warning)


def unknown_region() -> Story:
    return begun(region="mars-north1").launched().tell(Ended(1, outcome()), 5)


def next_day() -> Story:
    return begun(replace(STEADY, deadline_seconds=172_800.0)).launched(after=86_400)


def long_and_without_evidence() -> Story:
    gone = TaskFailure(0, 1, "")
    ended = outcome(Ending.FAILED, "1 task failed", gone, failed=1)
    hour = replace(ended.usage, wall_milliseconds=3_600_000, billed_milliseconds=3_600_000)
    story = begun(replace(STEADY, attempts_max=1)).launched()
    return story.tell(Ended(1, replace(ended, usage=hour)), 3600).tell(Released(1))


TOLD: list[Callable[[], Story]] = [
    succeeded, released, failed_twice_then_succeeded, timed_out, timeout_retried, many_failures,
    waited_for_its_job, waits_for_its_region, skipped, cancelled_while_queued,
    cancelled_while_running, stopping, replaced_by_newer, deadline_passed, deadline_forbids_retry,
    lost_and_backing_off, delayed_and_refused, changed_for_this_run, unknown_region, next_day,
    long_and_without_evidence,
]  # fmt: skip


def told(story: Story) -> list[str]:
    return explain(story.run, story.history, story.charges, story.now)


@pytest.mark.parametrize("make", TOLD, ids=lambda make: str(make.__name__))
def test_the_story_is_told_as_written(make: Callable[[], Story]) -> None:
    expected = (STORIES / f"{make.__name__}.txt").read_text()
    assert "\n".join(told(make())) + "\n" == expected


def test_every_story_that_is_written_is_told() -> None:
    assert {path.stem for path in STORIES.iterdir()} == {make.__name__ for make in TOLD}


def test_a_charge_by_a_table_that_is_gone_is_told_without_its_price() -> None:
    story = succeeded()
    story.charges = [replace(story.charges[0], price_table=date(2020, 1, 1))]
    (cost,) = [one for one in told(story) if one.startswith("Attempt 1 cost")]
    assert cost.endswith("at the tier 1 prices of 2020-01-01.")


def test_a_fact_of_a_later_version_is_not_left_out() -> None:
    story = begun()
    fact = Happening(2, START + timedelta(seconds=5), "moved_house", story.run.state, {})
    story.history.append(fact)
    assert "Moved house at 12:00:05 UTC." in told(story)


events = st.one_of(
    st.just(Due()),
    st.builds(Launched, st.integers(1, 3), st.text(max_size=8), st.tuples(st.text(max_size=5))),
    st.builds(Delayed, st.integers(1, 3), st.text(max_size=8), st.just(START)),
    st.builds(
        Ended,
        st.integers(1, 3),
        st.builds(
            outcome,
            st.sampled_from(Ending),
            st.text(max_size=8),
            st.builds(
                TaskFailure,
                st.integers(0, 9),
                st.integers(1, 3),
                st.text(max_size=8),
                exit_code=st.none() | st.integers(0, 255),
                signal=st.none() | st.integers(0, 70),
                timed_out=st.booleans(),
                out_of_memory=st.booleans(),
            ),
            retried=st.integers(0, 3),
            wall_milliseconds=st.integers(0, 10**9),
            billed_milliseconds=st.integers(0, 10**9),
        ),
    ),
    st.builds(CancelRequested, st.text(max_size=8), st.text(max_size=8)),
    st.just(DeadlinePassed()),
    st.builds(SlotFreed, st.just(SLOT)),
    st.builds(Released, st.integers(1, 3), st.just((("folder", 2),)), st.tuples(st.text())),
)
policies = st.builds(
    RunPolicy,
    attempts_max=st.integers(1, 3),
    timeout_attempts_max=st.integers(1, 3),
    concurrency_limit=st.integers(0, 2),
    on_conflict=st.sampled_from(OnConflict),
    deadline_seconds=st.none() | st.floats(1, 1e6),
)


@given(policies, st.lists(st.tuples(events, st.floats(0, 1e6), st.booleans()), max_size=20))
def test_every_history_there_can_be_is_told_in_whole_sentences(
    policy: RunPolicy, steps: list[tuple[Event, float, bool]]
) -> None:
    story = begun(policy)
    for event, after, is_full in steps:
        try:
            story.tell(event, after, {REGION: 3} if is_full else None)
        except IllegalTransition:
            continue
    sentences = told(story)
    assert all(one.isprintable() and one.endswith(".") and one[0] != " " for one in sentences)
    assert len(sentences) > 1
    assert sum("cost" in one.split(":")[0] for one in sentences) >= len(story.charges)


SPANS = [
    (0, "0 s"), (-3, "0 s"), (0.01, "less than 0.1 s"), (0.44, "0.4 s"), (2, "2 s"),
    (9.94, "9.9 s"), (9.96, "10 s"), (59.6, "1 min"), (72, "1 min 12 s"), (3600, "1 h"),
    (7500, "2 h 5 min"), (86_400, "1 d"), (273_600, "3 d 4 h"),
]  # fmt: skip


@pytest.mark.parametrize(("seconds", "words"), SPANS)
def test_spans_have_at_most_two_units(seconds: float, words: str) -> None:
    assert span(seconds) == words


def test_words() -> None:
    assert [number(720), number(1440.5), number(0.1234)] == ["720", "1,440.5", "0.123"]
    assert [count(1, "task"), count(1200, "task")] == ["1 task", "1,200 tasks"]
    assert [count(2, "try", "tries")] == ["2 tries"]
    assert [listed([]), listed(["a"]), listed(["a", "b", "c"])] == ["", "a", "a, b and c"]
    assert counts([(0, "failed"), (2, "succeeded"), (1, "cancelled")]) == (
        "2 succeeded and 1 cancelled"
    )
    assert [dollars(18_000), dollars(2_000_000_000)] == ["$0.000018", "$2"]
    assert [signal_name(9), signal_name(99)] == ["9 (SIGKILL)", "99"]
    assert sentence("it", "", "rains") == "It rains."
    assert plain(" two\nlines\x07. ") == "two lines�"
    assert len(plain("x" * 9_999)) == 500
