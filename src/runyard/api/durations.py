"""How long runs of a job took, as it was measured, and what is unusual about one of them."""

from __future__ import annotations

from datetime import datetime, timedelta

from runyard.api.services import Services
from runyard.flow.explain_pace import pace
from runyard.flow.latency import by_revision
from runyard.model.errors import StoreError
from runyard.model.metric import Metric
from runyard.model.run import Run
from runyard.model.sketch import Sketch
from runyard.telemetry.series import Question

HISTORY = timedelta(days=30)  #: of the job, that its newer runs are compared with


async def unusual(services: Services, run: Run) -> list[str]:
    """What is unusual about how long a run took, in sentences. Nothing while what was measured
    cannot be read: a run can be explained without."""
    key = (run.project, run.environment, run.job)
    until = services.clock()
    try:
        return pace(run, await durations(services, key, until - HISTORY, until))
    except StoreError:
        return []


async def durations(
    services: Services, key: tuple[str, str, str], since: datetime, until: datetime
) -> dict[int, Sketch]:
    """How long the runs of a job (project, environment, name) took that succeeded, by revision.
    Raises StoreError."""
    project, environment, job = key
    only = (str(Metric.RUN_DURATION),)
    question = Question(environment, project, job, since, until, only)
    return by_revision(await services.measures.read(question, services.clock()))
