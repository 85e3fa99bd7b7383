"""A job: a named spec. Cloud Run's template whole, and beside it what Cloud Run lacks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import Field

from runyard.model.alert_rules import AlertRules, RunbookUrl
from runyard.model.beside import (
    DEADLINE_SECONDS_MAX,
    PRIORITY_MAX,
    ConcurrencySpec,
    NeedsSpec,
    RetrySpec,
)
from runyard.model.cloudrun.template import ExecutionTemplate
from runyard.model.cloudrun.words import JobName
from runyard.model.durations import seconds_of
from runyard.model.errors import Fault, InvalidSpec
from runyard.model.failure_spec import RULES_MAX, FailureRuleSpec
from runyard.model.forms import Between, Counted, Lasting, Shaped
from runyard.model.log_metrics import LogMetrics
from runyard.model.places import RegionName
from runyard.model.plan import Placement
from runyard.model.recovery_spec import RecoverySpec
from runyard.model.regions import DEFAULT_REGION
from runyard.model.run import Backoff, RunPolicy
from runyard.model.strict import Strict
from runyard.model.trigger.spec import TriggerSpec
from runyard.model.validation import dotted, read

ProjectName = Annotated[
    str,
    Shaped(
        "[a-z]([a-z0-9-]{0,61}[a-z0-9])?",
        "a project name: at most 63 lower-case letters, digits and hyphens, a letter first",
        63,
    ),
]
EnvironmentName = Annotated[
    str,
    Shaped(
        "[a-z]([a-z0-9-]{0,29}[a-z0-9])?",
        "an environment name: at most 31 lower-case letters, digits and hyphens, a letter first",
        31,
    ),
]
FieldPath = Annotated[
    str,
    Shaped(
        r"(?:labels|annotations|template)(?:[.\[][^\x00-\x1f\x7f]{0,300})?",
        "a field of the job at its provider, such as template.template.containers[0].image",
        320,
    ),
]
IGNORED_MAX = 100
TRIGGERS_MAX = 100  #: of a job; more is a program that writes them


class JobSpec(Strict):
    """One job as it is asked for. Frozen; the same manifest always makes an equal document."""

    project: ProjectName
    name: JobName
    labels: dict[str, str] = Field(default={})
    annotations: dict[str, str] = Field(default={})
    regions: Annotated[tuple[RegionName, ...], Counted(1)] = (DEFAULT_REGION,)
    placement: Placement = Placement.PRIMARY
    template: ExecutionTemplate
    retry: RetrySpec = RetrySpec()
    concurrency: ConcurrencySpec = ConcurrencySpec()
    deadline: Annotated[str, Lasting(1, DEADLINE_SECONDS_MAX, "8784h")] | None = None
    priority: Annotated[int, Between(-PRIORITY_MAX, PRIORITY_MAX)] = 0
    triggers: Annotated[tuple[TriggerSpec, ...], Counted(0, TRIGGERS_MAX)] = ()
    alerts: AlertRules = Field(
        default=(), description="What the job is watched for, beside what every job is."
    )
    runbook: RunbookUrl | None = None
    metrics: LogMetrics = Field(
        default={}, description="What is counted or measured of lines of the job's logs."
    )
    needs: NeedsSpec = NeedsSpec()
    recovery: RecoverySpec = RecoverySpec()
    failures: Annotated[tuple[FailureRuleSpec, ...], Counted(0, RULES_MAX)] = ()
    ignore_drift: Annotated[tuple[FieldPath, ...], Counted(0, IGNORED_MAX)] = ()

    def document(self) -> dict[str, Any]:
        """The canonical manifest of this job alone, defaults written out. JSON values only."""
        document = super().document()
        bare = [name for name in ("needs", "recovery") if not document[name]]
        return {name: value for name, value in document.items() if name not in bare}

    def template_document(self) -> dict[str, Any]:
        """Cloud Run's ExecutionTemplate as Google's JSON (camelCase)."""
        return self.template.document()

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """The job that `document()` made `document` of. Raises InvalidSpec."""
        job, complaints = read(cls, document)
        if job is None:
            faults = tuple(Fault(dotted(c.path), "", c.expected, c.hint) for c in complaints)
            raise InvalidSpec("not a job's document", faults=faults)
        return job

    def policy(self) -> RunPolicy:
        """The rules that a run of this job is given when it is asked for."""
        backoff = self.retry.backoff
        return RunPolicy(
            attempts_max=self.retry.attempts,
            timeout_attempts_max=self.retry.on_timeout.attempts,
            backoff=Backoff(
                initial_seconds=seconds_of(backoff.initial),
                factor=backoff.factor,
                max_seconds=seconds_of(backoff.max),
                jitter=backoff.jitter,
            ),
            concurrency_limit=self.concurrency.limit,
            on_conflict=self.concurrency.on_conflict,
            deadline_seconds=None if self.deadline is None else seconds_of(self.deadline),
            priority=self.priority,
            failures=tuple(each.rule() for each in self.failures),
            recovery=self.recovery.policy(self.timeout_seconds),
            budget=None if self.retry.budget is None else self.retry.budget.policy(),
        )

    @property
    def task_count(self) -> int:
        """Tasks of one attempt."""
        return self.template.task_count

    @property
    def launches_max(self) -> int:
        """The most task attempts one run can cause in a region."""
        retries = self.template.template.max_retries
        attempts = max(self.retry.attempts, self.recovery.policy(self.timeout_seconds).attempts_max)
        return attempts * (retries + 1) * self.template.task_count

    @property
    def timeout_seconds(self) -> float:
        """How long one task attempt may last."""
        return seconds_of(self.template.template.timeout)

    @property
    def vcpu_milli(self) -> int:
        """Thousandths of a CPU that one task asks for, over all its containers."""
        return self.template.vcpu_milli

    @property
    def memory_bytes(self) -> int:
        """Bytes of memory that one task asks for, over all its containers."""
        return self.template.memory_bytes
