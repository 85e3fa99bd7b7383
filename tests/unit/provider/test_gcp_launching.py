"""Launches at Google: of the deployed job, of a clone, once for each key."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from google.cloud import run_v2

from runyard.model.errors import ProviderRefused, ProviderTimeout, ProviderUnavailable
from runyard.model.ids import AttemptKey
from runyard.model.run import InputFile, Overrides
from runyard.provider.gcp import names
from runyard.provider.gcp.templates import content
from runyard.provider.port import Phase
from tests.support.google_orders import JOB, Google, make_order, make_template
from tests.support.google_stand_in import State

Scenario = Callable[[Google], Awaitable[None]]
LARGER = make_template("2Gi")


def play(scenario: Scenario) -> None:
    """Run a scenario where the job is deployed."""

    async def main() -> None:
        google = Google()
        await google.deploy()
        await scenario(google)

    asyncio.run(main())


def test_the_deployed_job_is_run_where_it_is_what_is_wanted() -> None:
    async def scenario(google: Google) -> None:
        overrides = Overrides(("--one",), (("COLOR", "red"),), 3, 90.5)
        order = make_order(overrides=overrides, untried=True)
        report = await google.provider.launch(order)
        assert report.phase is Phase.PENDING
        assert report.handle.startswith(f"{JOB}/executions/report-")
        assert (report.progress.task_count, report.warnings) == (3, ())
        assert google.api.calls == [("get_job", JOB), ("run_job", JOB)]
        variables = google.api.runs[report.handle].template.containers[0].env
        assert [(one.name, one.value) for one in variables] == [
            ("COLOR", "red"), ("RUNYARD_ATTEMPT", "run_a/1"),
        ]  # fmt: skip

    play(scenario)


def test_what_runjob_cannot_change_is_run_by_a_clone() -> None:
    async def scenario(google: Google) -> None:
        reports = await asyncio.gather(
            *(google.provider.launch(make_order(f"run_{n}/1", LARGER)) for n in range(5))
        )
        (made,) = google.api.called("create_job")
        assert made == names.clone("report", content(LARGER))
        assert {names.execution(report.handle).job for report in reports} == {made}  # type: ignore[union-attr]
        assert reports[0].warnings == (
            f"launched as {made}, a clone of job report with 2Gi of memory and CPU 1: "
            "RunJob cannot change a job's template for one run",
        )
        clone = google.api.held[names.beside(JOB, made)]
        assert dict(clone.labels) == {"runyard-clone-of": "report"}
        assert clone.template.template.containers[0].resources.limits["memory"] == "2Gi"
        assert google.api.held[JOB].generation == 1

    play(scenario)


def test_a_clone_that_is_not_ready_yet_is_waited_for() -> None:
    async def scenario(google: Google) -> None:
        google.api.unready = True
        with pytest.raises(ProviderUnavailable, match="makes the clone"):
            await google.provider.launch(make_order(template=LARGER))
        name = next(name for name in google.api.held if name != JOB)
        google.api.held[name].terminal_condition.state = State.CONDITION_SUCCEEDED
        assert (await google.provider.launch(make_order(template=LARGER))).handle.startswith(name)
        assert len(google.api.called("create_job")) == 1

    play(scenario)


def test_a_clone_that_never_becomes_ready_is_told() -> None:
    async def scenario(google: Google) -> None:
        google.api.unready = True
        with pytest.raises(ProviderUnavailable):
            await google.provider.launch(make_order(template=LARGER))
        name = next(name for name in google.api.held if name != JOB)
        google.api.held[name].terminal_condition = run_v2.Condition(
            type_="Ready", state="CONDITION_FAILED", reason="CONTAINER_MISSING", message="no image"
        )
        with pytest.raises(ProviderRefused, match="no image") as caught:
            await google.provider.launch(make_order(template=LARGER))
        assert caught.value.reason == "CONTAINER_MISSING"
        google.api.held[name].template.task_count = 99
        with pytest.raises(ProviderRefused, match="no clone of report as it was made"):
            await google.provider.launch(make_order(template=LARGER))

    play(scenario)


def test_an_answer_that_was_lost_is_found_again() -> None:
    async def scenario(google: Google) -> None:
        google.api.lost["run_job"] = ProviderTimeout("no answer")
        with pytest.raises(ProviderTimeout):
            await google.provider.launch(make_order(untried=True))
        (name,) = google.api.runs
        assert (await google.another().launch(make_order())).handle == name
        assert (await google.provider.launch(make_order())).handle == name
        assert len(google.api.runs) == 1

    play(scenario)


def test_of_two_that_were_started_all_the_same_the_younger_is_stopped() -> None:
    async def scenario(google: Google) -> None:
        google.api.lost["run_job"] = ProviderTimeout("no answer")
        with pytest.raises(ProviderTimeout):
            await google.provider.launch(make_order(untried=True))
        (first,) = google.api.runs
        google.api.unlisted.add(first)
        second = (await google.another().launch(make_order())).handle
        assert first != second
        google.api.unlisted.clear()
        assert (await google.another().launch(make_order())).handle == first
        assert google.api.called("cancel_execution") == [second]

    play(scenario)


def test_a_job_that_is_changed_all_the_time_is_run_later() -> None:
    async def scenario(google: Google) -> None:
        async def meddle() -> None:
            google.api.put(JOB, google.api.held[JOB])

        google.api.before_run += [meddle] * 3
        with pytest.raises(ProviderUnavailable, match="being changed all the time"):
            await google.provider.launch(make_order(untried=True))
        assert google.api.runs == {}

    play(scenario)


def test_a_clone_that_somebody_else_makes_too_is_taken() -> None:
    async def scenario(google: Google) -> None:
        google.api.fails["create_job"] = ProviderRefused("it is there", reason="ALREADY_EXISTS")
        with pytest.raises(ProviderUnavailable, match="makes the clone"):
            await google.provider.launch(make_order(template=LARGER))
        google.api.fails["create_job"] = ProviderRefused("no", reason="PERMISSION_DENIED")
        with pytest.raises(ProviderRefused, match="no"):
            await google.provider.launch(make_order(template=LARGER))

    play(scenario)


def test_launches_of_one_key_are_one() -> None:
    async def scenario(google: Google) -> None:
        reports = await asyncio.gather(
            *(google.provider.launch(make_order(untried=True)) for _ in range(8))
        )
        assert len({report.handle for report in reports}) == len(google.api.runs) == 1

    play(scenario)


def test_a_job_that_is_changed_meanwhile_is_looked_at_again() -> None:
    async def scenario(google: Google) -> None:
        google.api.fails["run_job"] = ProviderUnavailable("another etag", reason="ABORTED")
        with pytest.raises(ProviderUnavailable, match="another etag"):
            await google.provider.launch(make_order(untried=True))
        google.api.fails["run_job"] = ProviderUnavailable("no", reason="UNAVAILABLE")
        with pytest.raises(ProviderUnavailable, match="no"):
            await google.provider.launch(make_order(untried=True))
        assert (await google.provider.launch(make_order(untried=True))).handle

    play(scenario)


def test_a_job_that_changes_between_look_and_run_is_run_as_it_was_wanted() -> None:
    async def scenario(google: Google) -> None:
        async def meddle() -> None:
            await google.deploy(LARGER, fence=2)

        google.api.before_run.append(meddle)
        report = await google.provider.launch(make_order(untried=True))
        (warning,) = report.warnings
        assert "512Mi" in warning

    play(scenario)


def test_a_job_that_is_gone_and_a_file_are_refused() -> None:
    async def scenario(google: Google) -> None:
        with pytest.raises(ProviderRefused, match="there is no job other in region") as caught:
            await google.provider.launch(make_order(job="other"))
        assert caught.value.reason == "NOT_FOUND"
        file = Overrides(file=InputFile("/in/data", "secret words"))
        with pytest.raises(ProviderRefused, match="cannot bring a file"):
            await google.provider.launch(make_order(overrides=file))
        with pytest.raises(ProviderRefused, match="local is not bound"):
            await google.provider.launch(replace(make_order(), environment="local"))
        newer = {**make_template(), "delayExecution": True}
        with pytest.raises(ProviderRefused, match="delayExecution"):
            await google.provider.launch(make_order(template=newer))

    play(scenario)


def test_a_clone_goes_with_the_last_of_its_executions() -> None:
    async def scenario(google: Google) -> None:
        keys = [AttemptKey(f"run_{n}/1") for n in range(2)]
        for key in keys:
            handle = (await google.provider.launch(make_order(key, LARGER))).handle
            google.know(key, handle)
            google.api.end(handle)
            await google.provider.release(key)
        clone = next(name for name in google.api.held if name != JOB)
        google.api.now += timedelta(hours=2)
        await google.provider.forget(keys[0])
        assert clone in google.api.held
        assert (await google.provider.look(keys))[1].phase is Phase.ENDED
        await google.provider.forget(keys[1])
        await google.provider.forget(keys[1])
        assert list(google.api.held) == [JOB]

    play(scenario)


def test_a_clone_that_is_new_or_nobodys_is_left_alone() -> None:
    async def scenario(google: Google) -> None:
        handle = (await google.provider.launch(make_order(template=LARGER))).handle
        google.know("run_a/1", handle)
        google.api.end(handle)
        await google.provider.forget(AttemptKey("run_a/1"))
        assert len(google.api.held) == 2
        google.api.now += timedelta(hours=2)
        other = names.beside(JOB, "other")
        google.api.put(other, google.api.held[JOB])
        google.know("run_b/1", f"{other}/executions/other-00001")
        await google.provider.forget(AttemptKey("run_b/1"))
        assert other in google.api.held

    play(scenario)
