"""Server-sent events, as the HTML standard says they are read."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from runyard.cli.sse import Event, read

LINES = st.lists(st.binary(max_size=40))
DATA = st.dictionaries(st.text(max_size=5), st.text(max_size=20), max_size=3)


def events(text: str) -> list[Event]:
    return list(read(line + b"\n" for line in text.encode().split(b"\n")))


def test_the_parts_of_an_event() -> None:
    text = 'id: 7\nevent: log\ndata: {"a":\ndata: 1}\n\n'
    assert events(text) == [Event("log", {"a": 1}, "7")]


def test_comments_and_unknown_fields_say_nothing() -> None:
    assert events(": heartbeat\n\nretry: 10\nfoo: bar\ndata: {}\n\n") == [Event("message", {}, "")]


def test_an_id_stays_until_the_next_one() -> None:
    assert [event.id for event in events("id: 1\ndata: {}\n\ndata: {}\n\n")] == ["1", "1"]


def test_what_the_end_cut_short_is_dropped() -> None:
    assert events('data: {}\n\nid: 2\nevent: log\ndata: {"half"') == [Event("message", {}, "")]


@given(st.lists(DATA, max_size=5))
def test_every_event_that_is_written_is_read(data: list[dict[str, Any]]) -> None:
    text = "".join(f"data: {json.dumps(one)}\n\n" for one in data)
    assert [event.data for event in events(text)] == data
