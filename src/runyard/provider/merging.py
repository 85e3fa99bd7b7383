"""What was found in logs that are kept in several places, as one. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from runyard.provider.port import LogFindings


def merged(parts: Sequence[LogFindings], limit: int) -> LogFindings:
    """The newest `limit` of what was found, oldest first; of the same instant as they come."""
    found = sorted((one for part in parts for one in part.found), key=lambda one: one[1].at)
    return LogFindings(
        tuple(found[-limit:]),
        sum(part.bytes_searched for part in parts),
        all(part.complete for part in parts),
        tuple(why for part in parts for why in part.unsearched),
    )
