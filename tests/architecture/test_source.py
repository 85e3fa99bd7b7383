"""What the linter cannot say about the source: names, docstrings, and what tests may not do."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.support.tree import ROOT, SOURCE, parsed, python_files, relative

#: Names that say nothing about what is inside.
EMPTY_NAMES = {"utils", "util", "helpers", "helper", "common", "base", "manager", "core", "misc"}
#: Modules a test may not import: what wants them wants a port, or a clock handed in.
BANNED_IN_TESTS = {"mock", "unittest.mock", "pytest_mock", "freezegun"}
#: What a test may change of its process and have restored: no code is replaced by it.
PROCESS_WIDE = {"chdir", "setenv", "delenv"}
Documented = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def test_no_module_has_a_name_that_says_nothing() -> None:
    named = [
        relative(path)
        for path in python_files()
        if EMPTY_NAMES & {path.stem, *path.relative_to(ROOT).parent.parts}
    ]
    assert named == []


def test_every_room_says_in_its_first_line_what_it_is() -> None:
    rooms = sorted(SOURCE.glob("*/__init__.py"))
    assert rooms
    for room in rooms:
        first = (ast.get_docstring(parsed(room)) or "").partition("\n")[0]
        kind, colon, question = first.partition(":")
        assert kind.isupper(), f"{relative(room)} begins with {first!r}, not with a word like NOUNS"
        assert colon, relative(room)
        assert question.strip(), relative(room)


def test_every_module_has_a_docstring() -> None:
    bare = [
        relative(path)
        for path in python_files("src", "runner", "tools", "benchmarks")
        if not ast.get_docstring(parsed(path))
    ]
    assert bare == []


def test_everything_public_in_the_source_has_a_docstring() -> None:
    promised = set(_names_of_ports())
    bare = [
        f"{relative(path)}:{node.lineno} {node.name}"
        for path in python_files("src", "runner")
        for node in _public(parsed(path))
        if not ast.get_docstring(node) and node.name not in promised
    ]
    assert bare == []


def test_no_import_hides_an_upward_arrow() -> None:
    hidden = [
        f"{relative(path)}:{node.lineno}"
        for path in python_files("src", "runner")
        for function in ast.walk(parsed(path))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert hidden == []
    assert [
        relative(p) for p in python_files("src", "runner") if _mentions(p, "TYPE_CHECKING")
    ] == []


def test_tests_neither_sleep_nor_patch() -> None:
    found = [
        f"{relative(path)}:{line} {what}"
        for path in python_files("tests")
        for line, what in _shortcuts(parsed(path))
    ]
    assert found == []


def _public(tree: ast.Module) -> Iterator[Documented]:
    for node in tree.body:
        if isinstance(node, Documented) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from _public_methods(node)


def _names_of_ports() -> Iterator[str]:
    """The methods of every protocol: what implements one has its promise there."""
    for path in python_files("src", "runner"):
        for node in parsed(path).body:
            if isinstance(node, ast.ClassDef) and any(
                "Protocol" in ast.unparse(base) for base in node.bases
            ):
                yield from (each.name for each in node.body if isinstance(each, Documented))


def _public_methods(owner: ast.ClassDef) -> Iterator[Documented]:
    inherits = bool(owner.bases)  # an override's promise stands at what it overrides
    for node in owner.body:
        if isinstance(node, Documented) and not node.name.startswith("_"):
            setter = any(isinstance(each, ast.Attribute) for each in node.decorator_list)
            if not inherits and not setter:
                yield node


def _mentions(path: Path, word: str) -> bool:
    return any(
        (isinstance(node, ast.Name) and node.id == word)
        or (isinstance(node, ast.Attribute) and node.attr == word)
        or (isinstance(node, ast.alias) and node.name == word)
        for node in ast.walk(parsed(path))
    )


def _shortcuts(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            module = getattr(node, "module", "") or ""
            names = {alias.name for alias in node.names}
            if BANNED_IN_TESTS & ({module} | names | {f"{module}.{name}" for name in names}):
                yield node.lineno, "patches"
            if module == "time" and "sleep" in names:
                yield node.lineno, "sleeps"
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            if (node.value.id, node.attr) == ("time", "sleep"):
                yield node.lineno, "sleeps"
            if node.value.id == "monkeypatch" and node.attr not in PROCESS_WIDE:
                yield node.lineno, "patches"
        elif isinstance(node, ast.arg) and node.arg == "mocker":
            yield node.lineno, "patches"
