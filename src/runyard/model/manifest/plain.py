"""From nodes to plain values, without what is refused."""

from __future__ import annotations

from itertools import islice
from typing import Any

from runyard.model.manifest.report import Part
from runyard.model.manifest.tree import Node, is_refused
from runyard.model.validation import Path

#: Of a list or mapping in a job. The largest of Cloud Run's, `env`, has 1,000.
ENTRIES_MAX = 2000


def mapping_of(node: Node, part: Part) -> dict[str, Any]:
    """The plain mapping that `node` is; an empty one when it is none."""
    data = data_of(node, part)
    return data if isinstance(data, dict) else {}


def data_of(node: Node, part: Part, path: Path = ()) -> Any:
    """The plain value of `node`. What is empty or refused is left out of mappings, and told."""
    value = node.value
    if isinstance(value, dict | list) and len(value) > ENTRIES_MAX:
        part.fault(path, f"at most {ENTRIES_MAX} entries")
    if isinstance(value, dict):
        some = islice(value.items(), ENTRIES_MAX)
        entries = {key: data_of(child, part, (*path, key)) for key, child in some}
        return {key: entry for key, entry in entries.items() if entry is not None}
    if isinstance(value, list):
        items = enumerate(value[:ENTRIES_MAX])
        return [data_of(child, part, (*path, number)) for number, child in items]
    if value is None:
        part.fault(path, "a value", "give it a value, or remove it")
    return None if is_refused(node) else value
