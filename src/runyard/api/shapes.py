"""What the API answers, as OpenAPI tells it. A test holds every answer to its shape."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from runyard.model.condition import ConditionState
from runyard.model.failure import FailureClass, Shortage
from runyard.model.outcome import Ending
from runyard.model.run import State, TriggerKind

Document = dict[str, Any]
NanoDollars = Annotated[int, Field(description="10^-9 US dollars.")]


class Shape(BaseModel):
    """Every field is always there; what is absent is null. Answers are encoded from plain values,
    so that nothing is built of a shape before somebody asks for the documentation."""

    model_config = ConfigDict(extra="forbid", defer_build=True)


class FaultShape(Shape):
    """One thing wrong with an input: where, what was there, what would be right."""

    path: str
    value: str
    expected: str
    hint: str
    file: str
    line: int
    column: int


class ErrorBodyShape(Shape):
    """`code` is the HTTP status, `status` the name of Google's canonical code."""

    code: int
    status: str
    message: str
    hint: str
    details: list[FaultShape]


class ErrorShape(Shape):
    """The one shape of every error."""

    error: ErrorBodyShape


class TaskFailureShape(Shape):
    """A task that failed for good."""

    index: int
    attempts: int
    message: str
    exit_code: int | None
    signal: int | None
    timed_out: bool
    out_of_memory: bool
    last_lines: Annotated[list[str], Field(description="What it wrote last, oldest first.")]


class FailureShape(Shape):
    """Why an attempt failed: its class, the rule that said so, and what it was read from."""

    failure_class: FailureClass
    rule: Annotated[
        str, Field(description="Such as failures[0], a rule of the job, or log: name resolution.")
    ]
    evidence: list[str]
    task: int | None
    shortage: Shortage | None


class UsageShape(Shape):
    """What was used, summed over every task attempt."""

    task_attempts: int
    wall_milliseconds: int
    billed_milliseconds: int
    cpu_milliseconds: int
    memory_peak_bytes: int
    vcpu_milli: int
    memory_bytes: int


class OutcomeShape(Shape):
    """What an attempt ended with."""

    ending: Ending
    message: str
    reason: str
    task_count: int
    succeeded_count: int
    failed_count: int
    cancelled_count: int
    retried_count: int
    started_at: datetime | None
    ended_at: datetime | None
    failures: list[TaskFailureShape]
    usage: UsageShape
    failure: FailureShape | None


class InputFileShape(Shape):
    """A file for the tasks of one run. What is in it only they are told."""

    path: str
    size_bytes: int


class OverridesShape(Shape):
    """What was changed for one run; only what was asked for is there."""

    args: list[str] | None = None
    env: dict[str, str] | None = None
    task_count: int | None = None
    timeout: str | None = None
    file: InputFileShape | None = None


class TriggeredByShape(Shape):
    """The trigger that asked for a run, as `project/environment/job/name`. `instant`: the one of
    its schedule that the run is for. Not started by `start_by`, the run never starts."""

    trigger: str
    instant: datetime | None
    start_by: datetime | None
    after: Annotated[list[str], Field(description="The runs that a chain's run follows.")]


class ScaledShape(Shape):
    """What recovery gives the attempts of a run instead of what its job says; null: as it says."""

    timeout_seconds: float | None
    memory_bytes: int | None


class AwaitingShape(Shape):
    """What a run waits for (its state says what): until when at most, how often somebody looked
    whether it is there, when somebody looks next, and what was seen last."""

    since: datetime
    until: datetime
    look_at: datetime
    looks: int
    words: str


class OfferShape(Shape):
    """A change of the job that would give every run what made this one succeed."""

    path: str
    value: str


class RunShape(Shape):
    """A run."""

    id: str
    project: str
    environment: str
    job: str
    revision: int
    region: str
    state: State
    trigger: TriggerKind
    triggered_by: Annotated[
        TriggeredByShape | None, Field(description="Null: a person asked for it.")
    ]
    replays: Annotated[
        str, Field(description="The dead run in whose place it was asked for; empty: none.")
    ]
    requested_by: str
    requested_at: datetime
    due_at: datetime | None
    waiting_on: str
    deadline_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    duration_seconds: float | None
    attempt: int
    attempts_max: int
    task_count: int
    priority: int
    reason: str
    stop_cause: str
    labels: dict[str, str]
    overrides: OverridesShape
    handle: str
    outcome: OutcomeShape | None
    scaled: ScaledShape
    awaiting: Annotated[
        AwaitingShape | None, Field(description="Null: its state is not one of awaiting.")
    ]
    offers: list[OfferShape]
    cost_nano_dollars: NanoDollars
    cost: Annotated[str, Field(description="For people, such as $0.0021.")]
    version: Annotated[int, Field(description="Grows by one with every change.")]


