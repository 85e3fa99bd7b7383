"""What error lines of jobs have in common, kept while their logs are read."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

from runyard.database.port import Tx, Work
from runyard.flow.patterns import Miner
from runyard.model.log_metrics import Sample
from runyard.model.log_pattern import LogExample
from runyard.model.metric import Metric
from runyard.telemetry.log_patterns import JobKey, LogPatterns
from runyard.telemetry.recorder import Recorder

JOBS_KEPT = 500  #: whose patterns are in memory: at most 100 each, of some kilobyte


class Errors:
    """The patterns of the jobs whose logs have errors. Those of a job are read when it has its
    first one."""

    def __init__(self, measures: Recorder) -> None:
        self._measures = measures
        self._port = LogPatterns(measures.database.dialect)
        self._miners: OrderedDict[JobKey, Miner] = OrderedDict()
        self._dirty: dict[JobKey, set[str]] = {}
        self._gone: dict[JobKey, set[str]] = {}

    async def ready(self, keys: Iterable[JobKey]) -> None:
        """Know the patterns of these jobs. Raises StoreError. What was taken before is written."""
        missing = sorted({key for key in keys if key not in self._miners})
        if missing:
            found = await self._measures.patterns_of(missing)
            for key, known in zip(missing, found, strict=True):
                self._miners[key] = Miner(known)

    def add(self, key: JobKey, line: LogExample) -> list[Sample]:
        """What an error line of a job that is ready is measured as."""
        miner = self._miners[key]
        self._miners.move_to_end(key)
        before = set(miner.patterns)
        pattern = miner.add(line)
        if pattern is None:
            return []
        self._dirty.setdefault(key, set()).add(pattern.id)
        if gone := before - miner.patterns.keys():
            self._gone.setdefault(key, set()).update(gone)
        return [(Metric.ERROR_LINES, (("pattern", pattern.id),), 1.0)]

    def taken(self) -> Work[None]:
        """What writes all that is new; to be done before others are made ready."""
        rows = [
            (key, self._gone.get(key, ()), [known[one] for one in ids if one in known])
            for key, ids in self._dirty.items()
            for known in (self._miners[key].patterns,)
        ]
        self._dirty, self._gone = {}, {}
        while len(self._miners) > JOBS_KEPT:
            self._miners.popitem(last=False)

        async def work(tx: Tx) -> None:
            for key, gone, patterns in rows:
                await self._port.drop(tx, key, gone)
                await self._port.put(tx, key, patterns)

        return work
