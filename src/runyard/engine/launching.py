"""What a launch needs beside its effect: the run's job, at the revision it was asked for."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from runyard.database.port import Database, Tx
from runyard.engine.scaling import scaled_overrides, scaled_template
from runyard.flow.tracing import VARIABLE, traceparent
from runyard.model.errors import ProviderRefused
from runyard.model.ids import RunId
from runyard.model.run import Overrides, Run, State
from runyard.provider.port import LaunchOrder
from runyard.store.memory import Store

FRESH = timedelta(seconds=1)
"""How long a decision of this process is taken for how things are. A launch that is tried again,
or that was held up, looks at the row: another engine may have accepted a cancel meanwhile."""
TEMPLATES_KEPT = 1_000  #: Cloud Run's quota of jobs in a project and region

Revision = tuple[str, str, str, int]


class Orders:
    """Makes launch orders. Revisions never change, so what was read once is kept.

    Runs on their way to the provider are known as the gate of this process last committed them,
    which spares a read before each launch.
    """

    def __init__(self, database: Database, store: Store) -> None:
        self._database = database
        self._store = store
        self._launching: dict[RunId, tuple[Run, datetime]] = {}
        self._reading = asyncio.Lock()
        self._templates: OrderedDict[Revision, Mapping[str, Any]] = OrderedDict()

    def committed(self, runs: Iterable[Run], now: datetime) -> None:
        """Follow what the gate committed."""
        for run in runs:
            if run.state is State.LAUNCHING:
                self._launching[run.id] = (run, now)
            else:
                self._launching.pop(run.id, None)

    def just_decided(self, run_id: RunId, now: datetime) -> Run | None:
        """The run as this process has just committed its launch; None when it has not."""
        # asked for once: another engine may tell what follows, and nobody would remove it
        run, at = self._launching.pop(run_id, (None, now))
        return run if now - at < FRESH else None

    async def run(self, run_id: RunId) -> Run | None:
        """The run as it is now; None when it was forgotten."""

        async def work(tx: Tx) -> list[Run]:
            return await self._store.runs.get(tx, [run_id])

        found = await self._database.read(work)
        return found[0] if found else None

    async def order(self, run: Run, *, untried: bool = False) -> LaunchOrder:
        """The order for the last attempt; see `LaunchOrder.untried`. Raises ProviderRefused when
        its revision is gone."""
        template = await self._template(run)
        return LaunchOrder(
            key=run.attempt_key,
            project=run.project,
            environment=run.environment,
            region=run.region,
            job=run.job,
            revision=run.revision,
            template=scaled_template(template, run.scaled),
            overrides=scaled_overrides(_placed(run, template), run.scaled),
            labels=run.labels,
            untried=untried,
        )

    async def _template(self, run: Run) -> Mapping[str, Any]:
        key = (run.project, run.environment, run.job, run.revision)
        if key not in self._templates:
            async with self._reading:  # many launches of a job begin at once: one of them reads
                if key not in self._templates:
                    self._templates[key] = await self._read(key)
            while len(self._templates) > TEMPLATES_KEPT:
                self._templates.popitem(last=False)
        self._templates.move_to_end(key)
        return self._templates[key]

    async def _read(self, key: Revision) -> Mapping[str, Any]:
        async def work(tx: Tx) -> Mapping[str, Any] | None:
            return await self._store.jobs.document(tx, *key)

        document = await self._database.read(work)
        if document is None:
            raise ProviderRefused(f"revision {key[3]} of job {key[2]} is not kept any more")
        template: Mapping[str, Any] = document["template"]
        return template


def _placed(run: Run, template: Mapping[str, Any]) -> Overrides:
    """What is changed for the run, and its tasks' place in its trace, unless they have one."""
    containers: Sequence[Mapping[str, Any]] = template["template"]["containers"]
    names = [name for name, _ in run.overrides.env]
    names += [one.get("name") for one in containers[0].get("env") or ()]
    if VARIABLE in names:
        return run.overrides
    place = (VARIABLE, traceparent(run.id, run.attempt))
    return replace(run.overrides, env=(*run.overrides.env, place))
