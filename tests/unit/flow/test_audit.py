"""The chain: whatever is done to it is found, at the first entry that does not fit."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runyard.flow.audit import (
    Audit,
    Break,
    anchors_of,
    canonical,
    digest_of,
    entry_of,
    link,
    linked,
)
from runyard.model.audit import GENESIS, AuditEntry, Head, Link, Origin
from runyard.model.errors import Fault, InvalidSpec
from runyard.model.instants import to_micros
from tests.support.runs import NOW

Tamper = Callable[[list[Link]], list[Link]]


def entries(count: int, **changes: Any) -> list[AuditEntry]:
    """So many entries, each unlike the others."""
    usual = AuditEntry(NOW, "ann", "job.apply", "job/shop/report", "prod", None, {"revision": 1})
    return [
        replace(
            usual,
            at=NOW + timedelta(seconds=number),
            after={"revision": number},
            origin=Origin("10.0.0.1", "curl/8", f"tok_{number}"),
            **changes,
        )
        for number in range(1, count + 1)
    ]


def chain(count: int = 9, **changes: Any) -> list[Link]:
    """A sound chain."""
    return linked(entries(count, **changes), Head())


def verified(links: list[Link], anchors: dict[int, str] | None = None) -> Break | None:
    """The first thing that is wrong."""
    audit = Audit(anchors or {})
    for one in links:
        if (broken := audit.look(one)) is not None:
            return broken
    return audit.end()


def recomputed(links: list[Link], place: int, **changes: Any) -> Link:
    """An entry with other content and the digest that fits it."""
    document = json.loads(links[place].text) | changes
    text = canonical(document)
    beside = {name: value for name, value in changes.items() if hasattr(links[place], name)}
    return replace(links[place], text=text, digest=digest_of(text), **beside)


def test_a_sound_chain_holds_together() -> None:
    links = chain()
    assert links[0].previous == GENESIS
    assert [one.sequence for one in links] == list(range(1, 10))
    assert verified(links) is None
    assert verified(links, {9: links[8].digest, 1: links[0].digest}) is None
    assert verified([]) is None


def test_what_goes_in_comes_out() -> None:
    for entry, one in zip(entries(3), chain(3), strict=True):
        assert entry_of(one) == entry


def test_the_next_batch_goes_on_where_the_last_one_ended() -> None:
    first = linked(entries(4), Head())
    rest = linked(entries(9)[4:], Head(4, first[-1].digest))
    assert first + rest == chain(9)


def _edited(links: list[Link]) -> list[Link]:
    changed = links[4].text.replace("ann", "bob")
    return [*links[:4], replace(links[4], text=changed), *links[5:]]


TAMPERINGS: dict[str, tuple[Tamper, int]] = {
    "edits what an entry says": (_edited, 5),
    "edits the column beside": (
        lambda links: [*links[:4], replace(links[4], by="bob"), *links[5:]],
        5,
    ),
    "edits the instant beside": (
        lambda links: [*links[:4], replace(links[4], at=NOW), *links[5:]],
        5,
    ),
    "swaps two": (lambda links: [*links[:3], links[4], links[3], *links[5:]], 4),
    "swaps two and their numbers": (
        lambda links: [
            *links[:3],
            replace(links[4], sequence=4),
            replace(links[3], sequence=5),
            *links[5:],
        ],
        4,
    ),
    "deletes the first": (lambda links: links[1:], 1),
    "deletes one in the middle": (lambda links: [*links[:4], *links[5:]], 5),
    "puts one in": (
        lambda links: [*links[:4], recomputed(links, 3, sequence=5), *links[4:]],
        5,
    ),
    "doubles one": (lambda links: [*links[:5], links[4], *links[5:]], 6),
    "changes a digest": (
        lambda links: [*links[:4], replace(links[4], digest="f" * 64), *links[5:]],
        5,
    ),
    "changes a link": (
        lambda links: [*links[:4], replace(links[4], previous="f" * 64), *links[5:]],
        5,
    ),
    "computes one anew": (
        lambda links: [*links[:4], recomputed(links, 4, by="bob"), *links[5:]],
        6,
    ),
    "leaves no text": (
        lambda links: [*links[:4], replace(links[4], text="", digest=digest_of("")), *links[5:]],
        5,
    ),
}


@pytest.mark.parametrize("how", TAMPERINGS)
def test_tampering_is_found_where_it_was_done(how: str) -> None:
    tamper, place = TAMPERINGS[how]
    broken = verified(tamper(chain()))
    assert broken is not None
    assert broken.sequence == place
    assert broken.expected != broken.found


def _all_anew(links: list[Link], by: str = "bob") -> list[Link]:
    return linked([replace(entry_of(one), by=by) for one in links], Head())


ANCHORED: dict[str, Tamper] = {
    "cuts the end off": lambda links: links[:6],
    "cuts everything off": lambda links: [],
    "puts another chain in its place": lambda links: chain(9, by="bob"),
    "puts a longer one in its place": lambda links: chain(20, by="bob"),
    "computes all anew from the middle": lambda links: (
        links[:4]
        + linked([replace(entry_of(one), by="bob") for one in links[4:]], Head(4, links[3].digest))
    ),
    "computes all anew": _all_anew,
}


@pytest.mark.parametrize("how", ANCHORED)
def test_what_fits_together_again_is_found_by_an_anchor(how: str) -> None:
    links = chain()
    tampered = ANCHORED[how](links)
    assert verified(tampered) is None
    broken = verified(tampered, {8: links[7].digest})
    assert broken is not None
    assert broken.sequence <= 8


@given(st.integers(1, 12), st.data())
def test_any_other_text_of_an_entry_is_found(count: int, data: st.DataObject) -> None:
    links = chain(count)
    place = data.draw(st.integers(0, count - 1))
    text = data.draw(st.text(max_size=80).filter(lambda each: each != links[place].text))
    links[place] = replace(links[place], text=text)
    broken = verified(links)
    assert broken is not None
    assert broken.sequence == place + 1


@given(st.permutations(range(6)))
def test_any_other_order_is_found(order: list[int]) -> None:
    links = chain(6)
    moved = [links[place] for place in order]
    assert (verified(moved) is None) == (order == sorted(order))


@given(st.dictionaries(st.text(), st.text() | st.integers() | st.none()))
def test_the_canonical_text_depends_on_no_order(document: dict[str, Any]) -> None:
    turned = dict(reversed(document.items()))
    assert canonical(turned) == canonical(document)
    assert json.loads(canonical(document)) == document


def test_an_entry_whose_text_says_nothing_is_shown_as_far_as_it_goes() -> None:
    entry = entry_of(replace(chain(1)[0], text="{"))
    assert (entry.by, entry.after, entry.reason, entry.origin) == ("ann", None, "", Origin())


def test_anchors_are_read() -> None:
    digest, other = "a" * 64, "b" * 64
    assert anchors_of([f"3:{digest}", "", f" 7:{other}\n", f"3:{digest}"]) == {3: digest, 7: other}
    assert str(Head(3, digest)) == f"3:{digest}"


@pytest.mark.parametrize("text", ["3", "0:" + "a" * 64, "3:zz", "9" * 16 + ":" + "a" * 64, "x"])
def test_what_is_no_anchor_is_refused(text: str) -> None:
    with pytest.raises(InvalidSpec) as refused:
        anchors_of([text, "1:" + "c" * 64])
    assert [fault.path for fault in refused.value.faults] == ["anchor"]


def test_anchors_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(InvalidSpec) as refused:
        anchors_of(["1:" + "a" * 64, "1:" + "b" * 64])
    assert "a" * 64 in refused.value.faults[0].expected


def test_the_text_of_an_entry_is_the_same_for_ever() -> None:
    """A log of years is verified by whatever version reads it: neither text nor digest changes."""
    entry = AuditEntry(
        NOW, "ann", "job.apply", "job/shop/report", "prod", {"a": "ü"}, {"a": None}, "why",
        Origin("10.0.0.1", "curl/8", "tok_1"),
    )  # fmt: skip
    one = link(entry, Head(6, "a" * 64))
    text = (
        '{"action":"job.apply","after":{"a":null},"at":1793534400000000,"before":{"a":"ü"},'
        '"by":"ann","environment":"prod","origin":{"address":"10.0.0.1","token":"tok_1",'
        '"user_agent":"curl/8"},"previous":"' + "a" * 64 + '","reason":"why","sequence":7,'
        '"target":"job/shop/report","v":1}'
    )
    assert one == Link(
        7, NOW, "ann", "job.apply", "job/shop/report", "prod", text, "a" * 64,
        sha256(text.encode()).hexdigest(),
    )  # fmt: skip
    assert entry_of(one) == entry


def test_a_text_that_is_no_unicode_has_a_digest_too() -> None:
    one = link(replace(entries(1)[0], reason="\ud800"), Head())
    assert verified([one]) is None
    assert entry_of(one).reason == "\ud800"


def test_each_break_says_what_it_is_what_should_be_and_what_is() -> None:
    links = chain(3)
    first, second, third = links
    wrong = "f" * 64
    assert verified([first, third]) == Break(2, "an entry is missing, doubled or moved", "2", "3")
    assert verified([first, replace(second, previous=wrong)]) == Break(
        2, "it does not follow the entry before it", first.digest, wrong
    )
    assert verified([first, replace(second, digest=wrong)]) == Break(
        2, "its content or its digest was changed", wrong, second.digest
    )
    assert verified(links, {2: wrong}) == Break(
        2, "it is not the entry that was anchored", wrong, second.digest
    )
    assert verified(links, {3: third.digest, 4: wrong, 9: wrong}) == Break(
        4, "entries are missing at the end", "at least 9 entries, as an anchor says", "none"
    )


@pytest.mark.parametrize("name", ["sequence", "at", "by", "action", "target", "environment"])
def test_a_row_that_says_something_else_than_its_text_is_told(name: str) -> None:
    first, second = chain(2)
    said = {"sequence": 7, "at": to_micros(NOW)}.get(name, "x")
    other = NOW if name == "at" else said
    text = canonical(json.loads(second.text) | {name: said})
    broken = verified([first, replace(second, text=text, digest=digest_of(text))])
    assert broken == Break(
        2, f"the row's {name} is not the entry's", str(other), str(getattr(second, name))
    )


@pytest.mark.parametrize("text", ["[]", "3", "{}", '{"at": "x"}', f'{{"at": {10**30}}}'])
def test_a_text_that_says_no_instant_says_nothing(text: str) -> None:
    first, second = chain(2)
    broken = verified([first, replace(second, text=text, digest=digest_of(text))])
    assert broken == Break(2, "the row's sequence is not the entry's", "None", "2")


def test_anchors_that_are_none_are_told_all_at_once() -> None:
    digest, other = "a" * 64, "b" * 64
    largest = 2**53
    assert anchors_of([f"{largest}:{digest}"]) == {largest: digest}
    long = "x" * 200
    texts = [f"{largest + 1}:{digest}", f"0{digest}", long, f"3:{digest}", " ", f"3:{other}"]
    with pytest.raises(InvalidSpec) as caught:
        anchors_of(texts)
    expected = "NUMBER:DIGEST, as `runyard audit anchor` prints it"
    again = f"the digest {digest} that another anchor has for this entry"
    assert caught.value.message == "an anchor is not understood"
    assert caught.value.faults == (
        Fault("anchor", repr(texts[0]), expected),
        Fault("anchor", repr(texts[1]), expected),
        Fault("anchor", repr(long[:90]), expected),
        Fault("anchor", repr(texts[5]), again),
    )
