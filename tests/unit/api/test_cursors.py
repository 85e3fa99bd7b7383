"""Page tokens are of use for their own list only, and nothing else gets through."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runyard.api.bookmarks import Bookmark
from runyard.api.cursors import place_in, token
from runyard.model.errors import InvalidSpec
from runyard.store.run_list import RunQuestion

ASKED = RunQuestion(job="report")
KINDS = ((int, type(None)), (str,))


@given(st.none() | st.integers(-(2**63) + 1, 2**63 - 1), st.text(st.characters(codec="utf-8")))
def test_a_token_leads_back_to_its_place(value: int | None, run: str) -> None:
    made = token(ASKED, value, run[:40])
    assert made.isascii()
    assert "=" not in made
    assert place_in(ASKED, made, KINDS) == [value, run[:40]]


def test_a_token_of_another_filter_or_order_is_refused() -> None:
    made = token(ASKED, 5, "run_1")
    for other in (RunQuestion(), RunQuestion(job="report", descending=False)):
        with pytest.raises(InvalidSpec) as caught:
            place_in(other, made, KINDS)
        assert caught.value.faults[0].path == "page_token"
        assert "same filter and sort" in caught.value.faults[0].expected


@given(st.text())
def test_any_text_is_a_token_or_refused(text: str) -> None:
    with pytest.raises(InvalidSpec, match="page token"):
        place_in(ASKED, text, KINDS)


@pytest.mark.parametrize(
    "place", [("a", "run_1"), (5, 5), (5,), (5, "a", "b"), (True, "a"), (2**63, "a"), (1.5, "a")]
)
def test_a_forged_place_is_refused(place: tuple[object, ...]) -> None:
    made = token(ASKED, *place)  # type: ignore[arg-type]  # what a forger sends
    with pytest.raises(InvalidSpec):
        place_in(ASKED, made, KINDS)


@pytest.mark.parametrize("text", [b"{}", b"[]", b"[1, 2, 3]", b"null", b"[" * 5000])
def test_other_json_is_refused(text: bytes) -> None:
    with pytest.raises(InvalidSpec):
        place_in(ASKED, base64.urlsafe_b64encode(text).decode(), KINDS)


@given(
    st.builds(
        Bookmark,
        st.integers(0, 10**17),
        st.integers(1, 1000),
        st.integers(0, 10**17),
        st.booleans(),
    )
)
def test_a_bookmark_is_read_as_it_was_written(mark: Bookmark) -> None:
    assert Bookmark.of(str(mark)) == mark


@pytest.mark.parametrize(
    "text", ["x", "1-2", "1-2-3-4", "-1-2-3", "1-2-3-", "١-٢-٣", "1" * 19 + "-1-1"]
)
def test_what_is_no_bookmark_is_refused(text: str) -> None:
    with pytest.raises(InvalidSpec, match="event's id"):
        Bookmark.of(text)


def test_no_bookmark_is_the_beginning() -> None:
    assert Bookmark.of("") == Bookmark(0, 1, 0)
