"""What documents say of the code is there; the flow is drawn as it was asked for."""

from __future__ import annotations

import pytest

from runyard.model.run import State
from tests.support.tree import ROOT, relative
from tools.docs import flow_two, lifecycle
from tools.docs.colours import FILLS, Kind
from tools.docs.references import exists, references

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
#: The letters that the flow was drawn with, and those it gave a colour to.
DRAWN = "ABCDEFGHIJKLMNOPQRSTUVWX"
COLOURED = {"A": "#e3f2fd", "M": "#c8e6c9", "P": "#c8e6c9", "U": "#ffcdd2", "W": "#ffcdd2"}


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_what_a_page_names_in_the_code_is_there(page: object) -> None:
    text = (ROOT / str(page)).read_text()
    assert [each for each in references(text) if not exists(each)] == []


def test_a_reference_is_found_and_checked() -> None:
    found = references("as `runyard.model.run:State.DEAD` says, and `runyard.model.run:Nothing`")
    assert found == ["runyard.model.run:State.DEAD", "runyard.model.run:Nothing"]
    assert [exists(each) for each in found] == [True, False]
    assert not exists("runyard.no.such.module:thing")


def test_the_explanations_name_the_code() -> None:
    for name in ("life-of-a-run", "why-one-gate", "crash-safety"):
        page = ROOT / "docs" / "explanation" / f"{name}.md"
        assert len(references(page.read_text())) >= 7


def test_every_box_of_the_flow_lives_somewhere() -> None:
    assert "".join(box.letter for box in flow_two.BOXES) == DRAWN
    for box in flow_two.BOXES:
        assert box.where
        assert [each for each in box.where if not exists(each)] == []


def test_the_arrows_of_the_flow_join_its_boxes() -> None:
    ends = {end for before, after, _ in flow_two.ARROWS for end in (before, after)}
    assert ends == set(DRAWN)
    assert len(flow_two.ARROWS) == len(set(flow_two.ARROWS)) == 29
    reached = {"A"}
    for _ in DRAWN:
        reached |= {after for before, after, _ in flow_two.ARROWS if before in reached}
    assert reached == set(DRAWN)
    questions = {box.letter for box in flow_two.BOXES if box.kind is Kind.QUESTION}
    assert {before for before, _, words in flow_two.ARROWS if words} == questions


def test_colours_say_what_they_were_asked_to_say() -> None:
    drawn = {box.letter: FILLS[box.kind] for box in flow_two.BOXES}
    assert {letter: drawn[letter] for letter in COLOURED} == COLOURED
    assert FILLS[lifecycle.KINDS[State.SUCCEEDED]] == "#c8e6c9"
    assert FILLS[lifecycle.KINDS[State.DEAD]] == "#ffcdd2"
    page = (ROOT / "docs" / "flows" / "02-job-lifecycle.md").read_text()
    for kind, fill in FILLS.items():
        assert f"classDef {kind} fill:{fill}" in page
