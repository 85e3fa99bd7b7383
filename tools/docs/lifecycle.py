"""docs/flows/02-job-lifecycle.md and docs/reference/states.md, from `runyard.flow.lifecycle`."""

from __future__ import annotations

import inspect
import re

from runyard.flow import lifecycle
from runyard.flow.lifecycle import TRANSITIONS
from runyard.model.run import AWAITING, FINAL, OUT, State
from tools.docs import flow_two
from tools.docs.colours import LEGEND, Kind, classes
from tools.docs.markdown import code, page, table

#: All other states are work on its way.
KINDS = {
    State.SUCCEEDED: Kind.SUCCESS,
    State.DEAD: Kind.ERROR,
    State.BACKING_OFF: Kind.WARNING,
    **dict.fromkeys(AWAITING, Kind.WARNING),
    State.STOPPING: Kind.WARNING,
    State.CANCELLED: Kind.WARNING,
    State.SKIPPED: Kind.WARNING,
}
FINAL_MEANING = {
    State.SUCCEEDED: "every task of an attempt succeeded",
    State.DEAD: "it failed and will not be tried again; somebody should look",
    State.CANCELLED: "somebody asked for its end",
}


def diagram() -> str:
    """The table as a drawing. Parallel arrows are one; what changes no state is left out."""
    arrows: dict[tuple[State, State], list[str]] = {}
    for state, row in TRANSITIONS.items():
        for cause, following in row.items():
            if following is not state:
                arrows.setdefault((state, following), []).append(cause.__name__)
    lines = ["stateDiagram-v2", "    direction LR", f"    [*] --> {State.QUEUED}"]
    lines += [f"    {a} --> {b}: {', '.join(causes)}" for (a, b), causes in arrows.items()]
    lines += [f"    {state} --> [*]" for state in State if state in FINAL]
    lines += classes(map(_kind, State))
    lines += [f"    class {state} {_kind(state)}" for state in State]
    return "\n".join(lines)


def lifecycle_page() -> str:
    """The lifecycle of a run: the drawing, and what leaves a run where it is."""
    promises = (lifecycle.__doc__ or "").partition("Promises")[2]
    return page(
        "The lifecycle of a run",
        f"Flow 2 of the platform. {LEGEND}",
        "## As it was asked for",
        "Box by box, each with the place in the code where it lives. "
        "[The life of a run](../explanation/life-of-a-run.md) follows one run through them.",
        f"```mermaid\n{flow_two.diagram()}\n```",
        flow_two.boxes_table(),
        "## As it is decided",
        "From the request to the final state, drawn from the table in "
        "`runyard.flow.lifecycle:TRANSITIONS`. An arrow is named by what causes it.",
        f"```mermaid\n{diagram()}\n```",
        "## What is promised",
        "Promises" + " ".join(promises.split()).rstrip(".") + ".",
        "## What is noted and changes no state",
        table(
            ("state", "notes"),
            (
                (code(state), ", ".join(notes))
                for state, row in TRANSITIONS.items()
                if (notes := [c.__name__ for c, following in row.items() if following is state])
            ),
        ),
    )


def states_page() -> str:
    """Every state of a run, what it means, and what may follow."""
    meanings = _meanings()
    return page(
        "States of a run",
        "One spelling everywhere: in the database, in JSON, on the command line. Nothing leaves a "
        "final state.",
        table(
            ("state", "meaning", "kind", "what may follow"),
            (
                (
                    code(state),
                    meanings[state],
                    "final" if state in FINAL else "an attempt is out" if state in OUT else "waits",
                    ", ".join(code(each) for each in dict.fromkeys(row.values()) if each != state),
                )
                for state, row in TRANSITIONS.items()
            ),
        ),
    )


def _kind(state: State) -> Kind:
    return KINDS.get(state, Kind.PROCESS)


def _meanings() -> dict[State, str]:
    """What stands behind each state in its declaration."""
    source = inspect.getsource(State)
    written = re.findall(r'= "(\w+)"  # (.+)', source)
    return FINAL_MEANING | {State(name): meaning for name, meaning in written}
