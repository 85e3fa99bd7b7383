"""What processes tell each other: as it was said, and never too long for the database."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from hypothesis import given
from hypothesis import strategies as st

from runyard.database.port import Work
from runyard.database.signals import Signals
from runyard.gate.news import News, follow

T = TypeVar("T")

BYTES_MAX = 8_000  #: PostgreSQL refuses 8,000 and more
topics = st.integers(0, 99).map(lambda number: f"run/run_{number:026d}")
news = st.builds(
    News,
    st.text(st.characters(exclude_categories=["Cs"]), max_size=60),
    st.none() | st.lists(topics, max_size=5).map(tuple),
    st.booleans(),
    st.booleans(),
)


@given(news)
def test_news_are_read_as_they_were_told(told: News) -> None:
    assert News.read(told.text()) == told


@given(st.text() | st.sampled_from(["", "null", "[]", "{}", "[1,2,3,4,5]", '["a",7,true,true]']))
def test_what_is_not_understood_may_be_about_anything(text: str) -> None:
    read = News.read(text)
    assert (read.by, read.topics, read.due, read.effects) == ("", None, True, True)


@given(st.integers(0, 400))
def test_it_is_short_enough_whatever_happened(count: int) -> None:
    many = [f"run/run_{number:026d}" for number in range(count)]
    told = News.of("engine-4194304-0123abcd", many, due=True, effects=True)
    assert told is not None
    assert len(told.text().encode()) < BYTES_MAX
    assert told.topics == (tuple(many) if count <= 189 else None)


def test_as_much_is_named_as_there_is_room_for() -> None:
    for count, named in ((70, True), (71, False)):
        told = News.of("me", ["x" * 97] * count, due=False, effects=False)
        assert told is not None
        assert (told.topics is not None) is named


def test_nothing_to_look_at_is_not_told() -> None:
    assert News.of("me", [], due=False, effects=False) is None
    for asked in ({"due": True, "effects": False}, {"due": False, "effects": True}):
        assert News.of("me", [], **asked) is not None
    assert News.of("me", ["runs"], due=False, effects=False) is not None


def test_who_does_not_know_what_changed_wakes_everybody() -> None:
    async def scene() -> None:
        signals = Signals()
        with signals.listening(["a"]) as one, signals.listening(["b", "c"]) as other:
            signals.pass_on(["a"])
            assert (await one.wait(0), await other.wait(0)) == (True, False)
            signals.pass_on(None)
            assert (await one.wait(0), await other.wait(0)) == (True, True)

    asyncio.run(scene())


class Line:
    """A database of which one only listens."""

    dialect = "sqlite"

    def __init__(self) -> None:
        self.hear: Callable[[str], None] = lambda _: None
        self.missed: Callable[[], None] = lambda: None

    async def listen(self, hear: Callable[[str], None], missed: Callable[[], None]) -> None:
        self.hear, self.missed = hear, missed

    async def read(self, work: Work[T]) -> T:
        raise NotImplementedError

    async def write(self, work: Work[T]) -> T:
        raise NotImplementedError

    async def close(self) -> None:
        """It is not."""


def test_who_follows_wakes_those_who_listen_and_everybody_after_silence() -> None:
    async def scene() -> None:
        line, signals = Line(), Signals()
        await follow(line, signals)
        with signals.listening(["a"]) as one, signals.listening(["b"]) as other:
            line.hear(News("else", ("a",), due=False, effects=False).text())
            assert (await one.wait(0), await other.wait(0)) == (True, False)
            line.missed()
            assert (await one.wait(0), await other.wait(0)) == (True, True)

    asyncio.run(scene())
