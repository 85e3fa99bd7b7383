"""`runyard metrics`: what was measured of a job's runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from cyclopts import Parameter

from runyard.cli import output
from runyard.cli.client import segment
from runyard.cli.connect import connect
from runyard.cli.parameters import AsJson, InEnvironment, JobName, Project, span
from runyard.cli.surroundings import now
from runyard.cli.tables import table
from runyard.cli.times import span as lasting

Document = dict[str, Any]
_BARS = "▁▂▃▄▅▆▇█"
_NO_BAR = "·"


def metrics(
    name: JobName,
    /,
    *,
    since: Annotated[
        str, Parameter(show_default=True, help="How far back: 30m, 24h, 7d, 4w.")
    ] = "24h",
    metric: Annotated[list[str] | None, Parameter(help="Only this one; may be repeated.")] = None,
    region: Annotated[
        list[str] | None, Parameter(help="Only in this region; may be repeated.")
    ] = None,
    environment: InEnvironment = None,
    project: Project = None,
    json_: AsJson = False,
) -> None:
    """Show what was measured of a job: runs, waits, durations, use, cost.

    The chart of a line shows its median in each step, and how many where it only counts; a dot is
    a step without anything. Below it stands the revision that made the job slower, if one did.
    """
    begun = (now() - span("--since", since)).isoformat()  # until the server's now, not ours
    query = {"since": begun, "metric": metric, "region": region}
    found = connect().get(
        f"/jobs/{segment(name)}/metrics", query | {"environment": environment, "project": project}
    )
    if json_:
        output.document(found)
        return
    table(
        ("metric", "labels", "count", "p50", "p95", "max", "sum", "chart"),
        (_row(line) for line in found["metrics"]),
        empty=f"nothing was measured of {name} in this time; `--since 7d` looks further back",
    )
    if found["regression"]:
        output.line(slower(found["regression"]))


def _row(line: Document) -> tuple[Any, ...]:
    name = line["metric"]
    labels = " ".join(f"{key}={value}" for key, value in line["labels"].items())
    if line["p50"] is None:
        return (name, labels, line["count"], "", "", "", "", chart(line["steps"], "count"))
    return (
        name,
        labels,
        line["count"],
        *(amount(name, line[one]) for one in ("p50", "p95", "max", "sum")),
        chart(line["steps"], "p50"),
    )


def amount(metric: str, value: float) -> str:
    """A value in the unit that the metric's name ends in."""
    if metric.endswith("_seconds"):
        return lasting(value) if value >= 0.001 else "0s"
    if metric.endswith("_ratio"):
        return f"{value:.0%}"
    if metric.endswith("_dollars"):
        return f"${value:.4f}"
    return f"{value:g}"


def chart(steps: Sequence[Document], of: str) -> str:
    """A bar for each step, the greatest of them full."""
    values = [step[of] if step["count"] else None for step in steps]
    top = max((value for value in values if value is not None), default=0.0)
    return "".join(_bar(value, top) for value in values)


def _bar(value: float | None, top: float) -> str:
    if value is None:
        return _NO_BAR
    return _BARS[min(len(_BARS) - 1, int(value / top * len(_BARS)))] if top else _BARS[0]


def slower(found: Document) -> str:
    """A regression in a sentence."""
    before, since, of = found["before"], found["since"], found["of"]
    return (
        f"slower since revision {found['revision']}: {of} of {since['runs']} runs is "
        f"{lasting(since[f'{of}_seconds'])}, and was {lasting(before[f'{of}_seconds'])} in the "
        f"{before['runs']} before (by chance alone: {found['probability']:.1g})"
    )
