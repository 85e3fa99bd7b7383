"""What each fact is measured as."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from runyard.flow.lifecycle import Facts, Slot, decide, wanted
from runyard.model.event import CancelRequested, Due, Ended, Event, Launched, Released
from runyard.model.metric import Metric
from runyard.model.outcome import Ending, TaskFailure, Usage
from runyard.model.run import Overrides, RunPolicy, TriggerKind
from runyard.telemetry.measuring import STARTED_MAX, Measuring
from tests.support.stories import START, Story, begun, outcome

Seen = tuple[str, dict[str, str], float]


class Measured:
    """A story that is measured while it is told."""

    def __init__(self, policy: RunPolicy | None = None) -> None:
        self.measuring = Measuring()
        self.story: Story = begun(policy) if policy else begun()

    def tell(self, event: Event, after: float = 0.0) -> list[Seen]:
        story = self.story
        story.now += timedelta(seconds=after)
        slots = {name: Slot(name, 9) for name in wanted(story.run)}
        decision = decide(story.run, event, Facts(slots), story.now)
        story.note(decision)
        facts = [(decision.run, decision.fact, story.now)]
        return [
            (metric, dict(labels), value)
            for _, metric, labels, value in self.measuring.samples(facts)
        ]


FAILURE = TaskFailure(0, 1, "no", exit_code=1)
USED = Usage(
    task_attempts=2,
    billed_milliseconds=120_000,
    cpu_milliseconds=1500,
    memory_peak_bytes=256,
    memory_bytes=1024,
)


def test_a_run_with_a_retry() -> None:
    measured = Measured()
    ((name, labels, seconds),) = measured.tell(Due(), 0.3)
    assert (name, labels) == (Metric.QUEUE_WAIT, {})
    assert seconds == pytest.approx(0.3)
    assert measured.tell(Launched(1, "a"), 0.2) == [(Metric.START_LATENCY, {}, 0.2)]
    failed = outcome(Ending.FAILED, "1 task failed", FAILURE)
    ended = {
        metric: (labels, value) for metric, labels, value in measured.tell(Ended(1, failed), 5)
    }
    assert ended[Metric.ATTEMPTS] == (
        {"class": "application", "ending": "failed", "verdict": "retry"},
        1.0,
    )
    assert Metric.RUNS not in ended
    assert [one[0] for one in measured.tell(Due(), 10)] == [Metric.QUEUE_WAIT, Metric.RETRIES]
    assert measured.tell(Launched(2, "b"))[0][0] == Metric.START_LATENCY
    last = measured.tell(Ended(2, outcome()), 5)
    assert (Metric.RUNS, {"state": "succeeded"}, 1.0) in last
    ((took, revision),) = [
        (value, labels["revision"]) for name, labels, value in last if name == Metric.RUN_DURATION
    ]
    assert took == pytest.approx(20.2)
    assert revision == str(measured.story.run.revision)
    assert Metric.DEAD_LETTERS not in {one[0] for one in last}
    assert measured.tell(Released(2)) == []


def test_a_dead_run_is_counted_by_the_class_of_its_failure() -> None:
    measured = Measured(RunPolicy())
    measured.tell(Due())
    measured.tell(Launched(1, "a"))
    last = measured.tell(Ended(1, outcome(Ending.FAILED, "1 task failed", FAILURE)), 5)
    assert (Metric.RUNS, {"class": "application", "state": "dead"}, 1.0) in last
    assert {"class": "application", "ending": "failed", "verdict": "give_up"} in [
        labels for name, labels, _ in last if name == Metric.ATTEMPTS
    ]


def test_what_an_attempt_used_and_cost() -> None:
    measured = Measured()
    measured.tell(Due())
    measured.tell(Launched(1, "a"))
    found = {one[0]: one[2] for one in measured.tell(Ended(1, replace(outcome(), usage=USED)), 5)}
    assert found[Metric.CPU] == 1.5
    assert found[Metric.MEMORY] == 0.25
    assert 0 < found[Metric.COST] < 1


def test_what_was_not_measured_is_not_made_up() -> None:
    measured = Measured()
    measured.tell(Due())
    measured.tell(Launched(1, "a"))
    nothing = replace(outcome(Ending.REFUSED, "no"), usage=Usage(), started_at=None)
    found = {one[0] for one in measured.tell(Ended(1, nothing), 5)}
    assert found == {
        Metric.ATTEMPTS, Metric.RUNS, Metric.DEAD_LETTERS, Metric.RUN_DURATION
    }  # fmt: skip
    unmetered = Measured()
    unmetered.tell(Due())
    unmetered.tell(Launched(1, "a"))
    used = Usage(task_attempts=1, billed_milliseconds=60_000)
    names = {one[0] for one in unmetered.tell(Ended(1, replace(outcome(), usage=used)), 5)}
    assert not names & {Metric.CPU, Metric.MEMORY}


def test_a_scheduled_run_is_so_late() -> None:
    for env, late in (((), None), ((("RUNYARD_INSTANT", "2026-09-01T11:59:50Z"),), 10.0)):
        story = begun()
        run = story.run.evolve(trigger=TriggerKind.SCHEDULE, overrides=Overrides(env=env))
        slots = {name: Slot(name, 9) for name in wanted(run)}
        step = decide(run, Due(), Facts(slots), story.now)
        found = Measuring().samples([(step.run, step.fact, START)])
        assert {name: value for _, name, _, value in found}.get(Metric.LATENESS) == late


def test_a_run_that_never_started_only_counts() -> None:
    assert Measured().tell(CancelRequested("admin")) == [(Metric.RUNS, {"state": "cancelled"}, 1.0)]


def test_a_launch_of_before_a_restart_has_no_latency() -> None:
    measured = Measured()
    measured.tell(Due())
    measured.measuring = Measuring()
    assert measured.tell(Launched(1, "a"), 3) == []


def test_who_is_never_launched_is_forgotten() -> None:
    measuring = Measuring()
    story = begun()
    slots = {name: Slot(name, 9) for name in wanted(story.run)}
    first = decide(story.run, Due(), Facts(slots), story.now)
    for number in range(STARTED_MAX + 1):
        run = first.run.evolve(id=f"run_{number}")
        list(measuring.samples([(run, first.fact, story.now)]))
    launched = decide(first.run, Launched(1, "a"), Facts(slots), story.now)
    oldest = launched.run.evolve(id="run_0")
    assert list(measuring.samples([(oldest, launched.fact, story.now)])) == []
