"""docs/flows/job-lifecycle.md and docs/reference/states.md, from `runyard.flow.lifecycle`."""

from __future__ import annotations

import inspect
import re

from runyard.flow import lifecycle
from runyard.flow.lifecycle import TRANSITIONS
from runyard.model.run import FINAL, OUT, State
from tools.docs.markdown import code, page, table

GREEN, RED, BLUE = "#c8e6c9", "#ffcdd2", "#e3f2fd"  #: success, error, process
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
    for name, colour in (("success", GREEN), ("error", RED), ("process", BLUE)):
        lines.append(f"    classDef {name} fill:{colour},stroke:#607d8b,color:#263238")
    lines += [f"    class {state} {_kind(state)}" for state in State]
    return "\n".join(lines)


def lifecycle_page() -> str:
    """The lifecycle of a run: the drawing, and what leaves a run where it is."""
    promises = (lifecycle.__doc__ or "").partition("Promises")[2]
    return page(
        "The lifecycle of a run",
        "From the request to the final state, drawn from the table in "
        "`src/runyard/flow/lifecycle.py`. Green is success, red is an error that somebody should "
        "look at, blue is work on its way.",
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


def _kind(state: State) -> str:
    return {State.SUCCEEDED: "success", State.DEAD: "error"}.get(state, "process")


def _meanings() -> dict[State, str]:
    """What stands behind each state in its declaration."""
    source = inspect.getsource(State)
    written = re.findall(r'= "(\w+)"  # (.+)', source)
    return FINAL_MEANING | {State(name): meaning for name, meaning in written}
