"""What failed tasks at Google wrote last, and how long the end of an attempt waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from google.cloud import run_v2

from runyard.model.errors import PlatformError, ProviderRefused, ProviderUnavailable
from runyard.model.outcome import LAST_LINES_KEPT, Ending, Outcome, TaskFailure
from runyard.provider.gcp import evidence as module
from runyard.provider.gcp.evidence import READ, Evidence
from runyard.provider.gcp.log_reads import LogReads
from runyard.provider.gcp.log_wire import EntriesAsked, EntriesPage
from runyard.provider.gcp.quota import Allowance
from tests.support.google_logs import NAME, Logs, an_entry
from tests.support.google_stand_in import START

LATE = timedelta(seconds=10)
ENDED = START + timedelta(seconds=60)


class Held(Logs):
    """Answers once `go` is set."""

    go: asyncio.Event

    async def entries(self, asked: EntriesAsked) -> EntriesPage:
        await self.go.wait()
        return await super().entries(asked)


@dataclass
class Scene:
    """An attempt that failed at `ENDED`; tasks by index with their attempts."""

    logs: Logs = field(default_factory=Logs)
    failed: dict[int, int] = field(default_factory=lambda: {0: 1})
    ending: Ending = Ending.FAILED
    now: datetime = ENDED
    unstarted: Sequence[int] = ()

    def __post_init__(self) -> None:
        self.evidence = Evidence(LogReads(self.logs, Allowance(1e9, 1000)), lambda: self.now, LATE)
        self.execution = run_v2.Execution(
            name=NAME, create_time=START, completion_time=ENDED, update_time=ENDED
        )

    async def look(self, seconds: float) -> Outcome | None:
        """How it is told so long after the end, when what is read beside has been read."""
        self.now = ENDED + timedelta(seconds=seconds)
        failures = tuple(
            TaskFailure(index, attempts, "failed", 1) for index, attempts in self.failed.items()
        )
        tasks = [
            run_v2.Task(index=index, start_time=None if index in self.unstarted else START)
            for index in self.failed
        ]
        outcome = Outcome(self.ending, "failed", failures=failures)
        found = await self.evidence.of(self.execution, outcome, tasks)
        for _ in range(5):
            await asyncio.sleep(0)
        return found


Scenario = Callable[[], Awaitable[None]]


def play(scenario: Scenario) -> None:
    async def main() -> None:
        await scenario()

    asyncio.run(main())


def lines_of(outcome: Outcome | None) -> dict[int, tuple[str, ...]]:
    assert outcome is not None
    return {one.index: one.last_lines for one in outcome.failures}


def test_it_is_told_once_two_looks_have_found_the_same() -> None:
    async def scenario() -> None:
        scene = Scene(failed={0: 1, 3: 2})
        assert await scene.look(0) is None
        assert await scene.look(1.9) is None
        assert scene.logs.asked == []  # it is too early
        scene.logs.come(
            an_entry("first try", 50, task=3),
            an_entry("connecting", 58, task=3, attempt=1),
            an_entry("of another task", 58, task=7),
            an_entry("by the machine", 59, log="run.googleapis.com%2Fvarlog%2Fsystem"),
        )
        assert await scene.look(2) is None
        assert await scene.look(2.1) is None
        assert await scene.look(3.9) is None
        assert len(scene.logs.asked) == 1
        scene.logs.come(
            an_entry("a\nconnection refused", 59, task=3, attempt=1), an_entry("bad", 59.5)
        )
        assert await scene.look(4.1) is None
        assert await scene.look(5) is None  # they are not what they were
        assert await scene.look(6.2) is None
        found = await scene.look(7)
        assert lines_of(found) == {0: ("bad",), 3: ("connecting", "a", "connection refused")}
        scene.logs.come(an_entry("later still", 59.9))
        assert await scene.look(600) == found
        assert len(scene.logs.asked) == 3

    play(scenario)


def test_a_task_that_says_nothing_is_waited_for_as_long_as_lines_may_come() -> None:
    async def scenario() -> None:
        scene = Scene(failed={0: 1, 1: 1})
        scene.logs.come(an_entry("bad", 59))
        for seconds in (2, 3, 4, 5, 6, 7, 8, 9, 9.9):
            assert await scene.look(seconds) is None
        assert await scene.look(10) is None
        assert lines_of(await scene.look(10.1)) == {0: ("bad",), 1: ()}

    play(scenario)


def test_who_comes_to_it_later_is_told_at_once() -> None:
    async def scenario() -> None:
        scene = Scene()
        scene.logs.come(an_entry("bad", 59))
        assert lines_of(await scene.look(3600)) == {0: ("bad",)}

    play(scenario)


@pytest.mark.parametrize("ending", [Ending.SUCCEEDED, Ending.CANCELLED])
def test_nothing_else_waits(ending: Ending) -> None:
    async def scenario() -> None:
        scene = Scene(ending=ending)
        assert lines_of(await scene.look(0)) == {0: ()}
        assert lines_of(await Scene(unstarted=[0]).look(0)) == {0: ()}
        assert scene.logs.asked == []

    play(scenario)


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (ProviderRefused("no role", reason="PERMISSION_DENIED", hint="give it"), 2.1),
        (ProviderUnavailable("away", reason="UNAVAILABLE"), 10.1),
    ],
)
def test_an_attempt_whose_logs_cannot_be_read_ends_without_and_it_is_said_once(
    error: PlatformError, seconds: float, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario() -> None:
        scene = Scene(logs=Logs(fails=[error] * 20))
        at = 2.0
        while (found := await scene.look(at)) is None:
            at += 0.1
        assert lines_of(found) == {0: ()}
        assert at == pytest.approx(seconds, abs=0.11)
        (record,) = caplog.records
        assert "attempts in shop-prod end without their last lines" in record.message

    play(scenario)


def test_what_was_read_before_is_told_when_the_last_look_fails() -> None:
    async def scenario() -> None:
        scene = Scene(failed={0: 1, 1: 1})
        scene.logs.come(an_entry("bad", 59))
        assert await scene.look(2) is None
        assert await scene.look(3) is None
        scene.logs.fails += [ProviderUnavailable("away", reason="UNAVAILABLE")] * 2
        assert await scene.look(11) is None
        assert lines_of(await scene.look(12)) == {0: ("bad",), 1: ()}

    play(scenario)


def test_a_look_that_hangs_is_not_waited_for() -> None:
    async def scenario() -> None:
        held = Held()
        held.go = asyncio.Event()
        scene = Scene(logs=held)
        assert await scene.look(9) is None
        assert await scene.look(10 + READ.total_seconds() - 0.1) is None
        assert lines_of(await scene.look(10 + READ.total_seconds())) == {0: ()}
        other = Scene(logs=held)
        assert await other.look(5) is None
        other.evidence.close()
        await asyncio.sleep(0)

    play(scenario)


def test_a_task_that_wrote_long_before_the_others_is_looked_at_again() -> None:
    async def scenario() -> None:
        scene = Scene(failed={0: 1, 1: 1})
        scene.logs.come(an_entry("far up", 1, task=1))
        many = (an_entry(str(n), 10 + n / 100, insert_id=f"{n:05}") for n in range(1500))
        scene.logs.come(*many)
        found = lines_of(await scene.look(60))
        assert found[0][-1] == "1499"
        assert len(found[0]) == LAST_LINES_KEPT
        assert found[1] == ("far up",)
        assert len(scene.logs.asked) == 2

    play(scenario)


def test_not_all_that_was_told_is_remembered() -> None:
    async def scenario() -> None:
        scene = Scene()
        scene.logs.come(an_entry("bad", 59))
        assert lines_of(await scene.look(60)) == {0: ("bad",)}
        assert len(scene.evidence._told) == 1
        for number in range(module.KEPT_MAX):
            scene.evidence._tell(str(number), {})
        assert len(scene.evidence._told) == module.KEPT_MAX
        scene.logs.come(an_entry("worse", 59.5))
        assert lines_of(await scene.look(62)) == {0: ("bad", "worse")}

    play(scenario)
