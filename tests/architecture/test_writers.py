"""One gate: only it writes rows. A table says who may call what; it is meant to be extended."""

from __future__ import annotations

import ast
from functools import cache

import pytest

from tests.support.tree import SOURCE, parsed, python_files

#: (how a call ends, what it does, the folders and files of src/runyard where it may stand)
WRITERS = [
    ("runs.insert", "writes new runs", {"store"}),
    ("runs.update", "writes changed runs", {"store"}),
    ("runs.record", "writes the history", {"store"}),
    ("slots.put", "writes slots", {"store"}),
    ("outbox.insert", "asks for effects", {"store"}),
    ("ledger.insert", "writes charges", {"store"}),
    ("jobs.put", "writes jobs", {"store"}),
    ("request_keys.insert", "writes request keys", {"store"}),
    ("people.put_principals", "writes principals", {"store"}),
    ("people.put_tokens", "writes tokens", {"store"}),
    ("people.put_exceptions", "writes exceptions to guards", {"store"}),
    ("audit.append", "writes the audit log", {"store"}),
    ("deliveries.forget", "forgets deliveries", {"gate"}),
    ("environments.put", "writes environments", {"gate"}),
    ("runs.delete", "forgets runs", {"gate"}),
    ("work.write", "writes what a batch decided", {"gate"}),
]


@cache
def _every_call() -> list[tuple[str, str]]:
    """Where something is called, as a path below src/runyard, and what, with a dot before it."""
    return [
        (str(path.relative_to(SOURCE)), f".{ast.unparse(node.func)}")
        for path in python_files("src")
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Call)
    ]


def _calls(ending: str) -> list[str]:
    """Where something that ends like `ending` is called."""
    return [path for path, called in _every_call() if called.endswith(f".{ending}")]


@pytest.mark.parametrize(("ending", "does", "where"), WRITERS, ids=[row[0] for row in WRITERS])
def test_only_its_room_may(ending: str, does: str, where: set[str]) -> None:
    elsewhere = [path for path in _calls(ending) if path.partition("/")[0] not in where]
    assert elsewhere == [], f"`{ending}` {does}: go through the gate instead"


def test_the_table_is_about_calls_that_there_are() -> None:
    """A row that matches nothing guards nothing: whoever renames a call renames it here."""
    assert [ending for ending, _, _ in WRITERS if not _calls(ending)] == []


def test_only_the_gate_decides_on_runs() -> None:
    deciders = {
        str(path.relative_to(SOURCE)).partition("/")[0]
        for path in python_files("src")
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.ImportFrom) and node.module == "runyard.flow.lifecycle"
        if "decide" in {alias.name for alias in node.names}
    }
    assert deciders == {"gate"}
