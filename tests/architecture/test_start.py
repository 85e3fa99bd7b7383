"""What a server loads before it answers, and what is imported by name."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec

from runyard.api.app import PARTS
from runyard.api.late import Part
from tests.support.tree import SOURCE

#: Libraries that most servers never need; each takes some ten milliseconds and some megabytes.
NOT_AT_START = {"asyncpg", "cyclopts", "joserfc", "rich", "httpx"}
#: Modules of ours that something imports by name, and who does. All else is an import that
#: import-linter sees. Nobody imports by name what it might not import by a statement.
BY_NAME = {
    ("runyard.cli.main", "runyard.cli.trouble"),
    ("runyard.cli.serve", "runyard.cli.trouble"),
    ("runyard.cli.doctor", "runyard.cli.checks_postgresql"),
    ("runyard.cli.plan_lines", "runyard.cli.terminal"),
    ("runyard.cli.tables", "runyard.cli.terminal"),
    ("runyard.wiring", "runyard.database.postgresql"),
    ("runyard.cloud_wiring", "runyard.localcloud.google.app"),
    ("runyard.api.issuers", "runyard.api.signatures"),
}


def test_a_server_starts_without_what_is_asked_for_later() -> None:
    """Else each start pays for it. Say by `python -X importtime` who imports what is too much."""
    program = "import sys, runyard.cli.serve; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split())
    late = {f"runyard.api.{part.module}" for part in PARTS if isinstance(part, Part)}
    late |= {"runyard.api.body_schemas", "runyard.model.manifest"} | {
        target for _, target in BY_NAME
    }
    assert (late | NOT_AT_START) & loaded == set()
    assert "runyard.api.rest.runs" in loaded


def test_every_late_part_is_there() -> None:
    parts = [part for part in PARTS if isinstance(part, Part)]
    assert [part for part in parts if find_spec(f"runyard.api.{part.module}") is None] == []


def test_every_router_is_a_part() -> None:
    """A module that makes a router and that nobody names is never asked."""
    named = {part.module for part in PARTS if isinstance(part, Part)}
    eager = {"rest.runs", "rest.logs", "rest.events", "rest.status"}
    made = {
        f"rest.{path.stem}"
        for path in (SOURCE / "api" / "rest").glob("*.py")
        if "= router(" in path.read_text()
    }
    assert named - {"documentation"} | eager == made


def test_what_is_imported_by_name_is_known() -> None:
    assert set(_by_name()) == BY_NAME
    assert [target for _, target in BY_NAME if find_spec(target) is None] == []


def _by_name() -> Iterator[tuple[str, str]]:
    """Each `import_module("runyard…")` and the module that it stands in."""
    for path in SOURCE.rglob("*.py"):
        if "import_module" not in (text := path.read_text()):
            continue
        own = ".".join(["runyard", *path.relative_to(SOURCE).with_suffix("").parts])
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "import_module":
                match node.args:
                    case [ast.Constant(value=str(target))]:
                        yield own, target
