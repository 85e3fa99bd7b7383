"""The promises of `provider.port`, held against any provider: what every cloud must keep.

A provider's own test file makes a subclass of `ProviderContract` that opens a `Rig`. Scripts are
run by `sh -c` inside a container, so the suite asks nothing of an image but a shell.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from pathlib import Path

import pytest

from runyard.model.errors import InvalidSpec, ProviderRefused
from runyard.model.ids import AttemptKey
from runyard.model.operation import StepKind
from runyard.model.outcome import FAILURES_KEPT, LAST_LINES_KEPT, Ending, Outcome
from runyard.model.run import Overrides
from runyard.provider.port import Phase, Report
from tests.contract.rig import PATIENCE_SECONDS, Rig, identity_of, printed
from tests.contract.viewer import ViewerContract

Scenario = Callable[[Rig], Awaitable[None]]


class ProviderContract(ViewerContract):
    """Subclass it as `Test...` and say how a rig is opened."""

    def open_rig(self, folder: Path) -> AbstractAsyncContextManager[Rig]:
        """A started provider with nothing in it; ends it at the end of the block."""
        raise NotImplementedError

    @pytest.fixture
    def play(self, tmp_path: Path) -> Callable[[Scenario], None]:
        """Runs a scenario against a rig of its own."""

        def run(scenario: Scenario) -> None:
            async def main() -> None:
                async with self.open_rig(tmp_path) as rig:
                    await scenario(rig)

            asyncio.run(main())

        return run

    # -- evidence --------------------------------------------------------------------------------
    def test_a_failed_task_says_what_it_wrote_last(self, play: Callable[..., None]) -> None:
        async def scenario(rig: Rig) -> None:
            script = "seq 100; echo task $CLOUD_RUN_TASK_INDEX >&2; exit $CLOUD_RUN_TASK_INDEX"
            await rig.provider.launch(rig.order("run_a/1", script, tasks=3))
            outcome = await rig.ended("run_a/1")
            last = {failure.index: failure.last_lines[-1] for failure in outcome.failures}
            assert last == {1: "task 1", 2: "task 2"}
            assert all(len(each.last_lines) == LAST_LINES_KEPT for each in outcome.failures)
            assert await rig.ended("run_a/1") == outcome

        play(scenario)

    # -- launch ----------------------------------------------------------------------------------
    def test_an_attempt_runs_and_ends_with_its_figures(self, play: Callable[..., None]) -> None:
        async def scenario(rig: Rig) -> None:
            report = await rig.provider.launch(rig.order("run_a/1", "exit 0", tasks=3))
            assert report.phase in (Phase.PENDING, Phase.RUNNING, Phase.ENDED)  # it is quick
            assert (report.key, report.handle != "") == ("run_a/1", True)
            outcome = await rig.ended("run_a/1")
            assert outcome.ending is Ending.SUCCEEDED
            assert (outcome.task_count, outcome.succeeded_count) == (3, 3)
            assert outcome.usage.task_attempts == 3
            assert outcome.usage.billed_milliseconds == 3 * 60_000
            assert outcome.started_at is not None
            assert outcome.ended_at is not None
            assert outcome.started_at <= outcome.ended_at

        play(scenario)

    def test_launch_is_idempotent_by_its_key(self, play: Callable[..., None]) -> None:
        async def scenario(rig: Rig) -> None:
            order = rig.order("run_a/1", "echo once")
            reports = await asyncio.gather(*(rig.provider.launch(order) for _ in range(8)))
            assert len({report.handle for report in reports}) == 1
            await rig.ended("run_a/1")
            again = await rig.provider.launch(order)
            assert (again.phase, again.handle) == (Phase.ENDED, reports[0].handle)
            assert printed(await rig.entries("run_a/1")) == ["once"]

        play(scenario)

    def test_the_attempts_of_a_job_keep_their_own_templates(
        self, play: Callable[..., None]
    ) -> None:
        async def scenario(rig: Rig) -> None:
            orders = [rig.order(f"run_{n}/1", f"echo {n}") for n in range(6)]
            await asyncio.gather(*(rig.provider.launch(order) for order in orders))
            for number, order in enumerate(orders):
                await rig.ended(order.key)
                assert printed(await rig.entries(order.key)) == [str(number)]

        play(scenario)

    def test_overrides_change_one_attempt(self, play: Callable[..., None]) -> None:
        async def scenario(rig: Rig) -> None:
            overrides = Overrides(
                args=('echo "$COLOR $CLOUD_RUN_TASK_COUNT"',), env=(("COLOR", "red"),), task_count=2
            )
            order = rig.order(
                "run_a/1", "exit 9", overrides=overrides, env=[{"name": "COLOR", "value": "blue"}]
            )
            await rig.provider.launch(order)
            assert (await rig.ended("run_a/1")).succeeded_count == 2
            assert printed(await rig.entries("run_a/1")) == ["red 2", "red 2"]

        play(scenario)

    def test_what_it_will_never_run_is_refused(self, play: Callable[..., None]) -> None:
        async def scenario(rig: Rig) -> None:
            with pytest.raises(ProviderRefused, match="mars-north1"):
                await rig.provider.launch(rig.order("run_a/1", "exit 0", region="mars-north1"))
            reserved = [{"name": "CLOUD_RUN_JOB", "value": "mine"}]
            with pytest.raises(ProviderRefused, match="CLOUD_RUN_JOB"):
                await rig.provider.launch(rig.order("run_a/1", "exit 0", env=reserved))
            assert (await rig.provider.look([AttemptKey("run_a/1")]))[0].phase is Phase.UNKNOWN

        play(scenario)

    # -- endings ---------------------------------------------------------------------------------
    def test_a_failure_names_the_first_tasks_and_counts_the_rest(
        self, play: Callable[..., None]
    ) -> None:
        async def scenario(rig: Rig) -> None:
            script = "[ $CLOUD_RUN_TASK_INDEX = 3 ] || exit 7"
            await rig.provider.launch(rig.order("run_a/1", script, tasks=14, retries=1))
            outcome = await rig.ended("run_a/1")
            assert outcome.ending is Ending.FAILED
            assert (outcome.failed_count, outcome.succeeded_count) == (13, 1)
            assert outcome.retried_count == 13
            assert [each.index for each in outcome.failures] == [0, 1, 2, *range(4, 11)]
            assert len(outcome.failures) == FAILURES_KEPT
            first = outcome.failures[0]
            assert (first.exit_code, first.signal, first.attempts) == (7, None, 2)
            assert outcome.reason == "NON_ZERO_EXIT_CODE"
            assert outcome.message

        play(scenario)

    def test_a_retry_that_succeeds_is_a_success(self, play: Callable[..., None]) -> None:
        async def scenario(rig: Rig) -> None:
            script = "echo attempt $CLOUD_RUN_TASK_ATTEMPT; [ $CLOUD_RUN_TASK_ATTEMPT = 2 ]"
            await rig.provider.launch(rig.order("run_a/1", script, retries=3))
            outcome = await rig.ended("run_a/1")
            assert outcome.ending is Ending.SUCCEEDED
            assert (outcome.retried_count, outcome.usage.task_attempts) == (1, 3)
            lines = printed(await rig.entries("run_a/1"))
            assert lines == ["attempt 0", "attempt 1", "attempt 2"]

        play(scenario)

    def test_a_signal_is_not_an_exit_code(self, play: Callable[..., None]) -> None:
        async def scenario(rig: Rig) -> None:
            await rig.provider.launch(rig.order("run_a/1", "kill -11 $$"))
            failure = (await rig.ended("run_a/1")).failures[0]
            assert (failure.exit_code, failure.signal) == (None, 11)

        play(scenario)

    def test_a_timeout_is_told_apart(self, play: Callable[..., None]) -> None:
        async def scenario(rig: Rig) -> None:
            await rig.provider.launch(rig.order("run_a/1", "exec sleep 60", timeout="1s"))
            outcome = await rig.ended("run_a/1")
            assert outcome.ending is Ending.TIMED_OUT
            assert outcome.failures[0].timed_out
            assert "The configured timeout was reached" in outcome.message

        play(scenario)

    # -- stop ------------------------------------------------------------------------------------
    def test_stop_ends_what_runs(self, play: Callable[..., None]) -> None:
        async def scenario(rig: Rig) -> None:
            script = 'trap "echo bye; exit 0" TERM; echo up; sleep 60 & wait'
            await rig.provider.launch(rig.order("run_a/1", script))
            await rig.line("run_a/1", "up")
            await rig.provider.stop(AttemptKey("run_a/1"))
            await rig.provider.stop(AttemptKey("run_a/1"))
            outcome = await rig.ended("run_a/1")
            assert outcome.ending is Ending.CANCELLED
            assert outcome.cancelled_count == 1
            assert printed(await rig.entries("run_a/1")) == ["up", "bye"]
            await rig.provider.stop(AttemptKey("run_a/1"))
            assert await rig.ended("run_a/1") == outcome

        play(scenario)

    def test_stop_before_launch_is_remembered(self, play: Callable[..., None]) -> None:
        async def scenario(rig: Rig) -> None:
            await rig.provider.stop(AttemptKey("run_a/1"))
            await rig.provider.stop(AttemptKey("run_a/1"))
            await rig.restart()
            report = await rig.provider.launch(rig.order("run_a/1", "echo never"))
            assert report.phase is Phase.ENDED
            assert report.outcome is not None
            assert report.outcome.ending is Ending.CANCELLED
            assert await rig.provider.look([AttemptKey("run_a/1")]) == [report]
            assert await rig.entries("run_a/1") == []

        play(scenario)

    # -- look, changed ---------------------------------------------------------------------------
    def test_look_answers_in_order_and_says_unknown(self, play: Callable[..., None]) -> None:
        async def scenario(rig: Rig) -> None:
            await rig.provider.launch(rig.order("run_a/1", "exit 0"))
            await rig.ended("run_a/1")
            keys = [AttemptKey(key) for key in ("run_x/1", "run_a/1", "run_a/2", "run_a/1")]
            reports = await rig.provider.look(keys)
            assert [report.key for report in reports] == keys
            phases = [report.phase for report in reports]
            assert phases == [Phase.UNKNOWN, Phase.ENDED, Phase.UNKNOWN, Phase.ENDED]
            assert await rig.provider.look([]) == []

        play(scenario)

    def test_wake_is_called_and_changed_tells_the_end(self, play: Callable[..., None]) -> None:
        async def scenario(rig: Rig) -> None:
            script = 'trap "exit 0" TERM; echo up; sleep 60 & wait'  # out when it was launched
            await rig.provider.launch(rig.order("run_a/1", script))
            await rig.line("run_a/1", "up")
            await rig.provider.stop(AttemptKey("run_a/1"))
            found: list[Report] = []
            async with asyncio.timeout(PATIENCE_SECONDS):
                while not any(report.phase is Phase.ENDED for report in found):
                    await rig.news.wait()
                    rig.news.clear()
                    found += await rig.provider.changed()
            assert {report.key for report in found} == {"run_a/1"}

        play(scenario)

    def test_an_ended_report_is_final(self, play: Callable[..., None]) -> None:
        async def scenario(rig: Rig) -> None:
            order = rig.order("run_a/1", "exit 3")
            await rig.provider.launch(order)
            await rig.ended("run_a/1")
            before = await rig.provider.look([AttemptKey("run_a/1")])
            await rig.provider.stop(AttemptKey("run_a/1"))
            await rig.provider.release(AttemptKey("run_a/1"))
            await rig.restart()
            assert await rig.provider.look([AttemptKey("run_a/1")]) == before
            assert [await rig.provider.launch(order)] == before

        play(scenario)

    def test_what_runs_goes_on_while_nobody_is_there(self, play: Callable[..., None]) -> None:
        async def scenario(rig: Rig) -> None:
            await rig.provider.launch(rig.order("run_a/1", "echo up; sleep 0.3; echo down"))
            await rig.line("run_a/1", "up")
            await rig.restart()
            assert (await rig.ended("run_a/1")).ending is Ending.SUCCEEDED
            assert printed(await rig.entries("run_a/1")) == ["up", "down"]

        play(scenario)

    # -- release, forget -------------------------------------------------------------------------
    def test_release_and_forget_are_idempotent(self, play: Callable[..., None]) -> None:
        async def scenario(rig: Rig) -> None:
            key = AttemptKey("run_a/1")
            await rig.provider.launch(rig.order(key, "echo hello", tasks=2))
            await rig.ended(key)
            released = await rig.provider.release(key)
            assert released.left == ()
            assert await rig.provider.release(key) == released
            assert printed(await rig.entries(key)) == ["hello", "hello"]
            await rig.provider.forget(key)
            await rig.provider.forget(key)
            assert (await rig.provider.look([key]))[0].phase is Phase.UNKNOWN
            assert await rig.entries(key) == []
            assert await rig.viewer.tasks(key) == []
            await rig.provider.release(key)

        play(scenario)

    # -- secrets ---------------------------------------------------------------------------------
    def test_secrets_come_as_variables_and_never_into_the_log(
        self, play: Callable[..., None]
    ) -> None:
        async def scenario(rig: Rig) -> None:
            await rig.secrets.create("local", "token", b"first-value-1", {})
            await rig.secrets.add_version("local", "token", b"second-value-2")
            found = await rig.secrets.secrets("local")
            assert [(secret.name, secret.newest) for secret in found] == [("token", 2)]
            refs = {"OLD": "1", "NEW": "latest"}
            env = [
                {"name": name, "valueSource": {"secretKeyRef": {"secret": "token", "version": at}}}
                for name, at in refs.items()
            ]
            script = 'echo "$OLD $NEW"; [ "$OLD$NEW" = first-value-1second-value-2 ]'
            order = rig.order("run_a/1", script, env=env)
            await rig.grant(StepKind.SECRETS, identity_of(order))
            await rig.provider.launch(order)
            assert (await rig.ended("run_a/1")).ending is Ending.SUCCEEDED
            text = " ".join(printed(await rig.entries("run_a/1")))
            assert "value-" not in text

        play(scenario)

    def test_a_job_reads_a_secret_only_while_it_may(self, play: Callable[..., None]) -> None:
        async def scenario(rig: Rig) -> None:
            await rig.secrets.create("local", "token", b"a-value-12345", {})
            ref = {"secretKeyRef": {"secret": "token", "version": "latest"}}
            env = [{"name": "TOKEN", "valueSource": ref}]

            async def ending(key: str) -> Outcome:
                await rig.provider.launch(rig.order(key, "exit 0", env=env))
                return await rig.ended(key)

            refused = await ending("run_a/1")
            assert refused.reason == "SECRETS_ACCESS_CHECK_FAILED"
            assert "may not read secret token" in refused.message
            assert "roles/secretmanager.secretAccessor" in refused.message
            identity = identity_of(rig.order("run_b/1", "exit 0", env=env))
            await rig.grant(StepKind.SECRETS, identity)
            assert (await ending("run_b/1")).ending is Ending.SUCCEEDED
            gone = replace(identity, document={}, before=identity.document)
            await rig.grant(StepKind.UNBIND, gone)
            assert (await ending("run_c/1")).reason == "SECRETS_ACCESS_CHECK_FAILED"
            found = await rig.secrets.accesses("local", "token", 0, 10)
            assert [(one.attempt, one.outcome) for one in found] == [
                ("run_c/1", "denied"), ("run_b/1", "granted"), ("run_a/1", "denied"),
            ]  # fmt: skip

        play(scenario)

    def test_a_missing_secret_fails_the_attempt(self, play: Callable[..., None]) -> None:
        async def scenario(rig: Rig) -> None:
            ref = {"secretKeyRef": {"secret": "nowhere", "version": "latest"}}
            env = [{"name": "TOKEN", "valueSource": ref}]
            await rig.provider.launch(rig.order("run_a/1", "exit 0", env=env))
            outcome = await rig.ended("run_a/1")
            assert outcome.ending is Ending.FAILED
            assert outcome.reason == "SECRETS_ACCESS_CHECK_FAILED"
            assert "nowhere" in outcome.message

        play(scenario)

    @pytest.mark.parametrize("name", ["", "no spaces", "../up", "x" * 256, "projects/p/secrets/s"])
    def test_a_bad_name_of_a_secret_is_refused(self, play: Callable[..., None], name: str) -> None:
        async def scenario(rig: Rig) -> None:
            with pytest.raises(InvalidSpec, match="letters, digits"):
                await rig.secrets.create("local", name, b"value", {})
            with pytest.raises(InvalidSpec, match="65536") as caught:
                await rig.secrets.create("local", "good", b"v" * 65_537, {})
            assert "vvv" not in str(caught.value)
            assert await rig.secrets.secrets("local") == []

        play(scenario)
