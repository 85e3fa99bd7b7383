"""Which lines of a log at Google are wanted: the same question as of this machine's logs. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from runyard.provider.port import LogEntry, LogWanted


def wants(wanted: LogWanted, line: LogEntry) -> bool:
    """True for a line that is wanted. Raises re.error for a pattern that is none."""
    return (
        wanted.text in line.text
        and (not wanted.severities or line.severity in wanted.severities)
        and wanted.task in (None, line.task)
        and (wanted.since is None or line.at >= wanted.since)
        and (wanted.before is None or line.at < wanted.before)
        and (not wanted.has or wanted.has in (line.fields or {}))
        and all(_has(line.fields, path, value) for path, value in wanted.fields)
        and (not wanted.pattern or re.search(wanted.pattern, line.text) is not None)
    )


def _has(fields: Mapping[str, Any] | None, path: str, value: str) -> bool:
    found: Any = fields or {}
    if path in found:  # a key may have dots in it
        return _is(found[path], value)
    for key in path.split("."):
        if not (isinstance(found, Mapping) and key in found):
            return False
        found = found[key]
    return _is(found, value)


def _is(found: object, value: str) -> bool:
    if isinstance(found, str):
        return found == value
    return not isinstance(found, dict | list) and json.dumps(found) == value
