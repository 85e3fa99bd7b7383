"""Which lines of a log at Google are wanted: the same question as of this machine's logs. Pure."""

from __future__ import annotations

import re

from runyard.flow.line_fields import has_field, has_value
from runyard.provider.port import LogEntry, LogWanted


def wants(wanted: LogWanted, line: LogEntry) -> bool:
    """True for a line that is wanted. Raises re.error for a pattern that is none."""
    return (
        wanted.text in line.text
        and (not wanted.severities or line.severity in wanted.severities)
        and wanted.task in (None, line.task)
        and (wanted.since is None or line.at >= wanted.since)
        and (wanted.before is None or line.at < wanted.before)
        and (not wanted.has or has_field(line.fields, wanted.has))
        and all(has_value(line.fields, path, value) for path, value in wanted.fields)
        and (not wanted.pattern or re.search(wanted.pattern, line.text) is not None)
    )
