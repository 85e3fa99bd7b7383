"""What error lines of jobs have in common, kept while their logs are read."""

from __future__ import annotations

from collections import OrderedDict

from runyard.database.port import Tx
from runyard.flow.patterns import Miner
from runyard.model.log_metrics import Sample
from runyard.model.log_pattern import LogExample
from runyard.model.metric import Metric
from runyard.telemetry.log_patterns import JobKey, LogPatterns
from runyard.telemetry.recorder import Recorder

JOBS_KEPT = 500  #: whose patterns are in memory: at most 100 each, of some kilobyte


class Errors:
    """The patterns of the jobs whose logs have errors. Those of a job are read when it has its
    first one; what is new is written by `flush`."""

    def __init__(self, measures: Recorder) -> None:
        self._measures = measures
        self._port = LogPatterns(measures.database.dialect)
        self._miners: OrderedDict[JobKey, Miner] = OrderedDict()
        self._dirty: dict[JobKey, set[str]] = {}
        self._gone: dict[JobKey, set[str]] = {}

    async def add(self, key: JobKey, line: LogExample) -> list[Sample]:
        """What an error line is measured as. Raises StoreError."""
        miner = await self._miner(key)
        before = set(miner.patterns)
        pattern = miner.add(line)
        if pattern is None:
            return []
        self._dirty.setdefault(key, set()).add(pattern.id)
        if gone := before - miner.patterns.keys():
            self._gone.setdefault(key, set()).update(gone)
        return [(Metric.ERROR_LINES, (("pattern", pattern.id),), 1.0)]

    async def _miner(self, key: JobKey) -> Miner:
        miner = self._miners.get(key)
        if miner is None:
            (known,) = await self._measures.patterns_of([key])
            miner = self._miners[key] = Miner(known)
        self._miners.move_to_end(key)
        return miner

    async def flush(self) -> None:
        """Write what is new. Raises StoreError; then it is written with the next flush."""
        if not self._dirty:
            return
        await self._measures.database.write(self._write)
        self._dirty.clear()
        self._gone.clear()
        while len(self._miners) > JOBS_KEPT:
            self._miners.popitem(last=False)

    async def _write(self, tx: Tx) -> None:
        for key, ids in self._dirty.items():
            patterns = self._miners[key].patterns
            await self._port.drop(tx, key, self._gone.get(key, ()))
            await self._port.put(tx, key, [patterns[one] for one in ids if one in patterns])
