"""What failed tasks at Google wrote last, as evidence of how an attempt failed.

Lines come late, so the end of a failed attempt is told a little later than it is known: once two
looks in a row have found the same, or once the time is over within which lines may come. Nobody
waits meanwhile: lines are read beside, and the attempt is looked at again, like one that runs.
What is seen first when that time is over may have been told by another process before: its end is
told at once, with the lines that can be read then.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from google.cloud import run_v2

from runyard.flow.last_lines import kept
from runyard.model.errors import ProviderError, ProviderRefused
from runyard.model.outcome import LAST_LINES_KEPT, Ending, Outcome, TaskFailure
from runyard.provider.gcp import names, translate
from runyard.provider.gcp.log_lines import Question, last_filter, newest_first
from runyard.provider.gcp.log_reads import REFUSED_SECONDS, LogReads
from runyard.provider.gcp.log_wire import SIZE_MAX, EntriesAsked
from runyard.provider.port import LogEntry
from runyard.provider.remembering import remember

LOGGER = logging.getLogger("runyard.provider.gcp")

FIRST = timedelta(seconds=2)  #: after the end of an attempt its lines are looked for at first
AGAIN = timedelta(seconds=2)  #: after a look at them the next one
READ = timedelta(seconds=5)  #: so long the last look may take
KEPT_MAX = 1_000  #: attempts whose lines are remembered: an end that was told stays the same
LAST_LOOKS = 10  #: lines of a task that is looked at again by itself are so many times what is kept
Lines = Mapping[int, tuple[str, ...]]  #: of tasks, by their index


@dataclass(frozen=True, slots=True)
class _Reading:
    """A look at lines, which began then; `before` is what the one before it found."""

    begun_at: datetime
    task: asyncio.Task[Lines]
    before: Lines


class Evidence:
    """`late`: how long after the end of an attempt lines of it may come. Made in the event loop."""

    def __init__(self, reads: LogReads, clock: Callable[[], datetime], late: timedelta) -> None:
        self._reads = reads
        self._clock = clock
        self._late = late
        self._readings: dict[str, _Reading] = {}
        self._told: OrderedDict[str, Lines] = OrderedDict()
        self._said: dict[str, float] = {}

    async def of(
        self, execution: run_v2.Execution, outcome: Outcome, tasks: Sequence[run_v2.Task]
    ) -> Outcome | None:
        """`outcome` with the last lines of the failed tasks that it keeps; None: ask again soon.

        Where lines cannot be read, it is `outcome` as it is; that is said once in a while.
        """
        wanted = _wanted(outcome, tasks)
        if not wanted:
            return outcome
        lines = await self._lines(execution, wanted)
        if lines is None:
            return None
        return replace(outcome, failures=tuple(_with(one, lines) for one in outcome.failures))

    def close(self) -> None:
        """Let go."""
        for reading in self._readings.values():
            reading.task.cancel()
        self._readings.clear()

    async def _lines(self, execution: run_v2.Execution, wanted: Mapping[int, int]) -> Lines | None:
        name, now = execution.name, self._clock()
        if name in self._told:
            return self._told[name]
        ended_at = translate.ended_at(execution) or now
        over_at = ended_at + self._late
        reading = self._readings.get(name)
        if reading is None:
            if now < min(ended_at + FIRST, over_at):
                return None
            reading = self._begin(execution, wanted, {})
            if now < over_at:
                return None
            await asyncio.wait({reading.task}, timeout=READ.total_seconds())
        elif not reading.task.done() and now < max(over_at, reading.begun_at) + READ:
            return None
        return self._judged(execution, wanted, reading, over_at)

    def _judged(
        self,
        execution: run_v2.Execution,
        wanted: Mapping[int, int],
        reading: _Reading,
        over_at: datetime,
    ) -> Lines | None:
        """What is told after a look; None: there will be another one."""
        name, now = execution.name, self._clock()
        if not reading.task.done():
            reading.task.cancel()
            return self._tell(name, reading.before)
        lines, is_refused = self._found(name, reading)
        is_settled = lines == reading.before and all(lines.values()) and bool(lines)
        if is_refused or is_settled or reading.begun_at >= over_at:
            return self._tell(name, lines)
        if now >= min(reading.begun_at + AGAIN, over_at):
            self._begin(execution, wanted, lines)
        return None

    def _begin(
        self, execution: run_v2.Execution, wanted: Mapping[int, int], before: Lines
    ) -> _Reading:
        task = asyncio.create_task(self._read(execution, wanted), name="evidence-gcp")
        task.add_done_callback(_heard)
        reading = self._readings[execution.name] = _Reading(self._clock(), task, before)
        return reading

    def _found(self, name: str, reading: _Reading) -> tuple[Lines, bool]:
        """What a look has found, and whether another one would be refused."""
        try:
            return reading.task.result(), False
        except ProviderError as error:
            self._say(name, error)
            return reading.before, isinstance(error, ProviderRefused)

    def _tell(self, name: str, lines: Lines) -> Lines:
        self._readings.pop(name, None)
        remember(self._told, name, lines, KEPT_MAX)
        return lines

    async def _read(self, execution: run_v2.Execution, wanted: Mapping[int, int]) -> Lines:
        """The last lines of tasks; those of a task that wrote long before others did by a look at
        it alone."""
        asked = Question(execution.name, translate.instant(execution.create_time) or self._clock())
        found = await self._page(asked, wanted, SIZE_MAX)
        lines = _last(found.lines, wanted)
        missing = {index: wanted[index] for index, texts in lines.items() if not texts}
        if missing and found.is_more and len(missing) < len(wanted):
            rest = await self._page(asked, missing, LAST_LINES_KEPT * LAST_LOOKS)
            lines |= _last(rest.lines, missing)
        return lines

    async def _page(self, asked: Question, wanted: Mapping[int, int], size: int) -> _Page:
        text = last_filter(asked, sorted(wanted))
        question = EntriesAsked(asked.google_project, text, size, newest_first=True)
        got = await self._reads.read(question)
        return _Page(list(newest_first(got.entries)), bool(got.token))

    def _say(self, name: str, error: ProviderError) -> None:
        """Once for each Google project in as long as a refusal is taken for how it is."""
        google_project, now = names.google_project_of(name), asyncio.get_running_loop().time()
        if now - self._said.get(google_project, float("-inf")) >= REFUSED_SECONDS:
            self._said[google_project] = now
            LOGGER.warning(
                "attempts in %s end without their last lines as evidence: %s; %s",
                google_project, error.message, error.hint or "it is tried again",
            )  # fmt: skip


def _heard(task: asyncio.Task[Lines]) -> None:
    """An error that nobody asks for any more is no fault of the program."""
    if not task.cancelled():
        task.exception()


@dataclass(frozen=True, slots=True)
class _Page:
    lines: list[LogEntry]
    is_more: bool


def _wanted(outcome: Outcome, tasks: Sequence[run_v2.Task]) -> dict[int, int]:
    """The failed tasks that may have said why, with their last attempts, from 0."""
    if outcome.ending not in (Ending.FAILED, Ending.TIMED_OUT):
        return {}
    begun = {task.index for task in tasks if task.start_time}
    return {one.index: one.attempts - 1 for one in outcome.failures if one.index in begun}


def _last(newest: Sequence[LogEntry], wanted: Mapping[int, int]) -> dict[int, tuple[str, ...]]:
    found: dict[int, list[str]] = defaultdict(list)
    for line in newest:
        if wanted.get(line.task) == line.attempt:
            found[line.task].append(line.text)
    return {index: kept(found[index]) for index in wanted}


def _with(failure: TaskFailure, lines: Lines) -> TaskFailure:
    return replace(failure, last_lines=lines.get(failure.index, ()))
