"""What is not documented does not exist; what is generated is up to date."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from runyard.config import SETTINGS
from runyard.flow.alerting import TRANSITIONS as ALERT_TRANSITIONS
from runyard.flow.incident import TRANSITIONS as INCIDENT_TRANSITIONS
from runyard.flow.lifecycle import TRANSITIONS
from runyard.flow.operation import TRANSITIONS as OPERATION_TRANSITIONS
from runyard.model.codes import TABLE
from runyard.model.errors import Code
from runyard.model.run import FINAL, State
from runyard.model.run_statuses import RUN_EXIT_STATUS
from runyard.setting_sources import PREFIX
from tests.support.tree import ROOT, SOURCE, parsed, python_files, relative
from tools.docs import alerting, flow_five, operations
from tools.docs.colours import Kind
from tools.docs.errors import errors
from tools.docs.lifecycle import diagram
from tools.docs.pages import PAGES

DOCS = ROOT / "docs"
REFERENCE = DOCS / "reference"
DECISION_PARTS = ("## Context", "## Choice", "## What we gave up", "## What would change our mind")


@pytest.mark.parametrize("name", sorted(PAGES))
def test_a_generated_page_is_what_would_be_written_now(name: str) -> None:
    assert (DOCS / name).read_text() == PAGES[name](), "run `make docs`"


def test_every_setting_is_documented() -> None:
    page = (REFERENCE / "config.md").read_text()
    assert [name for name in SETTINGS if f"`{PREFIX}{name.upper()}`" not in page] == []
    assert [name for name, setting in SETTINGS.items() if not setting.meaning] == []


def test_every_error_is_documented_and_has_a_status() -> None:
    page = (REFERENCE / "errors.md").read_text()
    for _, error in errors():
        assert f"`{error.__name__}`" in page
    assert set(TABLE) == set(Code)


def test_every_error_stands_in_one_file() -> None:
    known = {error.__name__ for _, error in errors()}
    elsewhere = [
        f"{relative(path)}:{node.lineno} {node.name}"
        for path in python_files("src")
        if path != SOURCE / "model" / "errors.py"
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.ClassDef)
        if known & {ast.unparse(each).rpartition(".")[2] for each in node.bases}
    ]
    assert elsewhere == []


def test_every_state_has_a_row_a_meaning_and_an_end() -> None:
    page = (REFERENCE / "states.md").read_text()
    for state in State:
        assert state in TRANSITIONS
        assert re.search(rf"\| `{state}` \| [^|]", page)
    assert set(RUN_EXIT_STATUS) == FINAL


def test_the_diagram_says_the_table_and_nothing_else() -> None:
    drawn = {
        (before, cause, after)
        for before, after, causes in re.findall(r"^    (\w+) --> (\w+): (.+)$", diagram(), re.M)
        for cause in causes.split(", ")
    }
    said = {
        (str(before), cause.__name__, str(after))
        for before, row in TRANSITIONS.items()
        for cause, after in row.items()
        if after is not before
    }
    assert drawn == said


def test_the_diagram_of_operations_says_their_table_and_nothing_else() -> None:
    drawn = {
        (before, cause, after)
        for before, after, causes in re.findall(
            r"^    (\w+) --> (\w+): (.+)$", operations.diagram(), re.M
        )
        for cause in causes.split(", ")
    }
    said = {
        (str(before), cause.__name__, str(after))
        for before, row in OPERATION_TRANSITIONS.items()
        for cause, after in row.items()
        if after is not before
    }
    assert drawn == said
    letters = {box.letter for box in flow_five.BOXES}
    assert letters == {letter for _, group in flow_five.GROUPS for letter in group} | {"A", "B"}
    assert letters == {letter for arrow in flow_five.ARROWS for letter in arrow[:2]}
    assert {box.letter for box in flow_five.BOXES if box.kind is Kind.SUCCESS} == {"P", "V", "DD"}
    assert {box.letter for box in flow_five.BOXES if box.kind is Kind.ERROR} == {"M", "AA"}


@pytest.mark.parametrize(
    ("drawing", "transitions"),
    [
        (alerting.alert_diagram(), ALERT_TRANSITIONS),
        (alerting.incident_diagram(), INCIDENT_TRANSITIONS),
    ],
)
def test_the_diagrams_of_alerts_say_their_tables_and_nothing_else(
    drawing: str, transitions: Mapping[Any, Mapping[type, Any]]
) -> None:
    drawn = {
        (before, cause, after)
        for before, after, causes in re.findall(r"^    (\w+) --> (\w+): (.+)$", drawing, re.M)
        for cause in causes.split(", ")
    }
    assert drawn == {
        (str(before), cause.__name__, str(after))
        for before, row in transitions.items()
        for cause, after in row.items()
        if after is not before
    }


def test_decisions_are_numbered_and_say_what_a_decision_must() -> None:
    pages = sorted((DOCS / "decisions").glob("*.md"))
    numbers = [page.name[:4] for page in pages]
    assert numbers == [f"{number:04}" for number in range(1, len(pages) + 1)]
    for page in pages:
        text = page.read_text()
        assert [part for part in DECISION_PARTS if part not in text] == [], page.name


def _pages() -> list[Path]:
    return sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])


def test_links_inside_the_project_lead_somewhere() -> None:
    broken = [
        f"{relative(page)}: {target}"
        for page in _pages()
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text())
        if "://" not in target and not (page.parent / target).exists()
    ]
    assert broken == []


def test_the_version_and_the_changelog_agree() -> None:
    version = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.M)
    inside = re.search(r'__version__ = "(.+)"', (SOURCE / "__init__.py").read_text())
    changelog = (ROOT / "CHANGELOG.md").read_text()
    assert version is not None
    assert inside is not None
    assert version[1] == inside[1]
    assert f"## [{version[1]}]" in changelog
