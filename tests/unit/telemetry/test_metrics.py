"""Metrics count each thing once, whatever else happens to the same run."""

from __future__ import annotations

from datetime import timedelta

from runyard.flow.lifecycle import Facts, Slot, decide, wanted
from runyard.model.event import CancelRequested, Due, Ended, Event, Launched, Released
from runyard.model.metric import Series
from runyard.model.outcome import Ending, TaskFailure
from runyard.model.run import State
from runyard.telemetry.metrics import LoopReading, Metrics, Reading
from tests.support.stories import Story, begun, outcome


class Measured:
    """A story that is measured while it is told."""

    def __init__(self) -> None:
        self.metrics = Metrics("1.2.3")
        self.story: Story = begun()

    def tell(self, event: Event, after: float = 0.0) -> None:
        story = self.story
        story.now += timedelta(seconds=after)
        slots = {name: Slot(name, 9) for name in wanted(story.run)}
        decision = decide(story.run, event, Facts(slots), story.now)
        story.note(decision)
        self.metrics.observe([(decision.run, decision.fact, story.now)])

    def lines(self, reading: Reading | None = None) -> set[str]:
        return set(self.metrics.text(reading or Reading()).decode().splitlines())


def _finished(state: str) -> str:
    labels = f'class="",job="report",region="us-central1",state="{state}"'
    return f"runyard_runs_finished_total{{{labels}}} 1.0"


def test_a_run_with_a_retry_is_counted_once_and_its_attempts_each() -> None:
    measured = Measured()
    measured.tell(Due(), 0.3)
    measured.tell(Launched(1, "a"))
    failure = TaskFailure(0, 1, "no", exit_code=1)
    measured.tell(Ended(1, outcome(Ending.FAILED, "1 task failed", failure)), 5)
    measured.tell(Due(), 10)
    measured.tell(Launched(2, "b"))
    measured.tell(Ended(2, outcome()), 5)
    measured.tell(Released(1))
    measured.tell(Released(2))
    assert measured.lines() >= {
        _finished("succeeded"),
        'runyard_attempts_ended_total{class="application",ending="failed",verdict="retry"} 1.0',
        'runyard_attempts_ended_total{class="",ending="succeeded",verdict="done"} 1.0',
        'runyard_retries_total{job="report",region="us-central1"} 1.0',
        'runyard_queue_wait_seconds_count{region="us-central1"} 2.0',
        'runyard_queue_wait_seconds_bucket{le="0.1",region="us-central1"} 1.0',
        'runyard_run_duration_seconds_count{region="us-central1",state="succeeded"} 1.0',
        'runyard_run_duration_seconds_sum{region="us-central1",state="succeeded"} 20.0',
        'runyard_build_info{version="1.2.3"} 1.0',
    }


def test_a_run_that_never_started_has_no_duration() -> None:
    measured = Measured()
    measured.tell(CancelRequested("admin"))
    lines = measured.lines()
    assert _finished("cancelled") in lines
    assert not any(line.startswith("runyard_run_duration_seconds_count{") for line in lines)


def test_what_is_looked_up_is_as_it_was_read() -> None:
    loops = {"due": LoopReading(7, 2, 0.5), "watch": LoopReading(0, 0, None)}
    lines = Measured().lines(Reading({State.DEAD: 4}, 5, loops, 6))
    assert lines >= {
        'runyard_runs{state="dead"} 4.0',
        'runyard_runs{state="running"} 0.0',
        "runyard_effects_pending 5.0",
        "runyard_event_streams 6.0",
        'runyard_loop_ticks_total{loop="due"} 7.0',
        'runyard_loop_errors_total{loop="due"} 2.0',
        'runyard_loop_last_tick_age_seconds{loop="due"} 0.5',
    }
    assert not any('age_seconds{loop="watch"}' in line for line in lines)
    assert any(line.startswith("process_resident_memory_bytes ") for line in lines)


def test_two_of_them_do_not_share_anything() -> None:
    first, second = Measured(), Measured()
    first.tell(CancelRequested("admin"))
    assert not any(line.startswith("runyard_runs_finished_total{") for line in second.lines())


def test_what_jobs_measure_themselves_is_a_summary_of_its_own() -> None:
    metrics = Measured().metrics
    rows = Series("local", "shop", "report", "r1", "own.rows", (("table", "orders"),))
    for series, value in ((rows, 3.0), (rows, 4.0), (rows._replace(job="other", labels=()), 1.0)):
        metrics.own(series, value)
    lines = set(metrics.text(Reading()).decode().splitlines())
    assert lines >= {
        "# TYPE runyard_own_rows summary",
        'runyard_own_rows_count{job="report",region="r1",table="orders"} 2.0',
        'runyard_own_rows_sum{job="report",region="r1",table="orders"} 7.0',
        'runyard_own_rows_count{job="other",region="r1",table=""} 1.0',
    }
