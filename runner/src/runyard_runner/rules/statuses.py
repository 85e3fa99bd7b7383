"""What a status says of a call, and of all of them together."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

#: Another try may go better: the server is busy, restarting, or its gateway lost it.
_TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504})


class Verdict(StrEnum):
    """What became of an endpoint."""

    SUCCEEDED = "succeeded"
    WARNED = "warned"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Expected:
    """The statuses that an endpoint calls a success: ranges, both ends included."""

    ranges: tuple[tuple[int, int], ...]

    def __contains__(self, status: int) -> bool:
        return any(low <= status <= high for low, high in self.ranges)


def judge(status: int, expected: Expected | None) -> Verdict:
    """What `status` means. 207 is a warning, unless it is what was expected."""
    if expected is not None:
        return Verdict.SUCCEEDED if status in expected else Verdict.FAILED
    if status == 207:
        return Verdict.WARNED
    return Verdict.SUCCEEDED if 200 <= status < 300 else Verdict.FAILED


def is_transient(status: int) -> bool:
    """Whether the same call may go better later."""
    return status in _TRANSIENT


def answer_status(failed: int, warned: int, failure_status: int) -> int:
    """The status of the whole answer. Scheduler takes every 2xx for success, 207 too."""
    if failed:
        return failure_status
    return 207 if warned else 200


def read_expected(value: object) -> Expected | None:
    """What `expect_status` says, or None when it says nothing that can be read.

    A status (204), a class ("2xx"), a range ("200-204"), or a list of these.
    """
    ranges = [_range(each) for each in (value if isinstance(value, list) else [value])]
    found = [each for each in ranges if each is not None]
    return Expected(tuple(found)) if found and len(found) == len(ranges) else None


def _range(value: object) -> tuple[int, int] | None:
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str):
        return None
    if len(text) == 3 and text[1:].lower() == "xx" and text[0] in "12345":
        return int(text[0]) * 100, int(text[0]) * 100 + 99
    low, dash, high = text.partition("-")
    ends = (low, high if dash else low)
    if not all(each.isascii() and each.isdigit() and 100 <= int(each) <= 599 for each in ends):
        return None
    return (int(ends[0]), int(ends[1])) if int(ends[0]) <= int(ends[1]) else None
