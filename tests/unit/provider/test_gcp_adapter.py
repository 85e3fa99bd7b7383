"""Attempts at Google: found, looked at, stopped, watched, forgotten."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from google.cloud import run_v2

from runyard.model.errors import ProviderRefused, ProviderUnavailable
from runyard.model.ids import AttemptKey
from runyard.model.operation import StepKind
from runyard.model.outcome import Ending
from runyard.provider.gcp import names
from runyard.provider.gcp.evidence import Evidence
from runyard.provider.gcp.log_lines import ATTEMPT, EXECUTION, TASK
from runyard.provider.gcp.log_reading import LogPace, LogReading
from runyard.provider.gcp.log_reads import LogReads
from runyard.provider.gcp.log_search import LogSearch
from runyard.provider.gcp.viewer import GcpViewer
from runyard.provider.gcp.watching import Pace, Watching
from runyard.provider.port import LogPlace, LogWanted, Phase, Progress, Report
from runyard.provider.port_access import Identity
from tests.support.google_logs import Logs, an_entry
from tests.support.google_orders import JOB, Google, make_order, make_template
from tests.support.google_stand_in import State, condition

Scenario = Callable[[Google], Awaitable[None]]
KEY = AttemptKey("run_a/1")
FAILED = State.CONDITION_FAILED


def play(scenario: Scenario) -> None:
    """Run a scenario where the job is deployed."""

    async def main() -> None:
        google = Google()
        await google.deploy()
        await scenario(google)

    asyncio.run(main())


def test_look_finds_attempts_by_their_handles_and_by_their_keys() -> None:
    async def scenario(google: Google) -> None:
        keys = [google.know(f"run_{n}/1") for n in range(4)]
        handles = [(await google.provider.launch(make_order(key))).handle for key in keys[:3]]
        google.know(keys[0], handles[0])
        google.api.end(handles[1])
        other = google.another()
        google.api.calls.clear()
        reports = await other.look([*keys, AttemptKey("run_x/1"), keys[0]])
        assert [report.phase for report in reports] == [
            Phase.PENDING, Phase.ENDED, Phase.PENDING, Phase.UNKNOWN, Phase.UNKNOWN, Phase.PENDING,
        ]  # fmt: skip
        assert [report.handle for report in reports[:3]] == handles
        assert google.api.called("get_execution") == []  # one list by key, one of the job
        assert len(google.api.called("executions")) == 2
        assert await other.look([]) == []

    play(scenario)


def test_one_that_is_no_longer_among_the_newest_is_asked_for() -> None:
    async def scenario(google: Google) -> None:
        keys = [google.know(f"run_{n}/1") for n in range(2)]
        handles = [(await google.provider.launch(make_order(key))).handle for key in keys]
        google.api.unlisted.add(handles[0])
        reports = await google.provider.look(keys)
        assert [report.phase for report in reports] == [Phase.PENDING] * 2
        assert google.api.called("get_execution") == [handles[0]]

    play(scenario)


def test_stop_ends_what_runs_and_is_remembered_before_a_launch() -> None:
    async def scenario(google: Google) -> None:
        await google.provider.launch(make_order(KEY))
        for _ in range(2):
            await google.provider.stop(KEY)
        (report,) = await google.provider.look([KEY])
        assert report.outcome is not None
        assert report.outcome.ending is Ending.CANCELLED
        early = google.know("run_b/1")
        await google.provider.stop(early)
        await google.provider.stop(early)
        told = await google.provider.launch(make_order(early))
        assert told.outcome is not None
        assert told.outcome.ending is Ending.CANCELLED
        assert await google.provider.look([early]) == [told]
        assert len(google.api.runs) == 1
        await google.provider.forget(early)
        assert (await google.provider.look([early]))[0].phase is Phase.UNKNOWN

    play(scenario)


def test_an_end_is_told_without_tasks_where_they_may_not_be_seen() -> None:
    async def scenario(google: Google) -> None:
        handle = (await google.provider.launch(make_order(KEY))).handle
        google.api.end(handle)
        google.api.fails["tasks"] = ProviderRefused("no", reason="PERMISSION_DENIED")
        (report,) = await google.provider.look([KEY])
        assert report.outcome is not None
        assert report.outcome.usage.task_attempts == 2
        google.api.fails["tasks"] = ProviderUnavailable("later")
        with pytest.raises(ProviderUnavailable):
            await google.provider.look([KEY])

    play(scenario)


def test_what_changes_is_told() -> None:
    async def scenario(google: Google) -> None:
        await google.provider.start()
        await google.provider.start()
        handle = (await google.provider.launch(make_order(KEY))).handle
        google.api.end(handle)
        async with asyncio.timeout(10):
            await google.news.wait()
        (report,) = await google.provider.changed()
        assert (report.key, report.phase) == (KEY, Phase.ENDED)
        assert await google.provider.changed() == []
        assert await google.provider.log_bytes() == 0
        await google.provider.close()
        await google.provider.close()

    play(scenario)


def test_attempts_are_looked_at_less_and_less() -> None:
    looks: list[float] = []
    reports: dict[str, Report] = {KEY: Report(KEY, Phase.PENDING)}
    fails: list[Exception] = []

    async def see(keys: Any) -> list[Report]:
        if fails:
            raise fails.pop()
        return [reports[key] for key in keys]

    async def main() -> None:
        woken: list[int] = []
        watching = Watching(see, lambda: woken.append(1), Pace(1.0, 2.0, 5.0))
        watching.add(reports[KEY], 0.0)
        watching.add(reports[KEY], 0.5)
        now: float | None = await watching.tick(0.0)
        while now is not None and now < 20:
            looks.append(now)
            now = await watching.tick(now)
        assert looks == [1, 3, 7, 12, 17]
        assert (woken, watching.take()) == ([], [])
        reports[KEY] = Report(KEY, Phase.RUNNING, progress=Progress(1, 1))
        fails.append(ProviderUnavailable("no"))
        assert await watching.tick(22) == 27
        assert await watching.tick(27) == 32
        reports[KEY] = Report(KEY, Phase.ENDED)
        assert await watching.tick(32) is None
        assert len(woken) == 2
        assert watching.take() == [reports[KEY]]
        watching.add(reports[KEY], 33)
        watching.drop(KEY)
        assert await watching.tick(99) is None

    asyncio.run(main())


def test_what_is_not_watched_any_more_is_no_news() -> None:
    async def main() -> None:
        async def see(keys: Any) -> list[Report]:
            watching.drop(KEY)
            return [Report(KEY, Phase.RUNNING)]

        watching = Watching(see, lambda: None, Pace())
        watching.add(Report(KEY, Phase.PENDING), 0)
        assert await watching.tick(5) is None
        assert watching.take() == []

    asyncio.run(main())


def test_people_see_tasks_and_lines_and_else_where_the_log_is() -> None:
    async def scenario(google: Google) -> None:
        handle = (await google.provider.launch(make_order(KEY))).handle
        logs = Logs()
        reads, finding = LogReads(logs), google.provider.finding
        reading = LogReading(reads, lambda: google.api.now, LogPace(first=0, longest=0))
        viewer = GcpViewer(google.api, finding, reading, LogSearch(reads, finding))
        google.api.done_tasks[handle] = [run_v2.Task(index=index) for index in range(5)]
        assert [one.index for one in await viewer.tasks(KEY, first=-1, limit=2)] == [0, 1]
        assert [one.index for one in await viewer.tasks(KEY, first=1, limit=2)] == [1, 2]
        assert (await viewer.progress(KEY)).task_count == 2
        logs.come(an_entry("hello", 0), an_entry("there", 1, task=1))
        google.api.now += timedelta(seconds=60)
        page = await viewer.log(KEY)
        assert ([one.text for one in page.entries], page.ended) == (["hello", "there"], False)
        one = await viewer.log(KEY, after=0, task=1)
        assert [line.text for line in one.entries] == ["there"]
        logs.fails.append(ProviderRefused("no role", reason="PERMISSION_DENIED", hint="give it"))
        assert (await viewer.log(KEY, after=page.after)).ended
        page = await viewer.log(KEY)
        (entry,) = page.entries
        assert entry.text == (
            "its log is kept by Cloud Logging: https://console.cloud.google.com/logs/1; "
            "it cannot be read from here: no role; give it"
        )
        assert (page.ended, page.after) == (True, 1)
        assert (await viewer.log(KEY, after=1)).entries == ()
        assert (await viewer.log(KEY, task=0)).entries == ()
        unknown = AttemptKey("run_x/1")
        assert await viewer.tasks(unknown) == []
        assert await viewer.progress(unknown) == Progress()
        assert (await viewer.log(unknown)).entries == ()
        (sifted,) = await viewer.sift([LogPlace(KEY, 7, (LogWanted(),))])
        assert (sifted.after, sifted.ended, sifted.found) == (7, True, ())
        assert (await viewer.search([KEY], LogWanted(), 5)).found == ()

    play(scenario)


def test_access_grants_nothing_and_says_what_is_needed() -> None:
    async def scenario(google: Google) -> None:
        access = google.provider.access
        ref = {"secretKeyRef": {"secret": "db", "version": "1"}}
        template = make_template(
            serviceAccount="nightly-report",
            volumes=[{"name": "v", "secret": {"secret": "file"}}, {"name": "w", "emptyDir": {}}],
        )
        template["template"]["containers"][0]["env"] = [
            {"name": "A", "valueSource": ref}, {"name": "B", "value": "1"},
        ]  # fmt: skip
        full = {"template": template, "needs": {"secrets": ["other", "db"]}}
        job = Identity("shop", "prod", "report", full, {})
        bare = Identity("shop", "prod", "report", {"template": make_template()}, {})
        said = [(await access.do(kind, job)).message for kind in StepKind]
        assert "it runs as nightly-report; Runyard grants it nothing at Google" in said
        assert any(words.startswith("it reads db, file, other: its service") for words in said)
        assert (await access.do(StepKind.SECRETS, bare)).message == "it reads no secret"
        assert "default" in (await access.do(StepKind.IDENTITY, bare)).message
        assert await access.undo(StepKind.SECRETS, job, ()) == (
            "nothing was done, so nothing is undone"
        )
        with pytest.raises(ProviderUnavailable, match="does not see"):
            await access.missing(job)

    play(scenario)


def test_a_job_of_several_runs_is_asked_for_once() -> None:
    async def scenario(google: Google) -> None:
        keys = [AttemptKey(f"run_{n}/1") for n in range(3)]
        for key in keys:
            await google.provider.launch(make_order(key, untried=True))
        google.api.calls.clear()
        await google.provider.look(keys)
        assert google.api.calls == [("executions", JOB)]

    play(scenario)


def test_the_end_of_a_failed_attempt_waits_for_its_lines_and_no_other_does() -> None:
    async def scenario(google: Google) -> None:
        logs = Logs()
        google.evidence = Evidence(LogReads(logs), lambda: google.api.now, timedelta(seconds=10))
        google.provider = google.another()
        other = AttemptKey("run_b/1")
        failed = (await google.provider.launch(make_order(KEY))).handle
        fine = (await google.provider.launch(make_order(other))).handle
        how = {"succeeded": 0, "failed": 1, "execution_reason": "NON_ZERO_EXIT_CODE"}
        google.api.end(failed, FAILED, **how)
        google.api.end(fine)
        google.api.now += timedelta(seconds=90)
        bad = condition("Completed", FAILED, "The container exited with an error.")
        task = run_v2.Task(index=0, start_time=google.api.now, conditions=[bad])
        task.last_attempt_result.exit_code = 3
        google.api.done_tasks[failed] = [task]
        labels = {EXECUTION: names.short(failed), TASK: "0", ATTEMPT: "0"}
        logs.come(an_entry("connection refused", 60, labels=labels))
        phases: list[tuple[Phase, Phase]] = []
        while not phases or phases[-1][0] is not Phase.ENDED:
            reports = await google.provider.look([KEY, other])
            phases.append((reports[0].phase, reports[1].phase))
        assert phases[0] == (Phase.RUNNING, Phase.ENDED)
        outcome = reports[0].outcome
        assert outcome is not None
        assert outcome.failures[0].last_lines == ("connection refused",)
        assert google.api.called("tasks").count(failed) == 1
        assert (await google.provider.look([KEY]))[0] == reports[0]
        await google.provider.release(KEY)
        await google.provider.close()

    play(scenario)


def test_what_is_looked_at_soon_is_looked_at_before_its_turn() -> None:
    async def main() -> None:
        async def see(keys: Any) -> list[Report]:
            return [Report(key, Phase.RUNNING) for key in keys]

        watching = Watching(see, lambda: None, Pace(1.0, 10.0, 100.0))
        watching.add(Report(KEY, Phase.RUNNING), 0)
        assert await watching.tick(1) == 11
        assert await watching.tick(11) == 111
        watching.soon(KEY, 20)
        assert await watching.tick(20) == 21
        watching.soon(AttemptKey("run_x/1"), 20)
        assert await watching.tick(20) == 21

    asyncio.run(main())
