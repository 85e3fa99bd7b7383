"""docs/flows/08-error-handling-and-recovery.md: flow 8 of the ten this platform was asked for, box
by box, and what is declared for each class of failure, from specs and `runyard.flow.holding`."""

from __future__ import annotations

import inspect
from typing import get_args

from runyard.flow.holding import LOOK_SECONDS_MAX, UNTIL
from runyard.flow.wording import span
from runyard.model.failure import FailureClass
from runyard.model.recovery_spec import RecoverySpec
from tools.docs.colours import LEGEND, Kind
from tools.docs.flow_two import Box, boxes_table, diagram
from tools.docs.markdown import code, page, table

BOXES = (
    Box("A", "Job Execution Error", Kind.ERROR,
        ("runyard.model.outcome:Outcome", "runyard.engine.watch:WatchLoop"),
        "The provider reports the end of an attempt, with exit codes, signals and last lines."),
    Box("B", "Error Classification", Kind.PROCESS,
        ("runyard.flow.failure.classify:classify",),
        "One class with its evidence; rules of the job itself come first."),
    Box("C", "Error Type", Kind.QUESTION,
        ("runyard.model.failure:FailureClass",),
        "Beside the five that were drawn: `platform` (of the provider) and `cancelled`."),
    Box("D", "Timeout Handler", Kind.PROCESS,
        ("runyard.flow.recovering:way_back",), "The task's own timeout, not that of a call."),
    Box("E", "IAM Issue Handler", Kind.PROCESS,
        ("runyard.flow.holding:AwaitPermission",), "Where it is declared, the run waits."),
    Box("F", "Resource Handler", Kind.PROCESS,
        ("runyard.model.failure:Shortage",),
        "Of memory: the next attempt gets more. Of capacity: the run waits for room."),
    Box("G", "Network Handler", Kind.PROCESS,
        ("runyard.flow.holding:AwaitNetwork",), "Where it is declared, the run waits."),
    Box("H", "App Error Handler", Kind.PROCESS,
        ("runyard.flow.holding:AwaitFix",),
        "Where it is declared, the run is held until its job is mended."),
    Box("I", "Extend Timeout", Kind.PROCESS,
        ("runyard.model.recovery:Extend", "runyard.engine.scaling:scaled_overrides"),
        "By a factor, up to a cap, for this run only."),
    Box("J", "Check IAM Policies", Kind.PROCESS,
        ("runyard.provider.port_access:Access.missing",),
        "What the job needs against what its identity has; the missing binding is named."),
    Box("K", "Scale Resources", Kind.PROCESS,
        ("runyard.model.recovery:Grow", "runyard.engine.scaling:scaled_template"),
        "More memory with the CPUs that it needs; what worked is offered as a change of the job."),
    Box("L", "Retry with Backoff", Kind.PROCESS,
        ("runyard.flow.backoff:delay_seconds", "runyard.engine.waits:reach"),
        "Looks grow apart as a backoff does; each peer in `needs.egress` is reached for."),
    Box("M", "Application Debug", Kind.PROCESS,
        ("runyard.flow.explain:explain",),
        "The evidence, the last lines, and what was asked for."),
    Box("N", "Retry Count < Max", Kind.QUESTION,
        ("runyard.model.run:RunPolicy.launches_max",),
        "Each way has a number of attempts of its own, counted over the whole run."),
    Box("O", "Permission Fixed", Kind.QUESTION,
        ("runyard.model.run:State.AWAITING_PERMISSION",), "Looked at until it is, or time is up."),
    Box("P", "Resources Available", Kind.QUESTION,
        ("runyard.model.run:State.AWAITING_CAPACITY",), "The slot of the region says so."),
    Box("Q", "Network Restored", Kind.QUESTION,
        ("runyard.model.run:State.AWAITING_NETWORK",), "All peers answered a connection."),
    Box("R", "Bug Fixed", Kind.QUESTION,
        ("runyard.model.run:State.AWAITING_FIX", "runyard.gate.resuming:GoOn"),
        "A newer revision is in force, or a person resumed the run."),
    Box("S", "Exponential Backoff", Kind.WARNING,
        ("runyard.model.run:State.BACKING_OFF",), "After a wait it is due at once."),
    Box("T", "Retry Execution", Kind.PROCESS,
        ("runyard.model.event:Started",), "By the usual road through limits and slots."),
    Box("U", "Success", Kind.QUESTION,
        ("runyard.flow.recovery:judge",), "One pure function makes a verdict of each end."),
    Box("V", "Mark Resolved", Kind.SUCCESS,
        ("runyard.flow.recovery:Done", "runyard.flow.recovering:offers"),
        "The run succeeded, and its alerts are over by themselves."),
    Box("W", "Increment Retry Count", Kind.PROCESS,
        ("runyard.model.run:Run",), "`attempt` of its row; a restart changes nothing."),
    Box("X", "Mark as Failed", Kind.ERROR,
        ("runyard.flow.recovery:GiveUp", "runyard.model.event:WaitOver"),
        "Dead, with the limit that was reached, or what was missing."),
    Box("Y", "Send Alert", Kind.ERROR,
        ("runyard.model.effect:Alert", "runyard.flow.rules:dead"),
        "In the transaction that made it dead."),
    Box("Z", "Log to Dead Letter Queue", Kind.ERROR,
        ("runyard.gate.filing:file_letters", "runyard.flow.dead_letters:letter_of"),
        "One letter for each dead run, grouped by what errors have in common."),
    Box("AA", "Manual Investigation", Kind.PROCESS,
        ("runyard.flow.dead_letters:decide",),
        "Replayed, or discarded with a reason; else only its time takes a letter away."),
)  # fmt: skip

