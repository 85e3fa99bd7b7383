"""SQL is a text, kept as a text: named queries in `.sql` files, overridden by name per dialect.

-- name: run_by_id
-- One run.
SELECT ...

-- name: run_by_id (postgresql)
SELECT ... FOR UPDATE
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.resources.abc import Traversable
from types import MappingProxyType

_HEAD = re.compile(r"^-- name: ([a-z_0-9]+)(?: \(([a-z]+)\))?$", re.MULTILINE)


def parse(text: str, dialect: str) -> dict[str, str]:
    """The queries in `text`, by name, as `dialect` says them.

    Raises ValueError when a name stands twice for the same dialect.
    """
    plain: dict[str, str] = {}
    special: dict[str, str] = {}
    parts = _HEAD.split(text)[1:]
    for name, only, body in zip(parts[::3], parts[1::3], parts[2::3], strict=True):
        if only not in (None, dialect):
            continue
        into = special if only else plain
        if name in into:
            raise ValueError(f"query {name} stands twice")
        into[name] = _bare(body)
    return plain | special


def _bare(body: str) -> str:
    lines = (line for line in body.strip().splitlines() if not line.startswith("--"))
    return "\n".join(lines).strip().rstrip(";")


def load(folder: Traversable, dialect: str) -> Mapping[str, str]:
    """Every query of every `.sql` file in `folder`."""
    found: dict[str, str] = {}
    for file in sorted(folder.iterdir(), key=lambda each: each.name):
        if file.name.endswith(".sql"):
            queries = parse(file.read_text("utf-8"), dialect)
            twice = found.keys() & queries.keys()
            if twice:
                raise ValueError(f"queries stand in two files: {sorted(twice)}")
            found |= queries
    return MappingProxyType(found)
