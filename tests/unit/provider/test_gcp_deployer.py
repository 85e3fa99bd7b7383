"""Jobs at Google: deployed once, fenced, read back as they were said, removed with their clones."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from google.cloud import run_v2

from runyard.model.condition import ConditionState
from runyard.model.errors import ProviderRefused, ProviderUnavailable
from runyard.provider.port_jobs import Deployer, DeployOrder
from tests.support.google_orders import JOB, PLACE, Google, make_order, make_template
from tests.support.google_stand_in import State

Scenario = Callable[[Google, Deployer], Awaitable[None]]
ORDER = DeployOrder(
    PLACE, make_template(serviceAccount="nightly-report"), 5, (("team", "data"),), (("a/b", "c"),)
)


def play(scenario: Scenario) -> None:
    """Run a scenario where nothing is deployed."""

    async def main() -> None:
        google = Google()
        await scenario(google, google.provider.jobs)

    asyncio.run(main())


def test_a_job_is_made_once_and_read_back() -> None:
    async def scenario(google: Google, jobs: Deployer) -> None:
        made = await jobs.deploy(replace(ORDER, etag=""))
        assert (made.template, made.labels, made.annotations) == (
            ORDER.template, ORDER.labels, ORDER.annotations,
        )  # fmt: skip
        assert (made.fence, made.is_ready, made.place) == (5, True, PLACE)
        assert await jobs.deploy(replace(ORDER, etag="")) == made
        assert await jobs.deployed([PLACE, PLACE._replace(job="other")]) == [made, None]
        assert len(google.api.called("create_job")) == 1
        assert google.api.called("update_job") == []

    play(scenario)


def test_a_change_keeps_what_runyard_says_nothing_of() -> None:
    async def scenario(google: Google, jobs: Deployer) -> None:
        first = await jobs.deploy(ORDER)
        google.api.held[JOB].binary_authorization = run_v2.BinaryAuthorization(use_default=True)
        wish = replace(ORDER, template=make_template("1Gi"), fence=6, etag=first.etag)
        second = await jobs.deploy(wish)
        assert (second.generation, second.fence, second.uid) == (2, 6, first.uid)
        assert second.template == wish.template
        assert google.api.held[JOB].binary_authorization.use_default
        assert await jobs.deploy(wish) == second

    play(scenario)


def test_a_later_operation_wins() -> None:
    async def scenario(google: Google, jobs: Deployer) -> None:
        first = await jobs.deploy(ORDER)
        later = await jobs.deploy(replace(ORDER, fence=9, etag=first.etag))
        assert (later.fence, later.template) == (9, first.template)
        with pytest.raises(ProviderRefused, match="a later change of job report"):
            await jobs.deploy(replace(ORDER, fence=8))
        with pytest.raises(ProviderRefused, match="a later change"):
            await jobs.remove(PLACE, 8)

    play(scenario)


def test_what_was_changed_behind_our_back_is_not_overwritten() -> None:
    async def scenario(google: Google, jobs: Deployer) -> None:
        with pytest.raises(ProviderRefused, match="changed by somebody else"):
            await jobs.deploy(replace(ORDER, etag='"1"'))
        first = await jobs.deploy(ORDER)
        google.api.held[JOB].template.task_count = 9
        google.api.put(JOB, google.api.held[JOB])
        wish = replace(ORDER, template=make_template("1Gi"), etag=first.etag)
        with pytest.raises(ProviderRefused, match="changed by somebody else") as caught:
            await jobs.deploy(wish)
        assert caught.value.reason == "ABORTED"
        assert (await jobs.deploy(replace(wish, etag=None))).template == wish.template

    play(scenario)


def test_a_job_of_another_project_is_left_alone() -> None:
    async def scenario(google: Google, jobs: Deployer) -> None:
        await jobs.deploy(ORDER)
        other = PLACE._replace(project="stock")
        with pytest.raises(ProviderRefused, match="is of shop/prod already"):
            await jobs.deploy(replace(ORDER, place=other))
        with pytest.raises(ProviderRefused, match="is of shop/prod already"):
            await jobs.remove(other, 99)

    play(scenario)


def test_a_job_goes_with_its_clones() -> None:
    async def scenario(google: Google, jobs: Deployer) -> None:
        await jobs.deploy(ORDER)
        await google.provider.launch(make_order(template=make_template("2Gi")))
        google.api.put(f"{JOB}-other", run_v2.Job())
        assert len(google.api.held) == 3
        assert await jobs.remove(PLACE, 5)
        assert list(google.api.held) == [f"{JOB}-other"]
        assert not await jobs.remove(PLACE, 5)

    play(scenario)


def test_a_job_that_is_not_ready_says_so() -> None:
    async def scenario(google: Google, jobs: Deployer) -> None:
        google.api.unready = True
        assert not (await jobs.deploy(ORDER)).is_ready
        condition = google.api.held[JOB].terminal_condition
        condition.state = State.STATE_UNSPECIFIED
        (found,) = await jobs.deployed([PLACE])
        assert found is not None
        assert found.ready is not None
        assert found.ready.state is ConditionState.PENDING

    play(scenario)


def test_a_job_that_is_made_and_not_there_yet_is_asked_for_later() -> None:
    async def scenario(google: Google, jobs: Deployer) -> None:
        async def vanish() -> None:
            google.api.held.clear()

        google.api.after_create.append(vanish)
        with pytest.raises(ProviderUnavailable, match="is not there yet"):
            await jobs.deploy(ORDER)

    play(scenario)


def test_networks_are_googles() -> None:
    async def scenario(google: Google, jobs: Deployer) -> None:
        connected = make_template(vpcAccess={"networkInterfaces": [{"network": "n"}]})
        assert "connects" in await jobs.network(PLACE, connected)
        assert "internet" in await jobs.network(PLACE, make_template())
        assert "internet" in await jobs.network(PLACE, {})

    play(scenario)
