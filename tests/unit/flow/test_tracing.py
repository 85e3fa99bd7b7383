"""A run is a trace: what it waited for, launched and did, each part within what it is part of."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from runyard.flow.tracing import Span, span_id, spans, trace_id, traceparent
from runyard.model.event import CancelRequested, Due, Ended, Launched
from runyard.model.ids import RunId, number_in, stamped
from runyard.model.outcome import Ending, TaskFailure
from runyard.provider.port import TaskView
from tests.support.runs import NOW
from tests.support.stories import Story, begun, outcome

FAILURE = TaskFailure(0, 1, "no", exit_code=1)


def told(story: Story, tasks: dict[int, list[TaskView]] | None = None) -> list[Span]:
    return spans(story.run, story.history, tasks or {})


def shown(found: list[Span], begin: datetime) -> list[tuple[str, str, float, float | None]]:
    """Name, name of the parent, begin and end in seconds."""
    names = {one.id: one.name for one in found} | {"": ""}
    return [
        (
            one.name,
            names[one.parent],
            round((one.started_at - begin).total_seconds(), 3),
            None if one.ended_at is None else round((one.ended_at - begin).total_seconds(), 3),
        )
        for one in found
    ]


def test_a_run_with_a_retry() -> None:
    story = begun().launched()
    begin = story.run.requested_at
    story.tell(Ended(1, outcome(Ending.FAILED, "1 task failed", FAILURE)), 5)
    at = begin + timedelta(seconds=1)
    tasks = {
        1: [
            TaskView(0, "failed", 1, at, at + timedelta(seconds=2), message="it broke"),
            TaskView(1, "pending"),
        ],
        2: [TaskView(0, "running", 0, at)],
    }
    story.tell(Due(), 10).tell(Launched(2, "b"), 0.5)
    found = told(story, tasks)
    assert shown(found, begin) == [
        ("run report", "", 0, None),
        ("wait", "run report", 0, 0.2),
        ("attempt 1", "run report", 0.2, 5.3),
        ("launch", "attempt 1", 0.2, 0.3),
        ("task 0", "attempt 1", 1, 3),
        ("wait", "run report", 5.3, 15.3),
        ("attempt 2", "run report", 15.3, None),
        ("launch", "attempt 2", 15.3, 15.8),
        ("task 0", "attempt 2", 1, None),
    ]
    first = found[2]
    assert (first.failed, first.message) == (True, "1 task failed")
    assert dict(first.attributes)["runyard.verdict"] == "retry"
    broken = found[4]
    assert (broken.failed, broken.message) == (True, "it broke")
    assert dict(broken.attributes)["runyard.tries"] == 2
    story.tell(Ended(2, outcome()), 5)
    ended = told(story)
    assert [one.failed for one in ended if one.name != "attempt 1"] == [False] * (len(ended) - 1)
    assert ended[0].ended_at == story.run.ended_at
    assert len({one.id for one in ended}) == len(ended)


# fmt: off
#: Ids are made of the run's own id and of what a part is: they are what they were, always, since a
#: task was told its place in the trace before it began.
WHOLE: list[tuple[str, str, str, str, dict[str, str | int | float]]] = [
    ("481f6074c7fdae9c", "", "run report", "", {
        "runyard.run": "run_01m1edeag30000000000000001", "runyard.job": "report",
        "runyard.project": "shop", "runyard.environment": "local",
        "runyard.region": "us-central1", "runyard.revision": 3, "runyard.trigger": "manual",
        "runyard.requested_by": "admin", "runyard.state": "succeeded",
        "runyard.cost_dollars": 0.00456}),
    ("25e0c5a94a08edbf", "481f6074c7fdae9c", "wait", "", {}),
    ("445aca5ea965f04b", "481f6074c7fdae9c", "attempt 1", "1 task failed", {
        "runyard.attempt": 1, "runyard.ending": "failed", "runyard.verdict": "retry",
        "runyard.tasks": 2}),
    ("9a6c02a0c681589a", "445aca5ea965f04b", "launch", "", {"runyard.handle": "report-00001"}),
    ("87bcf8091ee275de", "445aca5ea965f04b", "task 0", "it broke", {
        "runyard.task": 0, "runyard.state": "failed", "runyard.tries": 2}),
    ("57d7de26e65ed2a9", "445aca5ea965f04b", "task 1", "it went", {
        "runyard.task": 1, "runyard.state": "lost", "runyard.tries": 1}),
    ("cb17ff31b66202de", "481f6074c7fdae9c", "wait", "", {}),
    ("2a779f241dbba520", "481f6074c7fdae9c", "attempt 2", "", {
        "runyard.attempt": 2, "runyard.ending": "succeeded", "runyard.verdict": "done",
        "runyard.tasks": 2}),
    ("40ed99a0d4905aa2", "2a779f241dbba520", "launch", "", {"runyard.handle": "b"}),
    ("7f6e408b3b71bc52", "2a779f241dbba520", "task 0", "", {
        "runyard.task": 0, "runyard.state": "running", "runyard.tries": 1}),
]
# fmt: on


def test_every_part_has_its_id_its_words_and_its_attributes() -> None:
    story = begun().launched()
    story.tell(Ended(1, outcome(Ending.FAILED, "1 task failed", FAILURE)), 5)
    at = story.run.requested_at + timedelta(seconds=1)
    tasks = {
        1: [
            TaskView(0, "failed", 1, at, at, message="it broke"),
            TaskView(1, "lost", 0, at, message="it went"),
        ],
        2: [TaskView(0, "running", 0, at, message="what does not count")],
    }
    backing_off = told(story, tasks)
    assert (backing_off[-1].id, backing_off[-1].ended_at) == (WHOLE[6][0], None)
    story.tell(Due(), 10).tell(Launched(2, "b"), 0.5)
    going_on = told(story, tasks)
    assert (going_on[7].id, going_on[7].ended_at) == (WHOLE[7][0], None)
    found = told(story.tell(Ended(2, outcome()), 5), tasks)
    assert [
        (one.id, one.parent, one.name, one.message, dict(one.attributes)) for one in found
    ] == WHOLE
    assert [one.failed for one in found] == [
        one.name in ("attempt 1", "task 1") or one.message == "it broke" for one in found
    ]


def test_a_run_that_waits_and_one_that_never_started() -> None:
    waiting = begun()
    begin = waiting.run.requested_at
    assert shown(told(waiting), begin) == [
        ("run report", "", 0, None), ("wait", "run report", 0, None)
    ]  # fmt: skip
    waiting.tell(CancelRequested("admin"), 3)
    assert shown(told(waiting), begin) == [
        ("run report", "", 0, 3), ("wait", "run report", 0, 3)
    ]  # fmt: skip


def test_a_dead_run_and_one_that_backs_off() -> None:
    story = begun().launched()
    story.tell(Ended(1, outcome(Ending.FAILED, "1 task failed", FAILURE)), 5)
    assert told(story)[-1].name == "wait"
    assert told(story)[-1].ended_at is None
    for number in (2, 3):
        story.tell(Due(), 30)
        story.tell(Ended(number, outcome(Ending.FAILED, "1 task failed", FAILURE)), 5)
    whole, *rest = told(story)
    assert whole.failed
    assert "1 task failed" in whole.message
    assert rest[-1].name == "attempt 3"  # what ended before it was told that it was launched


def test_ids_are_those_of_the_standard_and_always_the_same() -> None:
    run = RunId(stamped("run", NOW, 4711))
    assert number_in(run) == (int(NOW.timestamp() * 1000) << 80) | 4711
    assert re.fullmatch("00-[0-9a-f]{32}-[0-9a-f]{16}-01", traceparent(run, 2))
    assert traceparent(run, 2).split("-")[1:3] == [trace_id(run), span_id(run, "attempt", 2)]
    assert span_id(run, "attempt", 1) != span_id(run, "attempt", 2)
