"""Which lines of a log at Google are wanted: the same question as of this machine's logs. Pure."""

from __future__ import annotations

import re

from runyard.flow.wanted_lines import fits
from runyard.provider.port import LogEntry, LogWanted


def wants(wanted: LogWanted, line: LogEntry) -> bool:
    """True for a line that is wanted. Raises re.error for a pattern that is none."""
    return (
        fits(wanted, line.text, line.severity, line.task, line.fields)
        and (wanted.since is None or line.at >= wanted.since)
        and (wanted.before is None or line.at < wanted.before)
        and (not wanted.pattern or re.search(wanted.pattern, line.text) is not None)
    )
