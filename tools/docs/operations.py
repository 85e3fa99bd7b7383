"""docs/flows/05-job-management-operations.md, from `runyard.flow.operation`."""

from __future__ import annotations

import inspect
import re
from enum import StrEnum

from runyard.flow import operation
from runyard.flow.operation import LOOKING, TRANSITIONS
from runyard.flow.step_states import StepState
from runyard.model.operation import FINAL, OperationState, StepKind
from tools.docs import flow_five
from tools.docs.colours import LEGEND, Kind, classes
from tools.docs.markdown import code, page, table

#: All other states are work on its way.
KINDS = {
    OperationState.COMPLETE: Kind.SUCCESS,
    OperationState.STUCK: Kind.ERROR,
    OperationState.UNDONE: Kind.WARNING,
    OperationState.UNDOING: Kind.WARNING,
    OperationState.STOPPING: Kind.WARNING,
    OperationState.WAITING: Kind.QUESTION,
}
_MEANING = {
    OperationState.COMPLETE: "every step is done, and all its jobs are in force",
    OperationState.UNDONE: "nothing of it is left",
}


def diagram() -> str:
    """The table as a drawing. Parallel arrows are one; what changes no state is left out."""
    arrows: dict[tuple[OperationState, OperationState], list[str]] = {}
    for state, row in TRANSITIONS.items():
        for cause, following in row.items():
            if following is not state:
                arrows.setdefault((state, following), []).append(cause.__name__)
    lines = ["stateDiagram-v2", "    direction LR"]
    lines += [f"    [*] --> {state}" for state in ("waiting", "running")]
    lines += [f"    {a} --> {b}: {', '.join(causes)}" for (a, b), causes in arrows.items()]
    lines += [f"    {state} --> [*]" for state in OperationState if state in FINAL]
    lines += classes(map(_kind, OperationState))
    lines += [f"    class {state} {_kind(state)}" for state in OperationState]
    return "\n".join(lines)


def operations_page() -> str:
    """The flow as it was asked for, and the lifecycle that carries it."""
    promises = (operation.__doc__ or "").partition("Promises")[2]
    meanings = _meanings(OperationState) | {str(k): v for k, v in _MEANING.items()}
    return page(
        "Job management operations",
        f"Flow 5 of the platform. {LEGEND}",
        "## As it was asked for",
        "Box by box, each with the place in the code where it lives. "
        "[Change jobs safely](../guides/change-jobs-safely.md) is the same from a user's side.",
        f"```mermaid\n{flow_five.flow_diagram()}\n```",
        flow_five.boxes_table(),
        "## As it is decided",
        "An operation is the one way to change the world in several steps, drawn from the table in "
        "`runyard.flow.operation:TRANSITIONS`. An arrow is named by what causes it.",
        f"```mermaid\n{diagram()}\n```",
        table(
            ("state", "meaning", "what may follow"),
            (
                (
                    code(state),
                    meanings[state],
                    ", ".join(code(each) for each in dict.fromkeys(row.values()) if each != state),
                )
                for state, row in TRANSITIONS.items()
            ),
        ),
        "## What is promised",
        "Promises" + " ".join(promises.split()).rstrip(".") + ".",
        "## The steps",
        "In this order over all jobs of an operation. What only looks is not undone.",
        table(
            ("step", "what it does", "undone by"),
            (
                (code(kind), _meanings(StepKind)[kind], "-" if kind in LOOKING else _undone(kind))
                for kind in StepKind
            ),
        ),
        "A step is shown as one of these:",
        table(
            ("state", "meaning"),
            ((code(state), _meanings(StepState).get(state, "")) for state in StepState),
        ),
    )


def _undone(kind: StepKind) -> str:
    if kind is StepKind.DEPLOY:
        return "what was there before is put back, or what was made is removed"
    if kind is StepKind.REMOVE:
        return "it is deployed again as it was"
    return "access is settled as the job was before wants it"


def _kind(state: OperationState) -> Kind:
    return KINDS.get(state, Kind.PROCESS)


def _meanings(states: type[StrEnum]) -> dict[str, str]:
    """What stands behind each state in its declaration."""
    return dict(re.findall(r'= "(\w+)"  # (.+)', inspect.getsource(states)))
