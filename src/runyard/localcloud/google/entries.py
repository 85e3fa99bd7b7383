"""google.logging.v2.LoggingServiceV2: the list of log entries, read from the logs of this cloud."""

from __future__ import annotations

import asyncio
import binascii
import heapq
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator, Sequence
from datetime import datetime
from hashlib import blake2b
from pathlib import Path

import orjson

from runyard.localcloud.cloudrun.resources import Execution
from runyard.localcloud.google import log_filter
from runyard.localcloud.google.face import Face, Method, Methods
from runyard.localcloud.google.log_filter import Filter
from runyard.localcloud.google.log_shapes import EXECUTION, entry_message
from runyard.localcloud.google.names import wrong
from runyard.localcloud.google.requests import ListLogEntries
from runyard.localcloud.google.shapes import JsonMap, said
from runyard.localcloud.logging.reader import read_page
from runyard.model.errors import NotFound

PAGE_SIZE, PAGE_SIZE_MAX = 50, 1000  #: as Google has them
#: Without a name of an execution in the filter, the logs of so many of each region are looked at,
#: the newest.
LOOKED_AT = 1000
_ORDERS = {"": False, "timestamp": False, "timestamp asc": False, "timestamp desc": True}
Place = tuple[datetime, str]  #: where an entry is in the order
Log = tuple[Execution, Path]


async def list_log_entries(face: Face, asked: ListLogEntries) -> JsonMap:
    """LoggingServiceV2.ListLogEntries. Every call reads the logs from their begin."""
    size, newest_first, after = _size(asked), _newest_first(asked), _after(asked)
    wanted = log_filter.parse(asked.filter)
    executions = await _executions(face, _projects(asked), wanted)
    logs = [(one, face.cloud.log_path(one)) for one in executions]
    found = await asyncio.to_thread(_page, logs, wanted, newest_first, after, size + 1)
    entries = [entry for _, entry in found[:size]]
    more = _token(asked, found[size - 1][0]) if len(found) > size else ""
    return said({"entries": entries, "nextPageToken": more})


def _page(
    logs: Sequence[Log], wanted: Filter, newest_first: bool, after: Place | None, count: int
) -> list[tuple[Place, JsonMap]]:
    """The first `count` entries that are wanted after a place."""
    entries = _entries(logs, wanted)
    if newest_first:
        older = (one for one in entries if after is None or one[0] < after)
        return heapq.nlargest(count, older, key=lambda one: one[0])
    newer = (one for one in entries if after is None or one[0] > after)
    return heapq.nsmallest(count, newer, key=lambda one: one[0])


def _entries(logs: Sequence[Log], wanted: Filter) -> Iterator[tuple[Place, JsonMap]]:
    for execution, path in logs:
        at, is_complete = 0, False
        while not is_complete:
            page = read_page(path, at)
            at, is_complete = page.after, page.complete
            for line in page.entries:
                entry = entry_message(execution, line)
                if wanted.holds(entry):
                    place = datetime.fromisoformat(entry["timestamp"]), entry["insertId"]
                    yield place, entry


async def _executions(face: Face, projects: Sequence[str], wanted: Filter) -> list[Execution]:
    """Whose logs may have what is wanted."""
    names = wanted.only.get(("labels", EXECUTION))
    if names is None:
        places = [(one, use.region.name, "") for one in projects for use in face.cloud.regions]
        pages = [await face.cloud.executions_page(place, None, LOOKED_AT) for place in places]
        return [one for page in pages for one in page]
    found: list[Execution] = []
    for name in sorted(names):
        try:
            found.append(await face.cloud.execution(name))
        except NotFound:
            continue
    return [one for one in found if one.project in projects]


# -- what is asked for ---------------------------------------------------------------------------
def _projects(asked: ListLogEntries) -> list[str]:
    names = list(asked.project_ids)
    for name in asked.resource_names:
        kind, _, project = name.partition("/")
        if kind != "projects" or not project or "/" in project:
            raise wrong("resourceNames", name[:200], "projects/PROJECT")
        names.append(project)
    if not names:
        raise wrong("resourceNames", "", "at least one projects/PROJECT")
    return list(dict.fromkeys(names))


def _size(asked: ListLogEntries) -> int:
    if not 0 <= asked.page_size <= PAGE_SIZE_MAX:
        raise wrong("pageSize", str(asked.page_size), f"a whole number from 0 to {PAGE_SIZE_MAX}")
    return asked.page_size or PAGE_SIZE


def _newest_first(asked: ListLogEntries) -> bool:
    if asked.order_by not in _ORDERS:
        raise wrong("orderBy", asked.order_by[:60], "timestamp asc or timestamp desc")
    return _ORDERS[asked.order_by]


def _question(asked: ListLogEntries) -> str:
    """Tells one list from another."""
    words = orjson.dumps([asked.resource_names, asked.project_ids, asked.filter, asked.order_by])
    return blake2b(words, digest_size=9).hexdigest()


def _token(asked: ListLogEntries, place: Place) -> str:
    at, name = place
    return urlsafe_b64encode(orjson.dumps([_question(asked), at.isoformat(), name])).decode()


def _after(asked: ListLogEntries) -> Place | None:
    """After which place the page begins that is asked for; None: it is the first."""
    if not asked.page_token:
        return None
    try:
        question, at, name = orjson.loads(urlsafe_b64decode(asked.page_token))
        place = datetime.fromisoformat(at), str(name)
    except (binascii.Error, ValueError, TypeError):
        question, place = "", None
    if question != _question(asked) or place is None:
        raise wrong("pageToken", asked.page_token[:60], "a nextPageToken of the same list")
    return place


METHODS: Methods = (
    Method(
        "google.logging.v2.LoggingServiceV2/ListLogEntries", "POST", "/v2/entries:list",
        ListLogEntries, list_log_entries, body="*",
    ),
)  # fmt: skip
