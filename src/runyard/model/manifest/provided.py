"""What the provider of an environment has no way to do, told before anything is applied."""

from __future__ import annotations

from collections.abc import Sequence

from runyard.model.environment import ProviderName
from runyard.model.job import JobSpec
from runyard.model.manifest.report import Part
from runyard.model.trigger.chain import ChainSpec
from runyard.model.trigger.event import EventSpec
from runyard.model.trigger.webhook import WebhookSpec

NO_FILE = "args or env: a run at {} cannot be brought a file"
HINT = "RunJob changes arguments, variables, the number of tasks and the timeout alone"


def check_provided(jobs: Sequence[tuple[JobSpec, Part]], provider: ProviderName) -> None:
    """Tell of each map that brings a file to runs of a provider that cannot.

    Source: RunJob's Overrides (cloud.google.com/run/docs/reference/rest/v2/
    projects.locations.jobs/run).
    """
    if provider is ProviderName.LOCAL:
        return
    for job, part in jobs:
        for number, one in enumerate(job.triggers):
            mapped = one.map if isinstance(one, EventSpec | WebhookSpec | ChainSpec) else None
            if mapped is not None and mapped.file is not None:
                path = ("triggers", number, "map", "file")
                part.fault(path, NO_FILE.format(provider), HINT)
