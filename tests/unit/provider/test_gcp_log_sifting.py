"""What jobs measure of lines at Google: read once, after the end, and after all others."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from runyard.model.errors import PlatformError, ProviderRefused, ProviderUnavailable
from runyard.model.ids import AttemptKey
from runyard.provider.gcp import log_sifting
from runyard.provider.gcp.log_lines import Question
from runyard.provider.gcp.log_reading import LogPace, LogReading
from runyard.provider.gcp.log_reads import BUSY, SPARE, LogReads
from runyard.provider.gcp.log_search import LogSearch
from runyard.provider.gcp.log_sifting import LONGEST, LogSifting
from runyard.provider.gcp.log_wanted import wants
from runyard.provider.gcp.quota import Allowance
from runyard.provider.gcp.viewer import GcpViewer
from runyard.provider.port import LogEntry, LogPlace, LogSifted, LogWanted
from tests.support.google_logs import NAME, Logs, an_entry
from tests.support.google_orders import Google, make_order
from tests.support.google_stand_in import START

KEY = AttemptKey("run_a/1")
ASKED = Question(NAME, START)
ENDED = START + timedelta(seconds=60)
LINE = LogEntry(1, START, 3, 0, "stdout", "WARNING", "disk sda is low", {
    "metric": "rows", "n": 7, "user": {"name": "ada"}, "a.b": True, "list": [1],
})  # fmt: skip
MANY = Allowance(1e9, 1000)
PLACE = LogPlace(KEY, 0, (LogWanted(text="bad"), LogWanted(pattern="^b")))


@pytest.mark.parametrize(
    ("wanted", "is_wanted"),
    [
        ({}, True),
        ({"text": "sda"}, True),
        ({"text": "sdb"}, False),
        ({"pattern": r"sd[a-z] is"}, True),
        ({"pattern": r"^low"}, False),
        ({"severities": ("INFO", "WARNING")}, True),
        ({"severities": ("ERROR",)}, False),
        ({"task": 3}, True),
        ({"task": 0}, False),
        ({"since": START, "before": START + timedelta(seconds=1)}, True),
        ({"since": START + timedelta(seconds=1)}, False),
        ({"before": START}, False),
        ({"has": "metric"}, True),
        ({"has": "name"}, False),
        ({"fields": (("metric", "rows"), ("n", "7"), ("user.name", "ada"))}, True),
        ({"fields": (("a.b", "true"),)}, True),
        ({"fields": (("a.b", "yes"),)}, False),
        ({"fields": (("list", "[1]"),)}, False),
        ({"fields": (("user.id", "7"),)}, False),
        ({"fields": (("n.m", "7"),)}, False),
    ],
)
def test_lines_are_wanted_as_those_of_this_machine(wanted: dict[str, Any], is_wanted: bool) -> None:
    assert wants(LogWanted(**wanted), LINE) is is_wanted


def test_a_plain_line_has_no_fields() -> None:
    plain = LogEntry(1, START, 0, 0, "stdout", "DEFAULT", "x")
    assert not wants(LogWanted(has="metric"), plain)
    assert not wants(LogWanted(fields=(("a", "b"),)), plain)


class Scene:
    """A log of an attempt that ended at `ENDED`, so long ago."""

    def __init__(self, seconds: float = 60, allowance: Allowance = MANY) -> None:
        self.logs = Logs()
        self.now = ENDED + timedelta(seconds=seconds)
        pace = LogPace(late=10, first=0, longest=0)
        self.reading = LogReading(LogReads(self.logs, allowance), lambda: self.now, pace)
        self.sifting = LogSifting(self.reading)

    async def sift(self, place: LogPlace = PLACE) -> LogSifted:
        return await self.sifting.sift(place, ASKED, ENDED)


def play(scenario: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        await scenario()

    asyncio.run(main())


def test_a_log_is_read_once_lines_cannot_come_any_more() -> None:
    async def scenario() -> None:
        scene = Scene(seconds=9)
        scene.logs.come(an_entry("good", 1), an_entry("bad", 2), an_entry("better", 3))
        early = await scene.sift()
        assert (early.found, early.after, early.complete, early.ended) == ((), 0, True, False)
        assert scene.logs.asked == []
        scene.now = ENDED + timedelta(seconds=10)
        found = await scene.sift()
        assert [(line.text, numbers) for line, numbers in found.found] == [
            ("bad", (0, 1)), ("better", (1,)),
        ]  # fmt: skip
        assert (found.complete, found.ended) == (True, True)

    play(scenario)


def test_a_long_log_is_read_a_part_at_a_time() -> None:
    async def scenario() -> None:
        scene = Scene()
        scene.logs.come(*(an_entry(f"b{n:04}", n / 1000) for n in range(1500)))
        first = await scene.sift()
        assert (len(first.found), first.complete, first.ended) == (1000, False, False)
        rest = await scene.sift(LogPlace(KEY, first.after, PLACE.wanted))
        assert (len(rest.found), rest.complete, rest.ended) == (500, True, True)

    play(scenario)


def test_others_come_first() -> None:
    async def scenario() -> None:
        scene = Scene(allowance=Allowance(1e-3, 2 * SPARE))
        found = await scene.sift()
        assert (found.complete, found.ended) == (True, False)
        assert scene.logs.asked == []
        await scene.reading.page(ASKED, ENDED, 0, 10)

    play(scenario)


@pytest.mark.parametrize(
    ("error", "is_late", "is_over"),
    [
        (ProviderUnavailable("used up", reason=BUSY), False, False),
        (ProviderUnavailable("away"), False, False),
        (ProviderUnavailable("away"), True, True),
        (ProviderRefused("no role", reason="PERMISSION_DENIED"), False, True),
    ],
)
def test_what_cannot_be_read_is_given_up_in_the_end(
    error: PlatformError, is_late: bool, is_over: bool
) -> None:
    async def scenario() -> None:
        scene = Scene(seconds=LONGEST.total_seconds() if is_late else 60)
        scene.logs.fails.append(error)
        found = await scene.sift()
        assert (found.found, found.after, found.ended) == ((), 0, is_over)

    play(scenario)


def test_an_attempt_that_runs_has_nothing_to_sift_and_is_asked_about_once_it_has_ended() -> None:
    async def main() -> None:
        google, logs = Google(), Logs()
        await google.deploy()
        reads, finding = LogReads(logs), google.provider.finding
        reading = LogReading(reads, lambda: google.api.now, LogPace(late=10))
        viewer = GcpViewer(google.api, finding, reading, LogSearch(reads, finding))
        handle = (await google.provider.launch(make_order(KEY))).handle
        assert (await viewer.progress(KEY)).task_count == 2
        (running,) = await viewer.sift([PLACE])
        assert (running.found, running.complete, running.ended) == ((), True, True)
        google.api.end(handle)
        google.api.now += timedelta(seconds=95)
        google.api.calls.clear()
        for _ in range(3):
            (ended,) = await viewer.sift([PLACE])
            assert (ended.complete, ended.ended) == (True, False)
        assert google.api.called("get_execution") == [handle]
        google.api.now += timedelta(seconds=60)
        (done,) = await viewer.sift([PLACE])
        assert done.ended
        unknown = LogPlace(AttemptKey("run_x/1"), 7, ())
        assert (await viewer.sift([unknown]))[0].ended
        google.api.fails["get_execution"] = ProviderUnavailable("away")
        (away,) = await viewer.sift([PLACE])
        assert (away.complete, away.ended) == (True, False)

    asyncio.run(main())


def test_not_all_ends_are_remembered() -> None:
    async def scenario() -> None:
        scene = Scene()
        for number in range(log_sifting.OVER_MAX + 1):
            scene.sifting.end(AttemptKey(f"run_{number}/1"), ASKED, ENDED)
        assert scene.sifting.ended(AttemptKey("run_0/1")) is None
        assert scene.sifting.ended(AttemptKey("run_1/1")) == (ASKED, ENDED)

    play(scenario)
