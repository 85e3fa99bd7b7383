"""What can be done about an incident: each suggestion, with why and why not."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from runyard.flow.growing import MEMORY_BYTES_MAX, grown, next_size, template_memory
from runyard.flow.remedies import (
    ACTIONS,
    Case,
    Suggestion,
    memory_of,
    suggestion,
    suggestions,
)
from runyard.model.dead_letter import DeadLetter
from runyard.model.failure import Failure, FailureClass, Shortage
from runyard.model.ids import RunId
from runyard.model.incident import RemedyAction
from runyard.model.outcome import Ending, Usage
from runyard.model.quantities import GIB, MIB
from runyard.model.recovery import Scaled
from runyard.model.run import Run, State, TriggerKind
from runyard.model.trigger.row import Trigger, TriggerState
from tests.support.runs import NOW, make_outcome, make_run, make_spec

DOCUMENT = make_spec().document()


def run(number: int, state: State = State.DEAD, revision: int = 3, **changes: Any) -> Run:
    """The run that ended as the so-and-so-manieth, `changes` of its failure aside."""
    failure = Failure(FailureClass.APPLICATION, "exit code")
    ending = Ending.SUCCEEDED if state is State.SUCCEEDED else Ending.FAILED
    outcome = make_outcome(ending, failure=None if state is State.SUCCEEDED else failure)
    made = make_run(
        state,
        id=RunId(f"run_{number}"),
        revision=revision,
        ended_at=NOW + timedelta(minutes=number),
        outcome=outcome,
    )
    return replace(made, **changes)


def failed_for(one: Run, failure_class: FailureClass, shortage: Shortage | None = None) -> Run:
    """The run, with another class."""
    assert one.outcome is not None
    failure = Failure(failure_class, "a rule", shortage=shortage)
    return replace(one, outcome=replace(one.outcome, failure=failure))


def case(*dead: Run, **changes: Any) -> Case:
    """Of a job whose revision 3 is in force; the runs that died, newest first."""
    usual = Case(
        job="report",
        revision=3,
        document=DOCUMENT,
        revisions=frozenset({1, 2, 3}),
        dead=dead,
    )
    return replace(usual, **changes)


def schedule(name: str = "nightly", state: TriggerState = TriggerState.ENABLED) -> Trigger:
    return Trigger("shop", "local", "report", name, TriggerKind.SCHEDULE, {}, NOW, state)


def said(found: Suggestion) -> tuple[bool, str, tuple[str, ...]]:
    return (found.suggested, found.reason, found.target)


GOOD = run(1, State.SUCCEEDED, revision=2)


def test_of_a_job_that_is_gone_nothing_is_suggested() -> None:
    found = suggestions(Case(job="report"))
    assert [one.action for one in found] == list(ACTIONS)
    assert {said(one) for one in found} == {(False, "report is not in force any more", ())}
    assert suggestion(Case(), RemedyAction.PAUSE).reason == "it is about no job"


@pytest.mark.parametrize(
    ("about", "expected"),
    [
        (
            case(run(3), run(2), succeeded=GOOD),
            (
                True,
                "revision 2 succeeded last (run_1), and 2 runs of revision 3 have died since",
                ("2",),
            ),
        ),
        (
            case(run(3), run(2, revision=2), succeeded=GOOD),
            (
                True,
                "revision 2 succeeded last (run_1), and 1 run of revision 3 has died since",
                ("2",),
            ),
        ),
        (case(run(3)), (False, "no revision of it is known to have succeeded", ())),
        (
            case(run(3), succeeded=run(1, State.SUCCEEDED)),
            (False, "revision 3, in force, has succeeded", ()),
        ),
        (
            case(run(3), succeeded=GOOD, revisions=frozenset({3})),
            (False, "revision 2, which succeeded, is not kept", ()),
        ),
        (
            case(run(3, revision=2), succeeded=GOOD),
            (
                False,
                "no run of revision 3, in force, has died since the last success",
                ("2",),
            ),
        ),
        (
            case(run(0), succeeded=GOOD),
            (
                False,
                "no run of revision 3, in force, has died since the last success",
                ("2",),
            ),
        ),
        (
            case(run(3, outcome=None), succeeded=GOOD),
            (
                True,
                "revision 2 succeeded last (run_1), and 1 run of revision 3 has died since",
                ("2",),
            ),
        ),
        (
            case(run(3, outcome=make_outcome(Ending.FAILED)), succeeded=GOOD),
            (
                True,
                "revision 2 succeeded last (run_1), and 1 run of revision 3 has died since",
                ("2",),
            ),
        ),
        (
            case(failed_for(run(3), FailureClass.NETWORK), succeeded=GOOD),
            (False, "run_3 failed for the network, not for the job", ("2",)),
        ),
    ],
)
def test_a_rollback_makes_sense_where_an_older_revision_succeeded_last(
    about: Case, expected: tuple[bool, str, tuple[str, ...]]
) -> None:
    assert said(suggestion(about, RemedyAction.ROLLBACK)) == expected


def test_a_pause_makes_sense_where_schedules_ask_for_more_dead_runs() -> None:
    dead = [run(4), run(3), run(2)]
    found = suggestion(case(*dead, triggers=[schedule()]), RemedyAction.PAUSE)
    reason = "3 runs in a row are dead, and nightly asks for more"
    assert said(found) == (True, reason, ("nightly",))
    both = suggestion(case(*dead, triggers=[schedule(), schedule("hourly")]), RemedyAction.PAUSE)
    assert both.reason == "3 runs in a row are dead, and nightly and hourly ask for more"
    since = replace(GOOD, ended_at=NOW + timedelta(minutes=2))
    few = suggestion(case(*dead, succeeded=since, triggers=[schedule()]), RemedyAction.PAUSE)
    assert said(few) == (
        False, "2 runs in a row died; it makes sense from 3 on", ("nightly",),
    )  # fmt: skip
    none = (False, "no schedule of it asks for runs", ())
    chain = replace(schedule(), kind=TriggerKind.CHAIN)
    for triggers in ([], [schedule(state=TriggerState.PAUSED)], [chain]):
        assert said(suggestion(case(*dead, triggers=triggers), RemedyAction.PAUSE)) == none


def short(number: int, memory_bytes: int = 512 * MIB) -> Run:
    """A run that was killed for memory."""
    one = failed_for(run(number), FailureClass.RESOURCE, Shortage.MEMORY)
    assert one.outcome is not None
    outcome = replace(one.outcome, usage=Usage(memory_bytes=memory_bytes))
    return replace(one, outcome=outcome)


def test_more_memory_makes_sense_where_the_last_dead_run_lacked_it() -> None:
    found = suggestion(case(short(2), run(1)), RemedyAction.RAISE_MEMORY)
    assert said(found) == (True, "run_2 was killed for memory with 512Mi", ("1Gi",))
    worked = run(3, State.SUCCEEDED, scaled=Scaled(memory_bytes=3 * GIB))
    found = suggestion(case(short(2), succeeded=worked, worked=worked), RemedyAction.RAISE_MEMORY)
    assert found.reason == "run_2 was killed for memory with 512Mi, and run_3 succeeded with 3Gi"
    assert found.target == ("3Gi",)
    longer = run(3, State.SUCCEEDED, scaled=Scaled(timeout_seconds=60))
    found = suggestion(case(short(2), worked=longer), RemedyAction.RAISE_MEMORY)
    assert said(found) == (True, "run_2 was killed for memory with 512Mi", ("1Gi",))
    as_much = run(3, State.SUCCEEDED, scaled=Scaled(memory_bytes=512 * MIB))
    found = suggestion(case(short(2), worked=as_much), RemedyAction.RAISE_MEMORY)
    assert said(found) == (True, "run_2 was killed for memory with 512Mi", ("1Gi",))
    assert memory_of(replace(short(2), outcome=None)) == 0
    for dead in ([], [run(3), short(2)]):
        found = suggestion(case(*dead), RemedyAction.RAISE_MEMORY)
        assert said(found) == (False, "the last dead run was not killed for memory", ("1Gi",))
    found = suggestion(case(replace(short(2), outcome=None)), RemedyAction.RAISE_MEMORY)
    assert not found.suggested


def test_memory_that_the_job_has_by_now_is_not_suggested_again() -> None:
    larger = {**DOCUMENT, "template": grown(DOCUMENT["template"], GIB)}
    found = suggestion(case(short(2), document=larger), RemedyAction.RAISE_MEMORY)
    assert said(found) == (False, "its tasks have 1Gi now, more than run_2 had", ("2Gi",))
    scaled = replace(short(2), scaled=Scaled(memory_bytes=GIB))
    found = suggestion(case(scaled, document=larger), RemedyAction.RAISE_MEMORY)
    assert said(found) == (True, "run_2 was killed for memory with 1Gi", ("2Gi",))
    most = {**DOCUMENT, "template": grown(DOCUMENT["template"], MEMORY_BYTES_MAX)}
    found = suggestion(case(short(2), document=most), RemedyAction.RAISE_MEMORY)
    assert said(found) == (False, "its tasks have 32Gi, the most there is", ())


def test_sizes_double_to_the_most_there_is() -> None:
    assert [next_size(one) for one in (512 * MIB, 600 * MIB, 24 * GIB)] == [
        GIB, 1280 * MIB, 32 * GIB,
    ]  # fmt: skip


def test_what_grows_is_the_first_container_with_the_cpus_that_it_needs() -> None:
    template = DOCUMENT["template"]
    assert template_memory(template) == 512 * MIB
    after = grown(template, 6 * GIB)
    (container,) = after["template"]["containers"]
    assert container["resources"]["limits"] == {"cpu": "2000m", "memory": "6Gi"}
    assert template_memory(template) == 512 * MIB, "the argument is as it was"


def letter(number: int, **changes: Any) -> DeadLetter:
    """The open letter of the run with that number."""
    one = run(number)
    assert one.ended_at is not None
    made = DeadLetter(
        run=one.id,
        project="shop",
        environment="local",
        job="report",
        region=one.region,
        revision=3,
        failure_class=FailureClass.APPLICATION,
        rule="exit code",
        evidence=(),
        reason="it failed",
        attempts=1,
        fingerprint="f",
        title="it failed",
        died_at=one.ended_at,
    )
    return replace(made, **changes)


SAME = "nothing of the job has changed since, so they would end the same way"


@pytest.mark.parametrize(
    ("about", "suggested", "reason"),
    [
        (case(run(2)), False, "no dead run of it waits for somebody"),
        (
            case(letters=[letter(2)], succeeded=run(3, State.SUCCEEDED)),
            True,
            "the job works again: run_3 succeeded since",
        ),
        (
            case(letters=[letter(2, revision=2)]),
            True,
            "revision 3 came into force since they died",
        ),
        (
            case(letters=[letter(2, failure_class=FailureClass.PLATFORM)]),
            True,
            "run_2 failed for the platform, which may be over",
        ),
        (case(letters=[letter(2)]), False, SAME),
        (case(letters=[letter(2)], succeeded=run(2, State.SUCCEEDED)), False, SAME),
        (case(letters=[letter(2)], succeeded=replace(GOOD, ended_at=None)), False, SAME),
    ],
)
def test_a_replay_makes_sense_once_something_has_changed(
    about: Case, suggested: bool, reason: str
) -> None:
    found = suggestion(about, RemedyAction.REPLAY)
    assert (found.suggested, found.reason) == (suggested, reason)
    assert found.target == tuple(one.run for one in about.letters)
