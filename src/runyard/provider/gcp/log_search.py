"""Searches the logs of attempts at Google, the newest lines first, with a few reads.

Google is asked for what may be wanted (`log_query`); what of it is wanted is decided here, by what
decides it for the logs of this machine. A search takes turns to read that leave some to those who
look at a log and to evidence, and gives up what it cannot read in time: it says so.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from runyard.model.errors import ProviderError
from runyard.model.ids import AttemptKey, split_attempt_key, stamped_at
from runyard.provider.gcp import names
from runyard.provider.gcp.finding import Finding
from runyard.provider.gcp.log_expression import found_in
from runyard.provider.gcp.log_lines import EARLY, Entry, lines_in, order_of, whose
from runyard.provider.gcp.log_query import filters_of, is_loose
from runyard.provider.gcp.log_reads import SPARE, LogReads
from runyard.provider.gcp.log_wanted import wants
from runyard.provider.gcp.log_wire import SIZE_MAX, EntriesAsked
from runyard.provider.gcp.names import ExecutionName
from runyard.provider.gcp.turns import Turns
from runyard.provider.merging import merged
from runyard.provider.port import LogEntry, LogFindings, LogWanted
from runyard.provider.remembering import remember

KEYS_MAX = 2_000  #: attempts whose logs one search looks through, the newest
KNOWN_MAX = 10_000  #: attempts whose executions are remembered
NARROWER = "narrow it down, by job, run or time"
Order = tuple[datetime, str, str]


@dataclass(frozen=True, slots=True)
class SearchPace:
    """How many times a search reads the logs of a Google project, how many turns to read it leaves
    to others, and after how many seconds it tells what it has."""

    reads: int = 5
    spare: int = SPARE + 2
    seconds: float = 20.0


@dataclass(frozen=True, slots=True)
class _Asked:
    """Whose logs in a Google project are searched (the newest attempt is the first), for what."""

    google_project: str
    attempts: Mapping[tuple[str, str], AttemptKey]
    filters: Sequence[str]
    wanted: LogWanted
    limit: int

    @property
    def size(self) -> int:
        """Entries of an answer: as many as are wanted, or all there can be where only some are."""
        return SIZE_MAX if is_loose(self.wanted) else min(SIZE_MAX, self.limit)


class LogSearch:
    """Over `reads`; `finding` knows where attempts are. Made in the event loop."""

    def __init__(self, reads: LogReads, finding: Finding, pace: SearchPace | None = None) -> None:
        self._reads = reads
        self._finding = finding
        self._pace = pace or SearchPace()
        self._turns = Turns()
        self._known: OrderedDict[AttemptKey, ExecutionName] = OrderedDict()

    async def search(
        self, keys: Sequence[AttemptKey], wanted: LogWanted, limit: int
    ) -> LogFindings:
        """See `Viewer.search`. What cannot be read is said in `unsearched`."""
        searched = keys[:KEYS_MAX]
        by_project: dict[str, dict[AttemptKey, ExecutionName]] = defaultdict(dict)
        for key, name in (await self._executions(searched)).items():
            by_project[name.google_project][key] = name
        parts = await asyncio.gather(
            *(self._in(_asked(one, by_project[one], wanted, limit)) for one in by_project)
        )
        findings = merged(parts, limit)
        if len(keys) == len(searched) or len(findings.found) >= limit:
            return findings
        rest = f"{len(keys) - KEYS_MAX} attempts at Google beside the newest {KEYS_MAX}: {NARROWER}"
        return replace(findings, complete=False, unsearched=(*findings.unsearched, rest))

    async def _executions(self, keys: Sequence[AttemptKey]) -> dict[AttemptKey, ExecutionName]:
        """Those that there are, in the order of `keys`. What is known stays so."""
        unknown = [key for key in keys if key not in self._known]
        for key, spot in (await self._finding.spots(unknown, listed=False)).items():
            name = names.execution(spot.handle)
            if name is not None:
                remember(self._known, key, name, KNOWN_MAX)
        return {key: self._known[key] for key in keys if key in self._known}

    async def _in(self, asked: _Asked) -> LogFindings:
        """What is found in the logs of a Google project. One search after the other."""
        found = _Found(asked)
        why = ""
        try:
            async with asyncio.timeout(self._pace.seconds), self._turns.of(asked.google_project):
                why = await self._read(asked, found)
        except TimeoutError:
            why = f"there were {self._pace.seconds:g} s for it: {NARROWER}"
        except ProviderError as error:
            why = error.advice
        said = (f"logs in Google's project {asked.google_project}: {why}",) if why else ()
        return LogFindings(found.newest(), found.bytes_searched, complete=not why, unsearched=said)

    async def _read(self, asked: _Asked, found: _Found) -> str:
        """Read until there are enough lines or no more; why not all that was to be read was."""
        reads, spare = self._pace.reads, self._pace.spare
        for text in asked.filters:
            question = EntriesAsked(asked.google_project, text, asked.size, newest_first=True)
            while True:
                if not reads:
                    return f"{self._pace.reads} reads were not enough: {NARROWER}"
                reads -= 1
                page = await self._reads.read(question, self._pace.seconds, spare)
                await found.take(page.entries)
                if found.is_enough:
                    return ""
                if not page.token:
                    break
                question = replace(question, token=page.token)
        return ""


class _Found:
    """Wanted lines of entries that come newest first."""

    def __init__(self, asked: _Asked) -> None:
        self._asked = asked
        self._seen: set[Order] = set()
        self._lines: list[tuple[Order, AttemptKey, LogEntry]] = []
        self.bytes_searched = 0

    @property
    def is_enough(self) -> bool:
        """True with as many lines as were asked for."""
        return len(self._lines) >= self._asked.limit

    async def take(self, entries: Sequence[Entry]) -> None:
        """Look through entries. One that is told twice is one. Raises ProviderError."""
        pattern = self._asked.wanted.pattern
        lines = await asyncio.to_thread(self._likely, entries)
        if pattern and lines:
            found = await found_in(pattern, [line.text for _, _, line in lines])
            lines = [line for line, is_found in zip(lines, found, strict=True) if is_found]
        self._lines += lines

    def newest(self) -> tuple[tuple[AttemptKey, LogEntry], ...]:
        """As many of the lines as were asked for, oldest first."""
        ordered = sorted(self._lines, key=lambda one: one[0])  # those of one entry stay in order
        return tuple((key, line) for _, key, line in ordered[-self._asked.limit :])

    def _likely(self, entries: Sequence[Entry]) -> list[tuple[Order, AttemptKey, LogEntry]]:
        """The lines of attempts that are wanted, as far as the expression does not matter."""
        wanted, limit = replace(self._asked.wanted, pattern=""), self._asked.limit
        found: list[tuple[Order, AttemptKey, LogEntry]] = []
        for entry in entries:
            if not self._asked.wanted.pattern and len(self._lines) + len(found) >= limit:
                break  # what is older is not asked for
            key, order = self._asked.attempts.get(whose(entry)), order_of(entry)
            if key is None or order in self._seen:
                continue
            self._seen.add(order)
            lines = lines_in(entry)
            self.bytes_searched += sum(len(line.text.encode("utf-8", "replace")) for line in lines)
            found += [(order, key, line) for line in lines if wants(wanted, line)]
        return found


def _asked(
    google_project: str,
    executions: Mapping[AttemptKey, ExecutionName],
    wanted: LogWanted,
    limit: int,
) -> _Asked:
    attempts = {(one.location, one.short): key for key, one in executions.items()}
    since = min(stamped_at(split_attempt_key(key)[0]) for key in executions) - EARLY
    filters = filters_of(list(executions.values()), wanted, since)
    return _Asked(google_project, attempts, filters, wanted, limit)
