"""How logs at Google are read: each line once, in order, and not more often than Google lets be."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from runyard.model.errors import ProviderRefused, ProviderUnavailable
from runyard.provider.gcp.log_lines import Question
from runyard.provider.gcp.log_reading import PAGE_BYTES_MAX, LogPace, LogReading
from runyard.provider.gcp.log_reads import BUSY, SPARE, LogReads
from runyard.provider.gcp.log_wire import EntriesAsked
from runyard.provider.gcp.quota import Allowance, Quota
from tests.support.google_logs import NAME, Logs, an_entry
from tests.support.google_stand_in import START

ASKED = Question(NAME, START)
AT_ONCE = LogPace(late=10, first=0, longest=0, patience=0)


@dataclass
class Reader:
    """One who reads on, as `logs -f` does."""

    logs: Logs = field(default_factory=Logs)
    now: datetime = START
    pace: LogPace = AT_ONCE
    allowance: Allowance = Allowance(1e9, 1_000_000)
    after: int = 0
    texts: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.reading = self.another()

    def another(self) -> LogReading:
        """What another process reads by."""
        return LogReading(LogReads(self.logs, self.allowance), lambda: self.now, self.pace)

    async def on(self, ended: datetime | None = None, limit: int = 1000) -> bool:
        """Read on as far as it goes now; True: there will be no more."""
        while True:
            page = await self.reading.page(ASKED, ended, self.after, limit)
            assert all(one.position > self.after for one in page.entries)
            self.texts += [one.text for one in page.entries]
            is_new, self.after = page.after != self.after, page.after
            if page.ended or not is_new:
                return page.ended


def play(scenario: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        await scenario()

    asyncio.run(main())


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def test_what_comes_late_and_out_of_order_has_its_place() -> None:
    async def scenario() -> None:
        reader = Reader()
        reader.logs.come(an_entry("b", 2), an_entry("d", 4))
        reader.now = at(11)
        assert not await reader.on()
        assert reader.texts == []  # something older may come
        reader.logs.come(an_entry("a", 1), an_entry("c", 3))
        reader.now = at(13.5)
        assert not await reader.on()
        assert reader.texts == ["a", "b", "c"]
        reader.reading = reader.another()
        reader.now = at(15)
        await reader.on()
        reader.logs.come(an_entry("e", 5), an_entry("b", 2))  # the second is told once more
        reader.now = at(19.9)
        assert not await reader.on(ended=at(10))
        assert reader.texts == ["a", "b", "c", "d", "e"]
        reader.logs.come(an_entry("last", 10), an_entry("from the future", 90))
        reader.now = at(20)
        assert await reader.on(ended=at(10))
        assert reader.texts[5:] == ["last", "from the future"]

    play(scenario)


@pytest.mark.parametrize("limit", [1, 3, 7, 1000])
def test_pages_have_every_line_once(limit: int) -> None:
    async def scenario() -> None:
        reader = Reader(now=at(100))
        wanted = [f"{n:03}" for n in range(50)]
        reader.logs.come(*(an_entry(text, n // 20) for n, text in enumerate(wanted)))
        assert await reader.on(ended=at(9), limit=limit)
        assert reader.texts == wanted
        reader.logs.asked.clear()
        middle = Reader(reader.logs, now=at(100), after=reader.after)
        assert await middle.on(ended=at(9), limit=limit)
        assert middle.texts == []
        middle = Reader(reader.logs, now=at(100))
        for _ in range(4):  # a process of its own for each page
            page = await middle.reading.page(ASKED, at(9), middle.after, 7)
            middle.texts += [one.text for one in page.entries]
            middle.after, middle.reading = page.after, middle.another()
        assert middle.texts == wanted[:28]

    play(scenario)


def test_thousands_of_lines_of_one_instant_are_gone_on_with() -> None:
    async def scenario() -> None:
        reader = Reader(now=at(100))
        wanted = [f"{n:05}" for n in range(2500)]
        reader.logs.come(*(an_entry(text, 1) for text in wanted))
        first = await reader.reading.page(ASKED, at(9), 0, 1000)
        second = await reader.reading.page(ASKED, at(9), first.after, 1000)
        assert len(reader.logs.asked) == 2
        reader.after, reader.reading = second.after, reader.another()
        assert await reader.on(ended=at(9))
        assert reader.texts == wanted[2000:]

    play(scenario)


def test_more_of_one_instant_than_one_call_goes_past_is_gone_past_by_several() -> None:
    async def scenario() -> None:
        reader = Reader(now=at(100))
        reader.logs.come(*(an_entry(f"{n:05}", 1) for n in range(7500)))
        while len(reader.texts) < 7000:
            page = await reader.reading.page(ASKED, at(9), reader.after, 1000)
            reader.texts += [one.text for one in page.entries]
            reader.after = page.after
        reader.reading, reader.texts = reader.another(), []
        assert not await reader.on(ended=at(9))
        assert await reader.on(ended=at(9))
        assert reader.texts == [f"{n:05}" for n in range(7000, 7500)]

    play(scenario)


def test_a_page_of_long_lines_is_short() -> None:
    async def scenario() -> None:
        reader = Reader(now=at(100))
        long = "x" * (PAGE_BYTES_MAX // 2)
        reader.logs.come(*(an_entry(long, n, insert_id=str(n)) for n in range(5)))
        page = await reader.reading.page(ASKED, at(9), 0, 1000)
        assert (len(page.entries), page.ended) == (2, False)
        assert await reader.on(ended=at(9))
        assert len(reader.texts) == 5

    play(scenario)


def test_the_lines_of_one_task_are_asked_for_alone() -> None:
    async def scenario() -> None:
        reader = Reader(now=at(100))
        reader.logs.come(an_entry("a", 1, task=1), an_entry("b", 2, task=2))
        page = await reader.reading.page(Question(NAME, START, 2), at(9), 0, 10)
        assert [one.text for one in page.entries] == ["b"]

    play(scenario)


def test_those_who_wait_for_more_share_what_is_read_less_and_less_often() -> None:
    async def scenario() -> None:
        reader = Reader(pace=LogPace(late=0, first=1e-3, factor=1e6, longest=1000))
        reader.logs.come(an_entry("a", -1))
        pages = await asyncio.gather(
            *(reader.reading.page(ASKED, None, 0, 1000) for _ in range(5)),
            *(reader.reading.page(ASKED, None, 0, 1000) for _ in range(5)),
        )
        assert [len(page.entries) for page in pages] == [1] * 10
        assert len(reader.logs.asked) == 1
        after = pages[0].after
        while len(reader.logs.asked) < 2:  # the first pause, a thousandth of a second, goes by
            await reader.reading.page(ASKED, None, after, 1000)
            await asyncio.sleep(0)
        reader.logs.come(an_entry("b", -0.5))
        assert (await reader.reading.page(ASKED, None, after, 1000)).entries == ()
        assert len(reader.logs.asked) == 2
        # once the attempt has ended it is read at once
        assert len((await reader.reading.page(ASKED, at(0), after, 1000)).entries) == 1

    play(scenario)


def busy() -> ProviderUnavailable:
    return ProviderUnavailable("used up", reason=BUSY)


def test_who_waits_at_the_end_goes_on_waiting_while_the_quota_is_used_up() -> None:
    async def scenario() -> None:
        reader = Reader(now=at(100))
        reader.logs.come(an_entry("a", 1))
        await reader.on()
        reader.logs.fails.append(busy())
        assert not await reader.on()
        assert len(reader.logs.asked) == 3
        assert not await reader.on()  # Google is not asked for a while
        assert len(reader.logs.asked) == 3
        assert reader.texts == ["a"]
        with pytest.raises(ProviderUnavailable, match="as often as Google allows"):
            await reader.reading.page(Question(NAME, START, 1), None, 0, 10)
        assert len(reader.logs.asked) == 3

    play(scenario)


def test_what_is_away_is_said() -> None:
    async def scenario() -> None:
        reader = Reader(now=at(100))
        await reader.on()
        reader.logs.fails.append(ProviderUnavailable("away", reason="UNAVAILABLE"))
        with pytest.raises(ProviderUnavailable, match="away"):
            await reader.on()
        reader.logs.come(an_entry("a", 1))
        await reader.on()
        assert reader.texts == ["a"]

    play(scenario)


def test_a_refusal_is_taken_for_how_it_is_for_a_while() -> None:
    async def scenario() -> None:
        logs = Logs(fails=[ProviderRefused("no role", reason="PERMISSION_DENIED", hint="give it")])
        reads = LogReads(logs)
        ours, others = (EntriesAsked(project, "", 10) for project in ("shop-prod", "other"))
        for _ in range(3):
            with pytest.raises(ProviderRefused, match="no role"):
                await reads.read(ours)
        assert (await reads.read(others)).entries == ()
        assert len(logs.asked) == 2
        assert reads.refused() == {"shop-prod": "no role; give it"}
        reads._refused["shop-prod"] = (-1e9, reads._refused["shop-prod"][1])  # long ago
        assert (await reads.read(ours)).entries == ()
        assert reads.refused() == {}
        logs.fails.append(ProviderRefused("a bad filter", reason="INVALID_ARGUMENT"))
        with pytest.raises(ProviderRefused, match="a bad filter"):
            await reads.read(ours)
        assert (await reads.read(ours)).entries == ()

    play(scenario)


def test_reads_wait_for_their_turn_and_leave_some_for_evidence() -> None:
    async def scenario() -> None:
        logs = Logs()
        reads = LogReads(logs, Allowance(60_000, SPARE + 1))  # one a millisecond
        asked = EntriesAsked("shop-prod", "", 10)
        for _ in range(3):
            await reads.read(asked, patience=10, spare=SPARE)
        assert len(logs.asked) == 3

    play(scenario)


def test_a_quota_lets_some_be_together_and_the_rest_by_and_by() -> None:
    quota = Quota(Allowance(60, 3), 100.0)
    assert [quota.take(100.0) for _ in range(4)] == [0, 0, 0, 1]
    assert quota.take(100.5) == 0.5
    assert quota.take(101.0) == 0
    assert quota.take(102.0, spare=1) == 1
    assert quota.take(103.0, spare=1) == 0
    assert quota.take(1000.0, spare=2) == 0
    assert quota.take(1000.0, spare=2) == 1
    quota.exhaust(1000.0, 15)
    assert quota.take(1001.0) == 15
    assert quota.take(1015.0) == 1
    assert quota.take(1016.0) == 0
