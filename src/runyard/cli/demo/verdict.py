"""Whether each run of the demo went as it should: states, attempts, charges, what was removed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from runyard.cli.demo.jobs import DemoJob

Document = dict[str, Any]


def differences(jobs: Sequence[DemoJob], runs: Sequence[Document]) -> list[str]:
    """What is not as it should be, a sentence each; empty when all is well."""
    return [
        f"{job.name}: {words}"
        for job, run in zip(jobs, runs, strict=True)
        for words in _of_run(job, run)
    ]


def _of_run(job: DemoJob, run: Document) -> Iterator[str]:
    if run["state"] != job.state:
        yield f"it is {run['state']} and should be {job.state}: {run['reason']}"
    attempts = run["attempts"]
    endings = [(attempt["outcome"] or {}).get("ending", "none") for attempt in attempts]
    if endings != list(job.endings):
        yield f"its attempts ended {', '.join(endings)} and should have: {', '.join(job.endings)}"
    yield from _of_cost(run)
    yield from _of_removal(run)


def _of_cost(run: Document) -> Iterator[str]:
    charges = [attempt["charge"] for attempt in run["attempts"]]
    if not all(charges):
        yield "an attempt has no charge"
    elif sum(charge["nano_dollars"] for charge in charges) != run["cost_nano_dollars"]:
        yield "the charges of its attempts do not add up to its cost"


def _of_removal(run: Document) -> Iterator[str]:
    released = [event["data"] for event in run["history"] if event["kind"] == "released"]
    if len(released) != len(run["attempts"]):
        yield f"what {len(run['attempts']) - len(released)} attempts held was not removed"
    left = [name for data in released for name in data.get("left", ())]
    if left:
        yield f"this was left behind: {', '.join(left)}"
