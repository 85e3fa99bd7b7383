"""Runs as the real decisions make them, step by step, with their history and charges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import orjson

from runyard.flow.lifecycle import Decision, Facts, Slot, decide, wanted
from runyard.flow.request import request
from runyard.model.cost import Charge
from runyard.model.event import Due, Event, Launched, kind_of
from runyard.model.ids import RunId
from runyard.model.outcome import Ending, Outcome, TaskFailure, Usage
from runyard.model.plan import Plan, RunRequest
from runyard.model.run import Backoff, Jitter, Run, RunPolicy
from runyard.store.runs import Happening

START = datetime(2026, 9, 1, 12, 0, tzinfo=UTC)
STEADY = RunPolicy(attempts_max=3, backoff=Backoff(10, 2, 600, Jitter.NONE))


@dataclass(slots=True)
class Story:
    """One run and all that happened to it. Begin it with `begun`."""

    run: Run
    now: datetime
    history: list[Happening] = field(default_factory=list)
    charges: list[Charge] = field(default_factory=list)

    def note(self, decision: Decision) -> None:
        """Take a decision over, as the gate does."""
        self.run = decision.run
        data = orjson.loads(orjson.dumps(decision.fact))
        kind, run = kind_of(decision.fact), self.run
        self.history.append(Happening(run.version, self.now, kind, run.state, data))
        if decision.charge is not None:
            self.charges.append(decision.charge)

    def tell(
        self, event: Event, after: float = 0.0, full: Mapping[str, int] | None = None
    ) -> Story:
        """`event` happens `after` seconds later; `full` are the slots without room."""
        self.now += timedelta(seconds=after)
        slots = {name: Slot(name, 1000) for name in wanted(self.run)}
        slots |= {name: Slot(name, size, size) for name, size in (full or {}).items()}
        self.note(decide(self.run, event, Facts(slots), self.now))
        return self

    def launched(self, *warnings: str, after: float = 0.2) -> Story:
        """It is due, taken up and accepted by the provider."""
        self.tell(Due(), after)
        number = self.run.attempt
        return self.tell(Launched(number, f"{self.run.job}-{number:05}", warnings), 0.1)


def begun(policy: RunPolicy = STEADY, region: str = "us-central1", **asked: object) -> Story:
    """A story that begins with a request."""
    plan = Plan("shop", "local", "report", 3, policy, 2, (region,))
    wish = replace(RunRequest("local", "report", "admin"), **asked)  # type: ignore[arg-type]
    run_id = RunId("run_01m1edeag30000000000000001")
    (decision,) = request(plan, wish, lambda: run_id, START)
    story = Story(decision.run, START)
    story.note(decision)
    return story


def outcome(
    ending: Ending = Ending.SUCCEEDED,
    message: str = "All 2 tasks succeeded.",
    *failures: TaskFailure,
    failed: int | None = None,
    retried: int = 0,
    wall_milliseconds: int = 9_000,
    billed_milliseconds: int | None = None,
) -> Outcome:
    """An outcome of two tasks that used a little."""
    lost = len(failures) if failed is None else failed
    billed = 60_000 * (2 + retried) if billed_milliseconds is None else billed_milliseconds
    return Outcome(
        ending,
        message,
        task_count=max(2, lost),
        succeeded_count=max(0, 2 - lost) if ending is not Ending.CANCELLED else 0,
        failed_count=lost,
        cancelled_count=2 if ending is Ending.CANCELLED else 0,
        retried_count=retried,
        failures=failures,
        usage=Usage(
            task_attempts=2 + retried,
            wall_milliseconds=wall_milliseconds,
            billed_milliseconds=billed,
        ),
    )
