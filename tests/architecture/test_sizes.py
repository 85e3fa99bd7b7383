"""Small, and the largest is small. Limits may only fall; nothing is exempt."""

from __future__ import annotations

from tests.support.tree import functions, parsed, python_files, relative

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 50


def test_no_file_is_long() -> None:
    lengths = {path: len(path.read_text().splitlines()) for path in python_files()}
    assert lengths
    long = [f"{relative(path)}: {n} lines" for path, n in lengths.items() if n > FILE_LINES_MAX]
    assert long == []


def test_no_function_is_long() -> None:
    long = [
        f"{relative(path)}:{node.lineno} {node.name}: {node.end_lineno - node.lineno + 1} lines"
        for path in python_files()
        for node in functions(parsed(path))
        if node.end_lineno and node.end_lineno - node.lineno + 1 > FUNCTION_LINES_MAX
    ]
    assert long == []
