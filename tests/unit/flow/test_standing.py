"""Where jobs and steps stand, and how a resource differs from what is wanted."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from runyard.flow.deployment import found, unlike, wanted
from runyard.flow.operation import TOGETHER_MAX
from runyard.flow.standing import conditions, standing, touched
from runyard.flow.step_states import StepState, said, step_state
from runyard.flow.undertaking import FENCE_STEP, next_fence
from runyard.model.condition import Condition, ConditionState
from runyard.model.deployed import DeployedJob, Place
from runyard.model.instants import to_micros
from runyard.model.operation import (
    Change,
    JobChange,
    Operation,
    OperationState,
    Step,
    StepKind,
    StepResult,
)
from runyard.model.standing import Standing
from tests.support.fake_jobs import MADE, plain
from tests.support.operations import make_operation
from tests.support.runs import NOW, make_spec

KINDS = (StepKind.NETWORK, StepKind.IDENTITY, StepKind.DEPLOY, StepKind.PROVE)
DOCUMENT = plain(make_spec().document())
IN_FORCE = Standing(3, DOCUMENT)


def changing(change: Change, **more: object) -> Operation:
    job = JobChange("shop", "report", change, 4, 3, DOCUMENT, DOCUMENT)
    return make_operation(*KINDS, jobs=(job,), **more)


def resource(**changes: object) -> DeployedJob:
    place = Place("shop", "local", "us-central1", "report")
    ready = Condition("Ready", ConditionState.SUCCEEDED, MADE)
    job = DeployedJob(place, "u", 2, 2, "e", DOCUMENT["template"], (), (), (ready,), MADE, MADE)
    return replace(job, **changes)  # type: ignore[arg-type]


def test_a_resource_is_compared_field_by_field() -> None:
    assert unlike(resource(), DOCUMENT) == ()
    assert unlike(None, DOCUMENT) == ("it is not there",)
    more = resource(template={**DOCUMENT["template"], "parallelism": 4}, labels=(("a", "b"),))
    assert unlike(more, DOCUMENT) == (
        "template.parallelism is 4 and not absent",
        "labels is {'a': 'b'} and not absent",
    )
    # of 60 and of 61 characters in all
    for length, kept in ((48, f"{'x' * 48}'}}"), (49, f"{'x' * 47}...")):
        long = resource(annotations=(("note", "x" * length),))
        assert unlike(long, DOCUMENT) == (f"annotations is {{'note': '{kept} and not absent",)
    assert wanted(found(more)).labels == (("a", "b"),)
    noted = wanted(found(resource(annotations=(("note", "x"),))))
    assert (noted.labels, noted.annotations) == ((), (("note", "x"),))


@pytest.mark.parametrize(
    ("changes", "ready"),
    [
        ({}, True),
        ({"observed_generation": 1}, False),
        ({"conditions": ()}, False),
        ({"conditions": (Condition("Ready", ConditionState.FAILED, MADE),)}, False),
    ],
)
def test_a_resource_is_ready_when_it_says_so_of_its_last_change(
    changes: dict[str, object], ready: bool
) -> None:
    assert resource(**changes).is_ready is ready


def test_a_job_that_was_not_there_has_no_standing_to_go_back_to() -> None:
    updated = changing(Change.UPDATED, state=OperationState.RUNNING)
    assert standing(updated, 0, None, NOW) is None
    created = make_operation(*KINDS, state=OperationState.UNDONE)
    assert standing(created, 0, IN_FORCE, NOW) is None
    stuck = changing(Change.UPDATED, state=OperationState.STUCK)
    assert standing(stuck, 0, None, NOW) is None


def test_only_the_job_of_the_stuck_step_is_blocked() -> None:
    stuck = changing(Change.UPDATED, state=OperationState.STUCK, position=2, trouble="no")
    other = replace(stuck, jobs=(*stuck.jobs, replace(stuck.jobs[0], name="other")))
    good = Condition("Validated", ConditionState.SUCCEEDED, MADE)
    ready = Condition("Ready", ConditionState.SUCCEEDED, MADE)
    after = standing(other, 0, replace(IN_FORCE, conditions=(good, ready)), NOW)
    assert after is not None
    assert "could not be undone: no" in after.blocked
    failed = Condition("Ready", ConditionState.FAILED, NOW, "Stuck", "no")
    assert after.conditions == (good, failed)
    assert standing(other, 1, IN_FORCE, NOW) == IN_FORCE


def test_a_change_without_a_proof_of_its_own_leaves_the_job_ready() -> None:
    removing = replace(changing(Change.UPDATED), steps=(Step(StepKind.REMOVE, 0, "x"),))
    assert [one.type for one in conditions(removing, 0, NOW)] == ["Validated", "Ready"]


def test_a_job_that_is_complete_is_ready_since_then() -> None:
    later = NOW + timedelta(minutes=5)
    removing = replace(
        changing(Change.UPDATED, state=OperationState.COMPLETE),
        steps=(Step(StepKind.REMOVE, 0, "x"),),
    )
    validated = Condition("Validated", ConditionState.SUCCEEDED, NOW)
    ready = Condition("Ready", ConditionState.SUCCEEDED, later, message="updated")
    assert standing(removing, 0, IN_FORCE, later) == Standing(
        4, DOCUMENT, conditions=(validated, ready)
    )


@pytest.mark.parametrize(
    ("state", "position", "states"),
    [
        ("waiting", 0, ["pending", "pending", "pending", "pending"]),
        ("running", 0, ["reconciling", "pending", "pending", "pending"]),
        ("running", 1, ["succeeded", "reconciling", "pending", "pending"]),
        ("stopping", 1, ["succeeded", "pending", "pending", "pending"]),
    ],
)
def test_each_condition_is_that_of_its_step(state: str, position: int, states: list[str]) -> None:
    later = NOW + timedelta(minutes=1)
    operation = make_operation(
        *KINDS,
        state=OperationState(state),
        position=position,
        results=(StepResult(later, "there is one", "Found"),)[:position],
        trouble="away",
    )
    made = conditions(operation, 0, NOW + timedelta(minutes=5))
    types = ["NetworkReady", "IdentityReady", "Deployed/us-central1", "Ready"]
    wanted = [Condition("Validated", ConditionState.SUCCEEDED, NOW)]
    for kind, each in zip(types, states, strict=True):
        done, under_way = each == "succeeded", each == "reconciling"
        wanted.append(
            Condition(
                kind,
                ConditionState(each),
                later if done else NOW,
                "Found" if done else "",
                "there is one" if done else "away" if under_way else "",
            )
        )
    assert made == tuple(wanted)
    beside = replace(operation, jobs=(*operation.jobs, replace(operation.jobs[0], name="other")))
    assert [one.type for one in conditions(beside, 1, NOW)] == ["Validated", "Ready"]
    if state != "waiting":
        row = standing(operation, 0, None, NOW)
        assert row == Standing(1, DOCUMENT, operation.id, "it is being created by ann: op_1", made)


def test_so_many_steps_are_out_as_go_together() -> None:
    many = make_operation(*[StepKind.DEPLOY] * (TOGETHER_MAX + 1))
    made = conditions(many, 0, NOW)
    assert [made[place].state for place in (TOGETHER_MAX, TOGETHER_MAX + 1)] == [
        "reconciling", "pending",
    ]  # fmt: skip


def test_jobs_are_touched_by_the_steps_that_were_or_are_out() -> None:
    two = make_operation(StepKind.NETWORK, StepKind.IDENTITY)
    two = replace(
        two,
        jobs=(*two.jobs, replace(two.jobs[0], name="other")),
        steps=(two.steps[0], replace(two.steps[1], job=1)),
    )
    assert touched(two, two.state) == (0,)
    assert touched(two, OperationState.WAITING) == (0, 1)
    assert touched(replace(two, state=OperationState.UNDONE), OperationState.UNDONE) == (0, 1)
    deploys = [Step(StepKind.DEPLOY, 1, "x")] * (TOGETHER_MAX + 1)
    many = replace(two, steps=(two.steps[0], *deploys, Step(StepKind.PROVE, 1)))
    assert touched(replace(many, position=TOGETHER_MAX + 2), many.state) == (1,)


def test_a_step_touches_its_own_job_and_a_new_state_touches_all() -> None:
    one = make_operation(*KINDS, position=1)
    assert touched(one, one.state) == (0,)
    assert touched(one, None) == (0,)
    assert touched(replace(one, position=0), one.state) == (0,)


@pytest.mark.parametrize(
    ("state", "position", "done", "failed", "expected"),
    [
        ("running", 1, 1, None, ["done", "running", "pending", "pending"]),
        ("stopping", 1, 1, None, ["done", "running", "pending", "pending"]),
        ("complete", 3, 4, None, ["done", "done", "done", "done"]),
        ("undoing", 2, 2, 2, ["done", "done", "undoing", "pending"]),
        ("undoing", 1, 2, 2, ["done", "undoing", "undone", "pending"]),
        ("stuck", 2, 2, 2, ["done", "done", "stuck", "pending"]),
        ("undone", 1, 2, 2, ["done", "undone", "undone", "pending"]),
        ("undone", 0, 0, 0, ["failed", "pending", "pending", "pending"]),
        ("undone", 1, 3, 3, ["done", "undone", "undone", "failed"]),
        ("waiting", 0, 0, None, ["pending", "pending", "pending", "pending"]),
    ],
)
def test_each_step_says_how_far_it_is(
    state: str, position: int, done: int, failed: int | None, expected: list[str]
) -> None:
    results = tuple(StepResult(NOW, f"step {number}") for number in range(done))
    operation = make_operation(
        *KINDS,
        state=OperationState(state),
        position=position,
        results=results,
        failed_step=failed,
        error="why",
        trouble="not yet",
    )
    assert [step_state(operation, number) for number in range(4)] == [
        StepState(word) for word in expected
    ]
    words = [said(operation, number) for number in range(4)]
    wanted = [f"step {number}" if number < done else "" for number in range(4)]
    wanted[position] = wanted[position] or "not yet"
    if failed is not None:
        wanted[failed] = "why"
    assert words == wanted


def test_a_fence_grows_and_is_never_behind_the_time() -> None:
    assert next_fence(0, NOW) == to_micros(NOW)
    assert next_fence(to_micros(NOW), NOW) == to_micros(NOW) + FENCE_STEP
