"""No spelling of a secret passes, wherever the stream is cut."""

from __future__ import annotations

import base64
import json
import re
from itertools import pairwise
from urllib.parse import quote

from hypothesis import assume, given
from hypothesis import strategies as st

from runyard.localcloud.spawner.server.redact import Redactor, spellings


def through(secrets: list[tuple[str, str]], *pieces: bytes) -> bytes:
    """What comes out of a stream read in these pieces."""
    redactor = Redactor(spellings(secrets))
    return b"".join(redactor.feed(piece) for piece in pieces) + redactor.finish()


VALUES = st.text(st.characters(codec="utf-8"), min_size=4, max_size=30).filter(
    lambda value: len(value.strip()) >= 4 and "[redacted:" not in value
)


@given(
    value=VALUES,
    before=st.binary(max_size=20),
    after=st.binary(max_size=20),
    cuts=st.lists(st.integers(0, 80), max_size=6),
    spell=st.sampled_from(["plain", "json", "ascii", "base64", "url", "quoted"]),
)
def test_every_spelling_goes_wherever_it_is_cut(
    value: str, before: bytes, after: bytes, cuts: list[int], spell: str
) -> None:
    text = {
        "plain": value.encode(),
        "json": json.dumps(value, ensure_ascii=False)[1:-1].encode(),
        "ascii": json.dumps(value)[1:-1].encode(),
        "base64": base64.b64encode(value.encode()),
        "url": base64.urlsafe_b64encode(value.encode()),
        "quoted": quote(value, safe="").encode(),
    }[spell]
    core = text.rstrip(b"=")
    assume(core not in before + after)
    data = before + text + after
    edges = sorted({min(cut, len(data)) for cut in cuts} | {0, len(data)})
    pieces = [data[a:b] for a, b in pairwise(edges)]
    out = through([("NAME", value)], *pieces)
    assert core not in out.replace(b"[redacted:NAME]", b"\0")
    assert b"[redacted:NAME]" in out


@given(data=st.binary(max_size=200), cuts=st.lists(st.integers(0, 200), max_size=6))
def test_what_holds_no_secret_passes_unchanged(data: bytes, cuts: list[int]) -> None:
    assume(b"secret" not in data)
    edges = sorted({min(cut, len(data)) for cut in cuts} | {0, len(data)})
    pieces = [data[a:b] for a, b in pairwise(edges)]
    assert through([("a", "secret-value"), ("b", "\nsecret\n")], *pieces) == data


@given(prefix=st.binary(max_size=7), value=VALUES)
def test_base64_inside_a_longer_text_shows_at_most_its_edges(prefix: bytes, value: str) -> None:
    coded = base64.b64encode(prefix + value.encode() + b"tail")
    assume(len(value.encode()) >= 8)
    out = through([("NAME", value)], b"Basic " + coded)
    assert b"[redacted:NAME]" in out
    visible = re.sub(rb"\[redacted:NAME\]", b"", out)
    assert len(visible) < len(b"Basic ") + len(coded) - len(value.encode())


def test_a_longer_secret_that_begins_with_a_shorter_one_goes_whole() -> None:
    secrets = [("short", "abcd"), ("long", "abcdefgh")]
    assert (
        through(secrets, b"x abcd", b"efgh y abcd z") == b"x [redacted:long] y [redacted:short] z"
    )
    assert through(secrets, b"x abcd") == b"x [redacted:short]"


def test_a_secret_that_overlaps_itself_is_not_let_through_at_a_cut() -> None:
    assert through([("n", "abXab")], b"..abXab", b"..") == b"..[redacted:n].."
    assert through([("n", "abXab")], b"..abXa", b"b..") == b"..[redacted:n].."


def test_the_lines_of_a_secret_go_one_by_one() -> None:
    key = "-----BEGIN-----\nshort\nabc\nlonger line\n"
    out = through([("key", key)], b"1 longer line 2 abc 3 short\r\n", key.encode())
    assert out == b"1 [redacted:key] 2 abc 3 [redacted:key]\r\n[redacted:key]"


def test_odd_names_do_not_break_the_line_they_stand_in() -> None:
    assert through([('a"b\n', "value")], b"value") == b"[redacted:a_b_]"


def test_an_empty_secret_says_nothing() -> None:
    assert spellings([]) == spellings([("empty", ""), ("blank", " \n ")]) == {}
