"""`runyard schedules forecast`: what schedules will do, how many at once, for how much."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from cyclopts import Parameter

from runyard.cli import output
from runyard.cli.connect import connect
from runyard.cli.parameters import AsJson, InEnvironment, Project, complete_jobs
from runyard.cli.tables import table
from runyard.cli.times import parse, span
from runyard.flow.wording import count

Document = Mapping[str, Any]
_WIDTH = 30  #: characters of the longest bar
_HOUR_SECONDS = 3600


def forecast(
    *,
    days: Annotated[int, Parameter(help="How many days ahead, 92 at most; 30 if not said.")] = 30,
    job: Annotated[str | None, Parameter(help="Only this job.", completer=complete_jobs)] = None,
    limit: Annotated[int, Parameter(show_default=True, help="At most so many jobs.")] = 20,
    environment: InEnvironment = None,
    project: Project = None,
    json_: AsJson = False,
) -> None:
    """Say what schedules will do: when many runs start at once, what room is left, what it costs.

    Jitter and chains are in it. What it takes for granted is said below it.
    """
    query = {"environment": environment, "project": project, "job": job}
    found = connect().get("/schedules:forecast", query | {"days": days, "jobs": limit})
    if json_:
        output.document(found)
        return
    dark = found["unpriced"]
    unknown = f"; the price of {count(dark, 'job')} is not known" if dark else ""
    until = parse(found["until"])
    output.line(
        f"{found['runs']:,} runs until {until:%Y-%m-%d %H:%M} UTC, {found['cost']}{unknown}"
    )
    _steps(found["steps"], found["step_seconds"])
    _regions(found["regions"])
    _herds(found["herds"], found["herds_in_all"])
    for one in found["advice"]:
        output.line(one["says"])
    _jobs(found["jobs"], found["jobs_in_all"])
    output.line()
    for sentence in found["assumptions"]:
        output.line(f"- {sentence}")


def _steps(steps: Sequence[Document], seconds: int) -> None:
    most = max((one["runs"] for one in steps), default=0)
    form = "%Y-%m-%d %H:%M" if seconds == _HOUR_SECONDS else "%a %Y-%m-%d"
    output.line()
    table(
        ("hour" if seconds == _HOUR_SECONDS else "day", "runs", "in UTC"),
        [
            (parse(one["at"]).strftime(form), f"{one['runs']:,}", bar(one["runs"], most))
            for one in steps
        ],
    )


def bar(runs: int, most: int) -> str:
    """A bar as long as `runs` is beside `most`; what is there at all is seen."""
    return "█" * max(int(runs > 0), round(runs * _WIDTH / most)) if most else ""


def _regions(regions: Sequence[Document]) -> None:
    output.line()
    table(
        ("region", "runs", "starts a minute", "out at once", "if they are long", "of", "when"),
        [
            (
                one["name"],
                f"{one['runs']:,}",
                one["starts"]["count"],
                str(one["typical"]["count"]) + (" !" if one["is_passed"] else ""),
                one["high"]["count"],
                one["limit"],
                _utc(one["typical"]["at"]),
            )
            for one in regions
        ],
        empty="no schedule asks for a run in this time",
    )
    for one in regions:
        if one["is_passed"]:
            more = one["typical"]["count"] - one["limit"]
            output.line(f"{one['name']}: {more:,} more than may be out at once; they will wait")


def _herds(herds: Sequence[Document], in_all: int) -> None:
    if not herds:
        return
    output.line()
    rows = [
        (_utc(one["at"]), one["region"], one["starts"], one["times"], _who(one)) for one in herds
    ]
    table(("herd", "region", "starts", "times", "who"), rows)
    if in_all > len(herds):
        output.line(f"and {in_all - len(herds)} more")


def _who(herd: Document) -> str:
    shown = ", ".join(f"{one['job']}/{one['name']}" for one in herd["triggers"][:3])
    more = herd["triggers_in_all"] - len(herd["triggers"][:3])
    return shown + (f" and {more} more" if more else "")


def _jobs(jobs: Sequence[Document], in_all: int) -> None:
    output.line()
    rows = [
        (
            one["name"],
            one["project"],
            ", ".join(one["triggers"]),
            f"{one['runs']:,}",
            one["skipped"] or "",
            span(one["typical_seconds"]) if one["runs_measured"] else "unknown",
            one["run_cost"] or "unknown",
            one["cost"] or f"unknown: {one['why_unknown']}",
        )
        for one in jobs
    ]
    headings = ("job", "project", "triggers", "runs", "skipped", "takes", "a run", "in all")
    table(headings, rows)
    if in_all > len(jobs):
        output.line(f"and {in_all - len(jobs):,} more; `--limit` lists them")


def _utc(text: str) -> str:
    return f"{parse(text):%Y-%m-%d %H:%M}"
