"""The rules in order. A rule looks at one idea across fields; single fields check themselves."""

from __future__ import annotations

from collections.abc import Callable

from runyard.model.manifest import (
    rules_containers,
    rules_environment,
    rules_labels,
    rules_network,
    rules_probes,
    rules_regions,
    rules_resources,
    rules_retries,
    rules_tasks,
    rules_triggers,
    rules_volumes,
)
from runyard.model.manifest.view import JobView

Rule = Callable[[JobView], None]

RULES: tuple[Rule, ...] = (
    rules_regions.check,
    rules_labels.check,
    rules_tasks.check,
    rules_retries.check,
    rules_containers.check,
    rules_environment.check,
    rules_resources.check,
    rules_volumes.check,
    rules_probes.check,
    rules_network.check,
    rules_triggers.check,
)


def check_job(job: JobView) -> None:
    """Put every fault and warning of every rule into the job's report."""
    for rule in RULES:
        rule(job)
