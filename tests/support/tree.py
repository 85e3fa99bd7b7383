"""The project's own files, for tests that read them."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "runyard"
GUEST = ROOT / "runner" / "src" / "runyard_runner"
PYTHON_FOLDERS = ("src", "runner", "tests", "tools", "benchmarks", "examples")


@cache
def python_files(*folders: str) -> tuple[Path, ...]:
    """Every Python file in `folders` of the project (default: all that hold any)."""
    return tuple(
        path
        for folder in folders or PYTHON_FOLDERS
        for path in sorted((ROOT / folder).rglob("*.py"))
        if not any(part.startswith(".") or part.endswith(".egg-info") for part in path.parts)
    )


@cache
def parsed(path: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(path.read_text(), str(path))


def relative(path: Path) -> str:
    """A path as people write it."""
    return str(path.relative_to(ROOT))


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function and method, also the nested ones."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


@cache
def tracked_files() -> tuple[Path, ...]:
    """Every file git keeps, or would once it is added; nothing that is ignored."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    paths = (ROOT / name for name in listed.stdout.split("\0") if name)
    return tuple(path for path in paths if path.is_file())
