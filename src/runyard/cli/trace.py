"""`runyard trace`: where the time of a run went."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any

from cyclopts import Parameter

from runyard.cli import output
from runyard.cli.connect import connect
from runyard.cli.output import columns, printable
from runyard.cli.parameters import AsJson, RunRef
from runyard.cli.run_ref import path, run_id
from runyard.cli.surroundings import now
from runyard.cli.times import parse, span

Document = dict[str, Any]
_WIDTH = 40  #: characters of a bar that is as long as the run


def trace(ref: Annotated[RunRef, Parameter(name="RUN")], /, *, json_: AsJson = False) -> None:
    """Show where the time of a run went.

    Its waits, attempts, launches and tasks are a trace. Tasks find
    their place in it in the variable TRACEPARENT; their own spans become part of it where both are
    exported to one place (`otlp_endpoint`).
    """
    client = connect()
    found = client.get(f"{path(run_id(client, ref))}/trace")
    if json_:
        output.document(found)
        return
    spans, at = found["spans"], now()
    begun = parse(spans[0]["started_at"])
    whole = max((_end(one, at) - begun).total_seconds() for one in spans) or 1e-6
    rows = [
        (f"{branch}{_name(one)}", _took(one), _bar(one, begun, whole, at))
        for branch, one in tree(spans)
    ]
    output.line(f"trace {found['trace_id']} of {found['run']}")
    for line in columns(rows):
        output.line(line)


def tree(spans: list[Document]) -> Iterator[tuple[str, Document]]:
    """The spans in the order of a tree, each with the branch it hangs on."""
    below: dict[str, list[Document]] = {}
    for one in spans:
        below.setdefault(one["parent_span_id"], []).append(one)

    def hang(one: Document, branch: str, indent: str) -> Iterator[tuple[str, Document]]:
        yield branch, one
        children = below.get(one["span_id"], [])
        for child in children:
            last = child is children[-1]
            fork, rest = ("└ ", "  ") if last else ("├ ", "│ ")
            yield from hang(child, indent + fork, indent + rest)

    for root in below.get("", []):
        yield from hang(root, "", "")


def _name(one: Document) -> str:
    failed = f" failed: {one['message']}" if one["message"] else " failed"
    return printable(one["name"] + (failed[:60] if one["failed"] else ""))


def _took(one: Document) -> str:
    seconds = one["duration_seconds"]
    if seconds is None:
        return "goes on"
    return span(seconds) if seconds >= 0.0005 else "0s"


def _end(one: Document, at: datetime) -> datetime:
    return parse(one["ended_at"]) if one["ended_at"] else max(at, parse(one["started_at"]))


def _bar(one: Document, begun: datetime, whole: float, at: datetime) -> str:
    """From when to when, on a line that is as long as the run."""
    first = int(_WIDTH * (parse(one["started_at"]) - begun).total_seconds() / whole)
    last = int(_WIDTH * (_end(one, at) - begun).total_seconds() / whole)
    first = min(max(0, first), _WIDTH - 1)
    return "·" * first + "█" * max(1, last - first) + "·" * (_WIDTH - max(first + 1, last))
