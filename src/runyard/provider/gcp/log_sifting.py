"""Reads logs at Google for what jobs measure of their lines: once each, when its attempt is over.

A log that grows would have to be asked for again and again, which the quota does not bear. So an
attempt that runs has nothing to sift; afterwards its log is read as far as people and evidence
leave turns to it, and given up where they leave none for an hour.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from runyard.model.errors import ProviderError, ProviderRefused
from runyard.model.ids import AttemptKey
from runyard.provider.gcp.log_lines import Question
from runyard.provider.gcp.log_reading import LogReading, Turn
from runyard.provider.gcp.log_reads import SPARE
from runyard.provider.gcp.log_wanted import wants
from runyard.provider.gcp.log_wire import SIZE_MAX
from runyard.provider.port import LogEntry, LogPage, LogPlace, LogSifted, LogWanted
from runyard.provider.remembering import remember

LOGGER = logging.getLogger("runyard.provider.gcp")

LONGEST = timedelta(hours=1)  #: after its end a log that could not be read is not read any more
OVER_MAX = 10_000  #: ended attempts that are remembered, so that Google is asked once
IDLE = Turn(patience=0.0, spare=2 * SPARE)  #: what others leave


class LogSifting:
    """Over `logs`."""

    def __init__(self, logs: LogReading) -> None:
        self._logs = logs
        self._over: OrderedDict[AttemptKey, tuple[Question, datetime]] = OrderedDict()

    def ended(self, key: AttemptKey) -> tuple[Question, datetime] | None:
        """The log of an attempt that is known to have ended, and when."""
        return self._over.get(key)

    def end(self, key: AttemptKey, asked: Question, at: datetime) -> tuple[Question, datetime]:
        """Know that an attempt has ended."""
        remember(self._over, key, (asked, at), OVER_MAX)
        return asked, at

    async def sift(self, place: LogPlace, asked: Question, ended_at: datetime) -> LogSifted:
        """What is wanted of a part of the log of an attempt that ended then; nothing, and more to
        come, while it is not its turn or Google does not answer."""
        now = self._logs.clock()
        if now < ended_at + self._logs.late:
            return later(place)
        try:
            page = await self._logs.page(asked, ended_at, place.after, SIZE_MAX, IDLE)
        except ProviderError as error:
            if not isinstance(error, ProviderRefused) and now < ended_at + LONGEST:
                return later(place)
            LOGGER.warning("the log of %s is not measured: %s", place.key, error.message)
            page = LogPage((), place.after, ended=True)
        if page.ended:
            self._over.pop(place.key, None)
        is_behind = page.after != place.after and not page.ended
        found = tuple(_found(page.entries, place.wanted))
        return LogSifted(found, page.after, complete=not is_behind, ended=page.ended)


def later(place: LogPlace) -> LogSifted:
    """Nothing now, but more to come."""
    return LogSifted((), place.after, complete=True, ended=False)


def _found(
    lines: Sequence[LogEntry], wanted: Sequence[LogWanted]
) -> Iterator[tuple[LogEntry, tuple[int, ...]]]:
    for line in lines:
        numbers = tuple(number for number, one in enumerate(wanted) if wants(one, line))
        if numbers:
            yield line, numbers
