"""Patterns of error lines, by job. Whoever reads a job's logs is alone, and puts them whole."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from importlib.resources import files

from runyard.database import queries
from runyard.database.port import Row, Tx
from runyard.model.instants import from_micros, to_micros
from runyard.model.log_pattern import LogExample, LogPattern

JobKey = tuple[str, str, str]  #: (project, environment, job)


class LogPatterns:
    """The port to them; every method works inside a transaction."""

    def __init__(self, dialect: str) -> None:
        self._q = queries.load(files("runyard.telemetry") / "queries", dialect)

    async def of(self, tx: Tx, key: JobKey) -> list[LogPattern]:
        """The patterns of a job, those that were seen last first."""
        project, environment, job = key
        rows = await tx.fetch(self._q["log_patterns_of_job"], (environment, project, job))
        return [_pattern(row) for row in rows]

    async def put(self, tx: Tx, key: JobKey, patterns: Iterable[LogPattern]) -> None:
        """Patterns of a job as they are now."""
        project, environment, job = key
        rows = [
            (
                environment,
                project,
                job,
                one.id,
                one.template,
                to_micros(one.first_seen_at),
                to_micros(one.last_seen_at),
                one.count,
                json.dumps(
                    [(to_micros(each.at), each.attempt_key, each.text) for each in one.examples]
                ),
            )
            for one in sorted(patterns, key=lambda one: one.id)
        ]
        await tx.execute_many(self._q["log_pattern_put"], rows)

    async def drop(self, tx: Tx, key: JobKey, ids: Iterable[str]) -> None:
        """These made room for others."""
        project, environment, job = key
        rows = [(environment, project, job, one) for one in sorted(ids)]
        await tx.execute_many(self._q["log_pattern_delete"], rows)

    async def forget(self, tx: Tx, before: datetime) -> None:
        """Forget those that were last seen before an instant."""
        await tx.execute(self._q["log_patterns_forget"], (to_micros(before),))


def _pattern(row: Row) -> LogPattern:
    examples = (LogExample(from_micros(at), key, text) for at, key, text in json.loads(row[5]))
    return LogPattern(
        id=row[0],
        template=row[1],
        first_seen_at=from_micros(row[2]),
        last_seen_at=from_micros(row[3]),
        count=row[4],
        examples=tuple(examples),
    )