#: (from, to, what the arrow says), as drawn.
ARROWS = (
    ("A", "B", ""), ("B", "C", ""),
    ("C", "D", "Timeout"), ("C", "E", "Permission"), ("C", "F", "Resource"),
    ("C", "G", "Network"), ("C", "H", "Application"),
    ("D", "I", ""), ("E", "J", ""), ("F", "K", ""), ("G", "L", ""), ("H", "M", ""),
    ("I", "N", ""), ("J", "O", ""), ("K", "P", ""), ("L", "Q", ""), ("M", "R", ""),
    ("N", "S", "Yes"), ("O", "S", "Yes"), ("P", "S", "Yes"), ("Q", "S", "Yes"), ("R", "S", "Yes"),
    ("S", "T", ""), ("T", "U", ""), ("U", "V", "Yes"), ("U", "W", "No"), ("W", "N", ""),
    ("N", "X", "No"), ("O", "X", "No"), ("P", "X", "No"), ("Q", "X", "No"), ("R", "X", "No"),
    ("X", "Y", ""), ("Y", "Z", ""), ("Z", "AA", ""),
)  # fmt: skip


def recovery_page() -> str:
    """Flow 8: the drawing, its boxes, the classes, and what a job may declare for them."""
    return page(
        "Error handling and recovery",
        f"Flow 8 of the platform. {LEGEND} "
        "[Failures and recovery](../guides/failures-and-recovery.md) shows how it is used.",
        "## As it was asked for",
        f"```mermaid\n{diagram(BOXES, ARROWS)}\n```",
        boxes_table(BOXES),
        "## What a job may declare",
        "From `runyard.model.recovery_spec:RecoverySpec`. What is not declared goes by `retry`.",
        table(("recovery", "what it makes of a failure", "attempts", "longest wait"), _declared()),
        "## What is looked at, and how often",
        table(("wait", "it waits", "at least every"), _looks()),
        "The classes are " + ", ".join(code(each) for each in FailureClass) + ".",
    )


def _declared() -> list[tuple[str, str, str, str]]:
    rows = []
    for name, field in RecoverySpec.model_fields.items():
        (spec,) = (each for each in get_args(field.annotation) if each is not type(None))
        fields = spec.model_fields
        wait = fields["wait"].default if "wait" in fields else ""
        words = " ".join((inspect.getdoc(spec) or "").split())
        rows.append((code(name), words, str(fields["attempts"].default), str(wait)))
    return rows


def _looks() -> list[tuple[str, str, str]]:
    every = {name: span(seconds) for name, seconds in LOOK_SECONDS_MAX.items()}
    return [(code(name), words, every.get(name, "not polled")) for name, words in UNTIL.items()]
