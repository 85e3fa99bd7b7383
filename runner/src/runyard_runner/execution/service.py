"""From an order to an answer: once per key, watched, mailed, counted, and written down.

One audit record per call, whatever becomes of it: who called, for which job of Scheduler, what
was done.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from runyard_runner.execution.repeats import Answer, Repeats
from runyard_runner.execution.run import Execution, OnResult, Workshop
from runyard_runner.execution.running import Running
from runyard_runner.faults import RunnerError
from runyard_runner.model.order import Order
from runyard_runner.model.result import Summary, dump
from runyard_runner.report.port import Mailbox, Send
from runyard_runner.rules.statuses import Verdict
from runyard_runner.rules.tracing import Trace

#: How many failures of one execution are logged one by one.
_LOGGED_MAX = 20


@dataclass(frozen=True, slots=True)
class Visit:
    """A call, as far as it is not the order: who, when Scheduler meant it, in which trace."""

    caller: str
    trace: Trace
    scheduler_job: str = ""
    schedule_time: str = ""
    #: of a reference client that says so itself
    scheduled: bool = False

    @property
    def key(self) -> str:
        """The idempotency key that Scheduler's headers make."""
        job, time = self.scheduler_job, self.schedule_time
        return f"{job}@{time}" if job and time else ""


@dataclass(frozen=True, slots=True)
class Service:
    """Does orders. `watch` is told of every summary (traces and metrics are sent from there)."""

    workshop: Workshop
    running: Running
    repeats: Repeats
    mailbox: Mailbox
    load_send: Callable[[], Send]
    watch: Callable[[Summary, Trace], None]

    async def do(self, order: Order, visit: Visit, on_result: OnResult | None = None) -> Answer:
        """The answer to an order. Raises RunnerError for one that is not done."""
        if visit.key and not order.key:
            order = replace(order, key=visit.key)
        try:
            if not order.key:
                return await self._execute(order, visit, on_result)
            answer = await self.repeats.once(
                order.key, _digest(order), lambda: self._execute(order, visit, on_result)
            )
        except asyncio.CancelledError:
            self.workshop.caller.meters.executions["cancelled"] += 1
            self.audit(visit, "cancelled", key=order.key)
            raise
        except RunnerError as error:
            self.refused(visit, error)
            raise
        if answer.replayed:
            self.audit(visit, "replayed", key=order.key)
        return answer

    def refused(self, visit: Visit, error: RunnerError) -> None:
        """Note a call that was turned away."""
        self.workshop.caller.meters.refusals[error.code] += 1
        faults = [str(each) for each in error.faults[:_LOGGED_MAX]]
        self.audit(visit, "refused", "WARNING", code=error.code, said=error.message, faults=faults)

    def audit(self, visit: Visit, outcome: str, severity: str = "INFO", **fields: Any) -> None:
        """Write the record of a call."""
        about = {
            "caller": visit.caller,
            "scheduler_job": visit.scheduler_job,
            "schedule_time": visit.schedule_time,
            "outcome": outcome,
            **fields,
        }
        said = {name: value for name, value in about.items() if value not in ("", [], None)}
        self.workshop.journal.record(severity, f"call {outcome}", visit.trace, audit=said)

    async def _execute(self, order: Order, visit: Visit, on_result: OnResult | None) -> Answer:
        execution = Execution(order, visit.trace, self.workshop, on_result)
        with self.running.one_more(execution):
            summary = await execution.run()
            if order.send_email:
                summary = replace(summary, email=await self._mail(order, visit, summary))
        self._write_down(visit, summary)
        return Answer(summary.http_status, dump(summary.as_json()))

    async def _mail(self, order: Order, visit: Visit, summary: Summary) -> dict[str, Any]:
        scheduled = visit.scheduled or bool(visit.scheduler_job)
        context = "test" if order.test_mode else "scheduler" if scheduled else "manual"
        said = await asyncio.to_thread(self._send, summary, context)
        sent = bool(said["email_sent"])
        self.workshop.caller.meters.mails["sent" if sent else "failed"] += 1
        if not sent:
            said = said | {"error": self.workshop.caller.mask.text(said["error"])}
            self.workshop.journal.record(
                "WARNING", "the report was not mailed", visit.trace, error=said["error"]
            )
        return said

    def _send(self, summary: Summary, context: str) -> dict[str, Any]:
        return self.load_send()(self.mailbox, summary, context)

    def _write_down(self, visit: Visit, summary: Summary) -> None:
        failed = summary.of(Verdict.FAILED)
        outcome = "failed" if failed else "succeeded"
        meters, journal = self.workshop.caller.meters, self.workshop.journal
        meters.executions[outcome] += 1
        meters.execution_seconds.note(summary.duration_ms / 1000)
        for each in failed[:_LOGGED_MAX]:
            journal.record(
                "WARNING",
                f"endpoint failed: {each.endpoint}: {each.error}",
                visit.trace,
                endpoint=each.endpoint,
                status_code=each.status_code,
                attempts=each.attempts,
            )
        self.audit(
            visit,
            outcome,
            "WARNING" if failed else "INFO",
            key=summary.key,
            mode=summary.mode,
            endpoints=len(summary.results),
            failed=len(failed),
            warnings=len(summary.of(Verdict.WARNED)),
            duration_ms=summary.duration_ms,
            cut_short=summary.cut,
        )
        self.watch(summary, visit.trace)


def _digest(order: Order) -> bytes:
    """What an order asks for, so that a key that comes with another one is noticed."""
    return hashlib.sha256(repr(replace(order, key="", stream=False)).encode()).digest()
