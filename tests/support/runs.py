"""Factories of runs, jobs and outcomes, as plain functions."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from runyard.model.ids import RunId
from runyard.model.job import JobSpec
from runyard.model.outcome import Ending, Outcome, TaskFailure, Usage
from runyard.model.run import Run, RunPolicy, State, TriggerKind

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


def make_run(state: State = State.QUEUED, **changes: Any) -> Run:
    """A run in `state`, with whatever else is said."""
    run = Run(
        id=RunId("run_0000000000000000000000000a"),
        project="shop",
        environment="local",
        job="report",
        revision=1,
        region="us-central1",
        state=state,
        trigger=TriggerKind.MANUAL,
        requested_by="ann",
        requested_at=NOW,
        rank_at=NOW,
        policy=RunPolicy(),
        task_count=1,
        due_at=NOW if state is State.QUEUED else None,
        attempt=0 if state in (State.QUEUED, State.SKIPPED) else 1,
        version=1,
    )
    return replace(run, **changes)


def make_outcome(ending: Ending = Ending.SUCCEEDED, **changes: Any) -> Outcome:
    """An outcome of one task that ran for a minute on one vCPU with 512 MiB."""
    failures = () if ending is Ending.SUCCEEDED else (TaskFailure(0, 1, "it failed", 1),)
    usage = Usage(task_attempts=1, wall_milliseconds=60_000, billed_milliseconds=60_000)
    outcome = Outcome(
        ending, f"it {ending}", started_at=NOW, ended_at=NOW, failures=failures, usage=usage
    )
    return replace(outcome, **changes)


def make_spec(name: str = "report", **beside: Any) -> JobSpec:
    """A job with one task of `true`; `beside` stands beside its template."""
    task = {"containers": [{"image": "busybox", "command": ["true"]}]}
    return JobSpec.from_document(
        {"project": "shop", "name": name, "template": {"template": task}} | beside
    )
