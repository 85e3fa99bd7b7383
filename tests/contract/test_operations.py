"""What operations promise, on every kind of database, with a provider that can be told to fail."""

from __future__ import annotations

from typing import Any

import pytest

from runyard.model.condition import ConditionState
from runyard.model.errors import (
    NotFound,
    ProviderRefused,
    ProviderTimeout,
    ProviderUnavailable,
    Refused,
    StalePlan,
)
from runyard.model.operation import (
    CancelAsked,
    OperationState,
    Resumed,
    StepKind,
)
from runyard.model.run import State
from tests.support.databases import Grounds
from tests.support.gates import Yard, in_yard
from tests.support.operations import Site, place
from tests.support.runs import make_spec

US, EUROPE = "us-central1", "europe-west1"
BOTH: dict[str, Any] = {"regions": [US, EUROPE], "placement": "all"}


def test_a_job_is_created_step_by_step_and_is_in_force_at_the_end(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        site = Site(yard)
        begun = await site.apply(make_spec(**BOTH))
        assert begun.operation is not None
        (change,) = begun.changes
        assert (change.change, change.revision) == ("created", 1)
        with pytest.raises(Refused, match="is not ready: it is being created by ann: op_"):
            await yard.request()
        row = await site.job()
        assert row is not None
        assert [one.state for one in row.conditions][:2] == ["succeeded", "reconciling"]
        after = await site.done(begun)
        assert (after.state, after.ended_at) == (OperationState.COMPLETE, yard.now)
        assert [step.kind for step in after.steps] == [
            StepKind.NETWORK, StepKind.IDENTITY, StepKind.SECRETS, StepKind.DEPLOY,
            StepKind.DEPLOY, StepKind.PROVE,
        ]  # fmt: skip
        row = await site.job()
        assert row is not None
        assert (row.operation, row.blocked, row.revision, row.applied_by) == ("", "", 1, "ann")
        assert {(one.type, one.state) for one in row.conditions} == {
            (kind, "succeeded")
            for kind in (
                "Validated", "NetworkReady", "IdentityReady", "SecretsReady",
                f"Deployed/{US}", f"Deployed/{EUROPE}", "Ready",
            )
        }  # fmt: skip
        assert set(site.jobs.jobs) == {place(region=US), place(region=EUROPE)}
        assert await site.facts(after.id) == ["begun"] + ["step_done"] * 5  # both regions together
        assert (await yard.request()).state is State.LAUNCHING
        assert await yard.outbox() == 2  # the launches

    in_yard(scene, grounds)


def test_what_is_as_it_shall_be_needs_no_operation(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        site = Site(yard)
        await site.put(make_spec())
        again = await site.apply(make_spec())
        assert again.operation is None
        assert [change.change for change in again.changes] == ["unchanged"]

    in_yard(scene, grounds)


def test_an_update_comes_into_force_at_its_end_and_keeps_what_runs_by_the_old_one(
    grounds: Grounds,
) -> None:
    async def scene(yard: Yard) -> None:
        site = Site(yard)
        await site.put(make_spec())
        begun = await site.apply(make_spec(priority=3, labels={"team": "data"}))
        assert (await yard.request()).revision == 1
        await site.done(begun)
        row = await site.job()
        assert row is not None
        assert (row.revision, row.document["priority"], row.operation) == (2, 3, "")
        assert (await yard.request()).revision == 2
        assert site.jobs.jobs[place()].generation == 2

    in_yard(scene, grounds)


def test_a_limit_of_runs_is_in_force_with_the_job(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        site = Site(yard)
        await site.put(make_spec(concurrency={"limit": 1}))
        first, second = await yard.request(), await yard.request()
        assert second.waiting_on == "job/shop/local/report"
        await site.put(make_spec(concurrency={"limit": 2}))
        assert (await yard.run(second.id)).state is State.LAUNCHING
        await site.put(make_spec())
        assert (await yard.request()).state is State.LAUNCHING
        assert (await yard.run(first.id)).state is State.LAUNCHING

    in_yard(scene, grounds)


def test_two_people_change_one_job_and_the_second_is_told_of_the_first(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        site = Site(yard)
        await site.put(make_spec())
        begun = await site.apply(make_spec(priority=1), by="ann")
        assert begun.operation is not None
        words = f"job report: is being changed by ann \\(apply\\): {begun.operation.id}"
        with pytest.raises(Refused, match=words):
            await site.apply(make_spec(priority=2), make_spec("other"), by="bob")
        with pytest.raises(Refused, match=words):
            await site.delete("report", by="bob")
        await site.rest()
        assert await site.job("other") is None
        await site.put(make_spec(priority=2), by="bob")

    in_yard(scene, grounds)


def test_a_wish_that_was_made_of_an_older_revision_is_stale(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        site = Site(yard)
        await site.put(make_spec())
        aim = await site.aim("report", make_spec(priority=1).document())
        await site.put(make_spec(priority=2))
        with pytest.raises(StalePlan, match="changed by somebody else"):
            await site.undertake((await site.apply(make_spec("x"))).operation.kind, [aim])  # type: ignore[union-attr]

    in_yard(scene, grounds)


def test_a_create_that_fails_leaves_nothing_behind(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        site = Site(yard)
        begun = await site.apply(make_spec(**BOTH), make_spec("other"))
        site.jobs.fails = [None, None, None, ProviderRefused("no room", hint="make some")]
        after = await site.done(begun)
        assert (after.state, after.error, after.hint) == ("undone", "no room", "make some")
        assert site.jobs.jobs == {}
        assert await site.job() is None
        assert await site.job("other") is None
        undone = [kind for name, kind, _ in site.access.calls if name == "undo"]
        assert undone == [StepKind.SECRETS] * 2 + [StepKind.IDENTITY] * 2
        with pytest.raises(NotFound):
            await yard.request()
        assert await yard.outbox() == 0
        await site.put(make_spec(**BOTH))

    in_yard(scene, grounds)


def test_an_update_that_does_not_prove_itself_is_taken_back(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        site = Site(yard)
        await site.put(make_spec())
        good = site.jobs.jobs[place()].template
        begun = await site.apply(make_spec(template=_template("two")))
        for _ in range(4):
            for pending in site.handed():
                await site.carry(pending)
        site.jobs.change(place(), taskCount=7)
        after = await site.done(begun)
        assert after.state is OperationState.UNDONE
        assert "taskCount is 7 and not 1" in after.error
        assert site.jobs.jobs[place()].template == good
        row = await site.job()
        assert row is not None
        assert (row.revision, row.operation, row.blocked) == (1, "", "")
        assert (await yard.request()).state is State.LAUNCHING

    in_yard(scene, grounds)


def test_what_never_becomes_ready_is_taken_back(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        site = Site(yard)
        site.jobs.state = ConditionState.FAILED
        after = await site.done(await site.apply(make_spec()))
        assert after.error.endswith("does not become ready: as the test says")
        assert site.jobs.jobs == {}
        site.jobs.state, site.tries_max = ConditionState.RECONCILING, 2
        begun = await site.apply(make_spec())
        await site.rest()
        assert begun.operation is not None
        row = await site.operation(begun.operation.id)
        assert (row.state, row.trouble) == ("running", "job report in us-central1 is not ready yet")
        site.jobs.state = ConditionState.SUCCEEDED
        assert await yard.outbox() == 1

    in_yard(scene, grounds)


def test_what_somebody_else_changed_meanwhile_is_not_overwritten(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        site = Site(yard)
        await site.put(make_spec())
        begun = await site.apply(make_spec(template=_template("two")))
        site.jobs.change(place(), taskCount=7)
        after = await site.done(begun)
        assert (after.state, after.error) == ("undone", "job report was changed by somebody else")

    in_yard(scene, grounds)


def test_an_answer_that_is_lost_does_no_harm(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        site = Site(yard)
        begun = await site.apply(make_spec())
        assert begun.operation is not None
        site.jobs.fails = [ProviderTimeout("no answer")]
        (network,) = site.handed()
        await site.carry(network)
        assert (await site.operation(begun.operation.id)).trouble == "no answer"
        yard.later(5)
        await site.carry(network)
        after = await site.done(begun)
        assert (after.state, after.trouble) == ("complete", "")
        assert await site.facts(after.id) == ["begun", "step_delayed"] + ["step_done"] * 5

    in_yard(scene, grounds)


def test_a_step_that_is_carried_out_twice_is_one_step(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        site = Site(yard)
        begun = await site.apply(make_spec())
        while handed := site.handed():
            for pending in (*handed, *handed):
                await site.carry(pending)
        after = await site.done(begun)
        assert await site.facts(after.id) == ["begun"] + ["step_done"] * 5
        assert await yard.outbox() == 0

    in_yard(scene, grounds)


def test_a_step_that_cannot_be_done_for_long_has_failed(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        site = Site(yard, tries_max=1)
        begun = await site.apply(make_spec())
        site.jobs.fails = [ProviderUnavailable("away")]
        after = await site.done(begun)
        assert (after.state, after.error) == ("undone", "not done after 1 tries: away")

    in_yard(scene, grounds)


def test_an_accepted_cancel_undoes_what_was_done(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        site = Site(yard)
        begun = await site.apply(make_spec())
        assert begun.operation is not None
        for _ in range(4):
            for pending in site.handed():
                await site.carry(pending)
        assert site.jobs.jobs != {}
        stopping = await site.tell(begun.operation, CancelAsked("bob", "a mistake"))
        assert stopping.state is OperationState.STOPPING
        after = await site.done(begun)
        assert (after.state, after.error) == ("undone", "cancelled by bob: a mistake")
        assert site.jobs.jobs == {}
        with pytest.raises(Refused, match="CancelAsked cannot happen while undone"):
            await site.tell(after, CancelAsked("bob"))

    in_yard(scene, grounds)


def test_a_cancel_does_not_wait_for_a_provider_that_is_away(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        site = Site(yard)
        begun = await site.apply(make_spec())
        assert begun.operation is not None
        (network,) = site.handed()
        await site.tell(begun.operation, CancelAsked("bob"))
        site.jobs.fails = [ProviderUnavailable("away")]
        await site.carry(network)
        after = await site.done(begun)
        assert (after.state, after.error) == ("undone", "cancelled by bob")
        assert await yard.outbox() == 0

    in_yard(scene, grounds)


def test_what_cannot_be_undone_is_stuck_until_a_person_has_looked(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        site = Site(yard)
        await site.put(make_spec())
        good = site.jobs.jobs[place()].template
        site.jobs.spoilt = {"taskCount": 7}
        begun = await site.apply(make_spec(template=_template("two")))
        for _ in range(4):
            for pending in site.handed():
                await site.carry(pending)
        site.jobs.spoilt = {}
        site.jobs.fails = [None, ProviderRefused("it will not", hint="make it")]
        stuck = await site.done(begun)
        assert (stuck.state, stuck.trouble, stuck.hint) == ("stuck", "it will not", "make it")
        with pytest.raises(Refused, match="could not be undone: it will not; mend it, then"):
            await yard.request()
        with pytest.raises(Refused, match="is being changed by ann"):
            await site.apply(make_spec())
        await site.tell(stuck, Resumed("bob"))
        assert (await site.done(begun)).state is OperationState.UNDONE
        assert site.jobs.jobs[place()].template == good
        assert (await yard.request()).state is State.LAUNCHING

    in_yard(scene, grounds)


def test_a_region_that_is_left_is_cleaned_up_and_had_back_if_need_be(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        site = Site(yard)
        await site.put(make_spec(**BOTH))
        both = dict(site.jobs.jobs)
        begun = await site.apply(make_spec(regions=[US]))
        site.jobs.fails = [None] * 3 + [ProviderRefused("no")]
        assert (await site.done(begun)).state is OperationState.UNDONE
        assert {p: job.template for p, job in site.jobs.jobs.items()} == {
            p: job.template for p, job in both.items()
        }
        site.jobs.fails = []
        await site.put(make_spec(regions=[US]))
        assert set(site.jobs.jobs) == {place()}

    in_yard(scene, grounds)


def _template(command: str) -> dict[str, object]:
    return {"template": {"containers": [{"image": "busybox", "command": [command]}]}}
