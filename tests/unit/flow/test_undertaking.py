"""How a wish becomes an operation: what becomes of each job, and the steps in their order."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from runyard.flow.deployment import found
from runyard.flow.undertaking import Live, Wish, draft, drop, put
from runyard.model.condition import Condition, ConditionState
from runyard.model.deployed import DeployedJob, Place
from runyard.model.ids import OperationId
from runyard.model.operation import Change, JobChange, Operation, OperationKind, Step, StepKind
from runyard.model.standing import Standing
from tests.support.fake_jobs import MADE, plain
from tests.support.runs import NOW, make_spec

KEY = ("shop", "report")
US, EUROPE = "us-central1", "europe-west1"
ONE = plain(make_spec().document())
TWO = plain(make_spec(priority=2).document())
BOTH = plain(make_spec(regions=[US, EUROPE]).document())
IN_FORCE = Standing(3, ONE)
KINDS = StepKind


def resource(document: Any = ONE, region: str = US, etag: str = "e") -> DeployedJob:
    """A job's resource as it is wanted."""
    place = Place("shop", "local", region, "report")
    ready = Condition("Ready", ConditionState.SUCCEEDED, MADE)
    template = document["template"]
    return DeployedJob(place, "u", 2, 2, etag, template, (), (), (ready,), MADE, MADE)


def other(region: str = US, etag: str = "x") -> DeployedJob:
    """A resource as nobody here wants it."""
    return replace(resource(region=region, etag=etag), labels=(("not", "ours"),))


def wish(**more: Any) -> Wish:
    """Ann's wish."""
    return Wish(OperationId("op_1"), OperationKind.APPLY, "local", "ann", NOW, **more)


# -- what becomes of a job -----------------------------------------------------------------------
@pytest.mark.parametrize(
    ("document", "standing", "last", "restores", "change", "revision"),
    [
        (ONE, None, 0, False, Change.CREATED, 1),
        (ONE, None, 4, False, Change.CREATED, 5),
        (ONE, None, 4, True, Change.RESTORED, 4),
        (ONE, IN_FORCE, 0, False, Change.UNCHANGED, 3),
        (TWO, IN_FORCE, 0, False, Change.UPDATED, 4),
    ],
)
def test_what_becomes_of_a_job_that_shall_be(
    document: Any,
    standing: Standing | None,
    last: int,
    restores: bool,
    change: Change,
    revision: int,
) -> None:
    targets = ((US, TWO),)
    live: Live = {US: resource(etag="e1"), EUROPE: None}
    made = put(KEY, document, standing, live, last=last, restores=restores, targets=targets)
    base, before = (3, ONE) if standing else (0, None)
    assert made == JobChange(
        *KEY,
        change,
        revision,
        base,
        document,
        before,
        etags=((EUROPE, ""), (US, "e1")),
        found=() if standing else ((US, found(resource())),),
        targets=targets,
    )


def test_a_job_that_shall_be_no_more_is_kept_as_it_was_found() -> None:
    live: Live = {US: other(US, "e1"), EUROPE: resource(region=EUROPE, etag="e2")}
    assert drop(KEY, IN_FORCE, live) == JobChange(
        *KEY,
        Change.DELETED,
        3,
        3,
        None,
        ONE,
        etags=((EUROPE, "e2"), (US, "e1")),
        found=((US, found(other())),),
    )


# -- the steps -----------------------------------------------------------------------------------
def steps(change: JobChange, live: Live, **more: Any) -> list[tuple[StepKind, str]]:
    """The steps of an operation on one job, after the looking."""
    operation = draft(wish(**more), [change], {KEY: live})
    looking = (KINDS.NETWORK, KINDS.IDENTITY, KINDS.SECRETS)
    made = operation.steps if operation is not None else ()
    return [(step.kind, step.region) for step in made if step.kind not in looking]


def test_a_job_is_looked_at_then_deployed_then_proved() -> None:
    operation = draft(wish(), [put(KEY, BOTH, None, {})], {KEY: {}})
    assert operation is not None
    assert operation.jobs[0].revision == 1
    assert operation.steps == (
        Step(KINDS.NETWORK, 0), Step(KINDS.IDENTITY, 0), Step(KINDS.SECRETS, 0),
        Step(KINDS.DEPLOY, 0, US), Step(KINDS.DEPLOY, 0, EUROPE), Step(KINDS.PROVE, 0),
    )  # fmt: skip