class ChargeShape(Shape):
    """What one attempt cost, before any free tier."""

    at: datetime
    region: str
    tier: str
    tier_assumed: bool
    price_table: Annotated[str, Field(description="The date of the price table that was used.")]
    vcpu_nano_dollars: NanoDollars
    memory_nano_dollars: NanoDollars
    nano_dollars: NanoDollars
    cost: str
    usage: UsageShape


class AttemptShape(Shape):
    """One launch of a run at its provider."""

    number: int
    handle: str
    started_at: datetime | None
    ended_at: datetime | None
    outcome: OutcomeShape | None
    charge: ChargeShape | None


class RunDetailShape(RunShape):
    """A run with its attempts, and with the result that the last of them wrote."""

    output: Annotated[Any, Field(description="JSON of the task's own; null: it wrote none.")]
    attempts: list[AttemptShape]


class RunsShape(Shape):
    """The runs that a request made."""

    runs: list[RunShape]


class RunPageShape(RunsShape):
    """A page of runs; no token: it is the last one."""

    next_page_token: str


class EventShape(Shape):
    """One fact of a run's history; `state` is the run's after it."""

    sequence: int
    at: datetime
    kind: str
    state: State
    data: Document


class HistoryShape(Shape):
    """All that happened to a run, in order."""

    events: list[EventShape]


class ExplanationShape(Shape):
    """A run's story in sentences."""

    run: RunShape
    sentences: list[str]


class TaskShape(Shape):
    """One task of an attempt. `attempt` counts from 0 as CLOUD_RUN_TASK_ATTEMPT does."""

    index: int
    state: str
    attempt: int
    started_at: datetime | None
    ended_at: datetime | None
    exit_code: int | None
    signal: int | None
    message: str
    cpu_milliseconds: int
    memory_peak_bytes: int


class TasksShape(Shape):
    """Tasks of attempt `attempt` (0: there is none yet)."""

    attempt: int
    tasks: list[TaskShape]


class EntryShape(Shape):
    """One line of a log. `attempt` is the task's (from 0), `run_attempt` the run's (from 1)."""

    position: int
    at: datetime
    task: int
    attempt: int
    run_attempt: int
    stream: str
    severity: str
    text: str
    fields: Document


class LogShape(Shape):
    """Entries in order; read on with `after`. `ended`: no more will ever come."""

    attempt: int
    entries: list[EntryShape]
    after: int
    ended: bool


class FoundEntryShape(EntryShape):
    """One line of a log that was searched for, and whose it is."""

    run: str
    job: str
    environment: str


class LogSearchShape(Shape):
    """The newest entries that are wanted, oldest first. Not `complete`: time or the number of runs
    ran out before all of it was searched, or logs could not be read. `unsearched` says of logs at
    Google which were not searched, and why. The `position` of an entry there is 0."""

    entries: list[FoundEntryShape]
    bytes_searched: int
    complete: bool
    unsearched: list[str]


class AppliedShape(Shape):
    """A job of a manifest. `change` is created, updated or unchanged; empty when only validated."""

    project: str
    environment: str
    name: str
    revision: int
    change: str
    launches_max: int
    regions: list[str]


class ManifestShape(Shape):
    """What a manifest says, and what in it may surprise."""

    jobs: list[AppliedShape]
    warnings: list[FaultShape]


class ConditionShape(Shape):
    """What is so of a job."""

    type: str
    state: ConditionState
    reason: str
    message: str
    at: datetime


class JobShape(Shape):
    """A job in force. `spec` is its canonical manifest, defaults written out."""

    project: str
    environment: str
    name: str
    revision: int
    labels: dict[str, str]
    regions: list[str]
    placement: str
    priority: int
    conditions: list[ConditionShape]
    blocked: Annotated[str, Field(description="Why its runs are refused; empty: they are not.")]
    operation: Annotated[str, Field(description="The operation that is changing it, if one is.")]
    spec: Document
    launches_max: Annotated[int, Field(description="The most launches one run can cause.")]
    warnings: list[FaultShape]
    applied_at: datetime
    applied_by: str


class JobPageShape(Shape):
    """A page of jobs by name; no token: it is the last one."""

    jobs: list[JobShape]
    next_page_token: str
