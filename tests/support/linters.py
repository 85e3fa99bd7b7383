"""The linters of the delivery files, from `make linters`; a test is skipped without them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.support.tree import ROOT

FOLDER = ROOT / ".linters" / "bin"


def linter(name: str) -> Path:
    """The program called `name`; skips the test when it is not installed."""
    path = FOLDER / name
    if not path.exists():
        pytest.skip(f"{name} is not installed: run `make linters`")
    return path


def lint(name: str, *words: str | Path, text: str | None = None) -> str:
    """What the linter says; fails the test when it finds anything."""
    done = subprocess.run(
        ["env", "NO_COLOR=1", linter(name), *words],
        cwd=ROOT,
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    return said