def test_an_update_leaves_the_regions_that_it_leaves_out() -> None:
    live: Live = {US: resource(BOTH), EUROPE: resource(BOTH, EUROPE)}
    update = put(KEY, ONE, Standing(3, BOTH), live)
    wanted = [(KINDS.DEPLOY, US), (KINDS.REMOVE, EUROPE), (KINDS.PROVE, "")]
    assert steps(update, live) == wanted
    assert steps(update, live, forced=True) == wanted  # runs go on by what they were asked with


def test_what_is_unchanged_is_deployed_where_it_is_not_as_it_shall_be() -> None:
    standing = Standing(3, BOTH)
    for live, where in (
        ({US: resource(BOTH), EUROPE: resource(BOTH, EUROPE)}, []),
        ({US: resource(BOTH), EUROPE: other(EUROPE)}, [EUROPE]),
        ({US: None, EUROPE: resource(BOTH, EUROPE)}, [US]),
        ({}, [US, EUROPE]),
    ):
        same = put(KEY, BOTH, standing, live)
        wanted = [(KINDS.DEPLOY, region) for region in where]
        assert steps(same, live) == [*wanted, *([(KINDS.PROVE, "")] if where else [])]
        operation = draft(wish(), [same], {KEY: live})
        assert (operation is None) is (not where)
    unseen = draft(wish(), [put(KEY, BOTH, standing, {})], {})
    assert unseen is not None
    assert [step.region for step in unseen.steps] == [US, EUROPE, ""]


def test_a_region_may_have_a_target_of_its_own() -> None:
    theirs = found(other())
    live: Live = {US: other()}
    left = put(KEY, ONE, IN_FORCE, live, targets=((US, theirs),))
    assert steps(left, live) == []
    assert steps(put(KEY, ONE, IN_FORCE, live), live) == [(KINDS.DEPLOY, US), (KINDS.PROVE, "")]


def test_a_deletion_removes_then_unbinds_then_retires() -> None:
    live: Live = {US: resource(BOTH), EUROPE: None}
    gone = drop(KEY, Standing(3, BOTH), live)
    parts = [
        (KINDS.REMOVE, US), (KINDS.REMOVE, EUROPE), (KINDS.UNBIND, ""), (KINDS.RETIRE, ""),
    ]  # fmt: skip
    assert steps(gone, live) == parts
    assert steps(gone, live, forced=True) == [(KINDS.RUNS, ""), *parts]
    operation = draft(wish(), [gone], {KEY: live})
    assert operation is not None
    assert operation.steps[0].kind is KINDS.REMOVE  # there is nothing to look at


def test_all_jobs_are_looked_at_before_one_is_changed() -> None:
    created = put(("shop", "one"), ONE, None, {})
    gone = drop(("shop", "two"), IN_FORCE, {})
    same = put(("shop", "three"), ONE, IN_FORCE, {US: resource()})
    live = {("shop", "three"): {US: resource()}}
    operation = draft(wish(), [created, gone, same], live)
    assert operation is not None
    assert [(step.kind, step.job) for step in operation.steps] == [
        (KINDS.NETWORK, 0), (KINDS.IDENTITY, 0), (KINDS.SECRETS, 0), (KINDS.DEPLOY, 0),
        (KINDS.REMOVE, 1), (KINDS.UNBIND, 1), (KINDS.RETIRE, 1), (KINDS.PROVE, 0),
    ]  # fmt: skip


# -- the operation -------------------------------------------------------------------------------
def test_an_operation_is_what_was_wished() -> None:
    live: Live = {US: other(), EUROPE: None}
    change = put(KEY, ONE, None, live)
    asked = wish(reason="because", approvals_needed=2, forced=True, grace_seconds=7.0)
    operation = draft(asked, [change], {KEY: live}, ["all is lost"], 12)
    assert operation is not None
    assert operation == Operation(
        id=asked.id,
        kind=OperationKind.APPLY,
        environment="local",
        requested_by="ann",
        requested_at=NOW,
        jobs=(change,),
        steps=operation.steps,
        reason="because",
        unsafe=(
            "all is lost",
            "report is in us-central1 already and not ours: what is there is replaced",
        ),
        approvals_needed=2,
        forced=True,
        grace_seconds=7.0,
        fence=12,
    )
    assert operation.waits_for_confirmation
    known = draft(replace(asked, confirmed=True), [change], {KEY: live})
    assert known is not None
    assert (known.confirmed_by, known.waits_for_confirmation, known.fence) == ("ann", False, 0)


def test_what_is_ours_is_not_told_as_unsafe_to_replace() -> None:
    live: Live = {US: other()}
    operation = draft(wish(), [put(KEY, TWO, IN_FORCE, live)], {KEY: live})
    assert operation is not None
    assert operation.unsafe == ()
