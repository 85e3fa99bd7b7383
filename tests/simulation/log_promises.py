"""What is promised of logs that are read, checked whenever something was written of them.

What is counted, and the patterns that there are, say exactly what stands before the places that
logs are read up to: after a crash no line is counted twice, and none is missed. Places never go
back, and are forgotten only of logs that are read to their end.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from runyard.database.port import Database, Row, Tx
from runyard.engine.log_finding import BEGUN
from runyard.model.ids import AttemptKey
from runyard.model.instants import to_micros
from runyard.telemetry.log_places import LogPlaces, Place
from tests.simulation.written import Written

Key = tuple[str, str, str]  #: job, metric, labels
COUNTED = """
SELECT s.job, s.metric, s.labels, sum(p.count), sum(p.total)
FROM points p JOIN series s ON s.id = p.series
WHERE s.metric IN ('log_matches', 'own_refused', 'error_lines') OR s.metric LIKE 'own.%'
GROUP BY s.job, s.metric, s.labels"""
PATTERNS = "SELECT job, id, template, first_seen_at, last_seen_at, count FROM log_patterns"


@dataclass(slots=True)
class Pattern:
    """What must be known of a pattern."""

    count: int
    first: int
    last: int


@dataclass(slots=True)
class LogPromises:
    """Knows how far each log was read, and what must be counted of it."""

    written: Written
    places: dict[AttemptKey, Place] = field(default_factory=dict)
    counts: Counter[Key] = field(default_factory=Counter)
    totals: dict[Key, float] = field(default_factory=dict)
    patterns: dict[tuple[str, str], Pattern] = field(default_factory=dict)

    async def check(self, database: Database) -> None:
        """After something was written."""
        port = LogPlaces(database.dialect)

        async def work(tx: Tx) -> tuple[dict[AttemptKey, Place], list[Row], list[Row]]:
            return await port.every(tx), await tx.fetch(COUNTED), await tx.fetch(PATTERNS)

        places, counted, patterns = await database.read(work)
        places.pop(BEGUN, None)
        for key, place in places.items():
            self._moved(key, self.places.get(key, Place(0)), place)
        for key in self.places.keys() - places.keys():
            assert self.places[key].ended_at is not None, f"{key} has no place any more"
        self.places |= places
        self._check_points(counted)
        self._check_patterns(counted, patterns)

    def _moved(self, key: AttemptKey, before: Place, after: Place) -> None:
        assert after.position >= before.position, f"{key} goes back: {before}, {after}"
        if before.ended_at is not None:
            assert after == before, f"{key} was read to its end, and is read again"
        if after.position == before.position:
            return
        log = self.written.logs[key]
        for line in log.until(before.position, after.position):
            for job, metric, labels, value in line.counted:
                series = (job, metric, json.dumps(labels))
                self.counts[series] += 1
                self.totals[series] = self.totals.get(series, 0) + value
            if line.pattern:
                self._of_pattern((log.job, line.pattern), line.at)

    def _of_pattern(self, key: tuple[str, str], at: datetime) -> None:
        micros = to_micros(at)
        one = self.patterns.setdefault(key, Pattern(0, micros, micros))
        one.count += 1
        one.first, one.last = min(one.first, micros), max(one.last, micros)

    def _check_points(self, rows: list[Row]) -> None:
        found = {tuple(row[:3]): row[3:] for row in rows if row[1] != "error_lines"}
        for key, count in self.counts.items():
            seen = found.pop(key, (0, 0))
            assert seen == (count, self.totals[key]), f"{key}: {seen}, written {count}"
        assert not found, f"nobody wrote {found}"

    def _check_patterns(self, counted: list[Row], rows: list[Row]) -> None:
        lines = {
            (job, json.loads(labels)[0][1]): count
            for job, metric, labels, count, _ in counted
            if metric == "error_lines"
        }
        known = {}
        for job, identity, template, first, last, count in rows:
            word = template.split()[0]
            assert (job, word) not in known, f"two patterns of {job} for {word}"
            known[job, word] = Pattern(count, first, last)
            assert lines.pop((job, identity), 0) == count, f"{template}: {count} lines"
        assert known == self.patterns, f"{known}, written {self.patterns}"
        assert not lines, f"lines of no pattern: {lines}"

    def check_rest(self) -> None:
        """When everything has come to rest: all is read that can be."""
        for key, log in self.written.logs.items():
            place = self.places.get(key)
            assert place is not None, f"nobody ever read the log of {key}"
            assert place.ended_at is not None, f"{key} is not read to its end: {place}"
            if self.written.is_kept(key):
                assert place.position == log.size, f"{key}: {place.position} of {log.size}"

    def is_read(self) -> bool:
        """Whether every log that there is was read to its end."""
        places = (self.places.get(key) for key in self.written.logs)
        return all(place is not None and place.ended_at is not None for place in places)

    def is_wrong(self, rule: str) -> bool:
        """Whether a rule of the job that is watched has something to tell."""
        job = "watched"
        if rule == "kinds":
            return any(key[0] == job for key in self.patterns)
        if rule == "rows":
            return sum(v for key, v in self.totals.items() if key[:2] == (job, "own.rows")) > 20
        return sum(n for key, n in self.counts.items() if key[:2] == (job, "log_matches")) >= 3

    async def check_outlasted(self, database: Database) -> None:
        """After the retention nothing is left."""

        async def work(tx: Tx) -> list[int]:
            tables = ("points", "series", "log_patterns")
            return [(await tx.fetch(f"SELECT count(*) FROM {one}"))[0][0] for one in tables]

        left = await database.read(work)
        assert left == [0, 0, 0], f"{left} points, series and patterns are left"
