"""From what a person types for a run to its id."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from runyard.cli.client import Client, segment
from runyard.model.errors import Fault, InvalidSpec, NotFound

LAST = "@last"
_KIND = "run_"
_DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"  # as in model.ids
_LENGTH = 26
_CHANCE_BITS = 80
_SHAPE = re.compile(f"[{_DIGITS}]{{0,{_LENGTH}}}")
#: The last instant that every server can parse; an id's 48 bits reach the year 10889.
_LAST_AT = datetime(9999, 1, 1, tzinfo=UTC)
_PAGE_SIZE = 1000


def run_id(client: Client, ref: str) -> str:
    """The id that `ref` means: itself, `@last`, or the one run whose id begins so.

    Raises `NotFound` when no run is meant, `InvalidSpec` when several are or `ref` is no id.
    """
    if ref == LAST:
        newest = client.get("/runs", {"page_size": 1})["runs"]
        if not newest:
            raise NotFound("there is no run yet", hint="start one: `runyard run JOB`")
        return str(newest[0]["id"])
    digits = ref.strip().lower().removeprefix(_KIND)
    if not digits or not _SHAPE.fullmatch(digits):
        fault = Fault("RUN", repr(ref), f"an id (run_...), the beginning of one, or {LAST}")
        raise InvalidSpec("this is no run", hint="`runyard runs` lists them", faults=(fault,))
    if len(digits) == _LENGTH:
        return _KIND + digits
    return _only_one(ref, _matches(client, digits))


def path(identity: str) -> str:
    """The run's path below /api/v1."""
    return f"/runs/{segment(identity)}"


def _only_one(ref: str, found: list[dict[str, Any]]) -> str:
    if not found:
        raise NotFound(f"no run's id begins with {ref}", hint="`runyard runs` lists them")
    if len(found) > 1:
        some = ", ".join(f"{run['id']} ({run['job']})" for run in found[:5])
        raise InvalidSpec(f"{ref} could be {some}", hint="type more of the id")
    return str(found[0]["id"])


def _matches(client: Client, digits: str) -> list[dict[str, Any]]:
    """Runs whose ids begin with `digits`, at least two if there are two.

    An id begins with the instant at which its run was asked for, so its first digits are a span of
    time: only the runs in it are asked for.
    """
    since, until = span_of(digits)
    query: dict[str, Any] = {"since": _rfc3339(since), "until": _rfc3339(until)}
    found: list[dict[str, Any]] = []
    token = ""
    while len(found) < 2:
        page = client.get("/runs", query | {"page_size": _PAGE_SIZE, "page_token": token})
        found += [run for run in page["runs"] if run["id"].startswith(_KIND + digits)]
        token = page["next_page_token"]
        if not token:
            break
    return found


def span_of(digits: str) -> tuple[datetime, datetime]:
    """The first and the last instant that an id with these first digits can have, a second more
    on both sides."""
    rounding = timedelta(seconds=1)
    first = _instant(digits.ljust(_LENGTH, _DIGITS[0]))
    last = _instant(digits.ljust(_LENGTH, _DIGITS[-1]))
    return max(first - rounding, datetime(1970, 1, 1, tzinfo=UTC)), min(last, _LAST_AT) + rounding


def _instant(digits: str) -> datetime:
    number = 0
    for digit in digits:
        number = number * 32 + _DIGITS.index(digit)
    milliseconds = number >> _CHANCE_BITS
    start = datetime(1970, 1, 1, tzinfo=UTC)
    limit = (_LAST_AT - start) // timedelta(milliseconds=1)
    return start + timedelta(milliseconds=min(milliseconds, limit))


def _rfc3339(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
