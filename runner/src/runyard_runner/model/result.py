"""What became of each endpoint, and of all of them together: the answer of `/execute`.

`results` has every endpoint in the order in which they were asked for. `errors` is the flat list
of what failed; `details.warnings` and `details.errors` hold the same results once more, for
clients that read them there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import orjson

from runyard_runner.rules.statuses import Verdict, answer_status

#: What is said of a mail that nobody wanted.
NOT_ASKED = {"email_sent": False, "reason": "Email notification was not requested"}

_VERDICTS = tuple(Verdict)  #: walking an enumeration itself costs ten times as much


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one endpoint. `response` is JSON as it came, or text, or None."""

    index: int
    endpoint: str
    name: str
    method: str
    verdict: Verdict
    status_code: int
    response: orjson.Fragment | str | None
    error: str
    attempts: int
    duration_ms: float
    ended_at: datetime
    note: str = ""

    def as_json(self) -> dict[str, Any]:
        """The result as an answer says it."""
        said: dict[str, Any] = {
            "endpoint": self.endpoint,
            "method": self.method,
            "status_code": self.status_code,
            "success": self.verdict in (Verdict.SUCCEEDED, Verdict.WARNED),
            "response": self.response,
            "attempts": self.attempts,
            "duration_ms": self.duration_ms,
            "timestamp": self.ended_at,
        }
        if self.name:
            said["name"] = self.name
        if self.error:
            said["error"] = self.error
        if self.note:
            said["note"] = self.note
        if self.verdict is Verdict.SKIPPED:
            said["skipped"] = True
        return said


class Results(list[Any]):
    """Earlier results as templates and conditions see them: by number, and by name."""

    def __init__(self) -> None:
        super().__init__()
        self.by_name: dict[str, Any] = {}

    def note(self, result: Result) -> None:
        """Add what the next endpoint may ask for."""
        plain = orjson.loads(dump(result.as_json()))
        self.append(plain)
        if result.name:
            self.by_name[result.name] = plain


@dataclass(frozen=True)
class Summary:
    """What became of all endpoints. `cut` says why an execution ended early, if it did."""

    results: tuple[Result, ...]
    mode: str
    started_at: datetime
    duration_ms: float
    failure_status: int
    key: str = ""
    trace_id: str = ""
    cut: str = ""
    email: Mapping[str, Any] = field(default_factory=lambda: NOT_ASKED)

    @cached_property
    def _by_verdict(self) -> dict[Verdict, list[Result]]:
        found: dict[Verdict, list[Result]] = {each: [] for each in _VERDICTS}
        for result in self.results:
            found[result.verdict].append(result)
        return found

    def of(self, verdict: Verdict) -> list[Result]:
        """The results with that verdict."""
        return self._by_verdict[verdict]

    @property
    def http_status(self) -> int:
        """The status of the answer."""
        failed, warned = (len(self.of(each)) for each in (Verdict.FAILED, Verdict.WARNED))
        return answer_status(failed, warned, self.failure_status)

    def counts(self) -> dict[str, Any]:
        """The answer without the single results."""
        succeeded, warned, failed, skipped = (len(self.of(each)) for each in _VERDICTS)
        said: dict[str, Any] = {
            "success": not failed,
            "total_endpoints": len(self.results),
            "successful": succeeded,
            "failed": failed,
            "warnings": warned,
            "execution_mode": self.mode,
            "timestamp": self.started_at,
            "duration_ms": self.duration_ms,
        }
        if skipped:
            said["skipped"] = skipped
        if self.key:
            said["idempotency_key"] = self.key
        if self.trace_id:
            said["trace_id"] = self.trace_id
        if self.cut:
            said["cut_short"] = self.cut
        return said

    def as_json(self) -> dict[str, Any]:
        """The whole answer."""
        every = [each.as_json() for each in self.results]
        failed = [every[each.index] for each in self.of(Verdict.FAILED)]
        warned = [every[each.index] for each in self.of(Verdict.WARNED)]
        return self.counts() | {
            "results": every,
            "errors": _flat(self.of(Verdict.FAILED)),
            "details": {"warnings": warned, "errors": failed},
            "email_notification": self.email,
        }


def _flat(failed: Iterable[Result]) -> list[dict[str, Any]]:
    return [
        {
            "endpoint": each.endpoint,
            "error": each.error,
            "status_code": each.status_code,
            "timestamp": each.ended_at,
        }
        for each in failed
    ]


def dump(value: Any, indent: bool = False) -> bytes:
    """JSON, with instants as ISO 8601 in UTC."""
    option = orjson.OPT_UTC_Z | (orjson.OPT_INDENT_2 if indent else 0)
    return orjson.dumps(value, option=option)


def instant(microseconds: int) -> datetime:
    """An instant, from microseconds since 1970."""
    return datetime.fromtimestamp(microseconds / 1_000_000, UTC)
