"""`runyard incidents summary`: how a month went."""

from __future__ import annotations

from typing import Annotated, Any

from cyclopts import Parameter

from runyard.cli import output
from runyard.cli.alerts import Environment, OfJob
from runyard.cli.connect import connect
from runyard.cli.parameters import AsJson
from runyard.cli.tables import table
from runyard.cli.times import span

Document = dict[str, Any]


def summary(
    *,
    month: Annotated[
        str | None, Parameter(help="Such as 2026-11, in UTC; else the one that it is now.")
    ] = None,
    job: OfJob = None,
    environment: Environment = None,
    json_: AsJson = False,
) -> None:
    """Sum up the incidents that opened in a month."""
    query = {"month": month, "environment": environment, "job": job}
    found = connect().get("/incidents:summary", query)
    if json_:
        output.document(found)
        return
    _show(found)


def _show(found: Document) -> None:
    resolved = found["to_resolve"]["count"]
    output.pairs(
        (
            ("month", found["month"]),
            ("environment", found["environment"]),
            ("job", found["job"]),
            ("incidents", str(found["incidents"])),
            ("severity", _counts(found["by_severity"])),
            ("open", str(found["open"]) if found["open"] else ""),
            ("acknowledged", _times(found["to_acknowledge"])),
            ("resolved", _times(found["to_resolve"])),
            ("by itself", f"{found['by_itself']} of {resolved}" if resolved else ""),
            ("nobody had", f"{found['unseen']} of {resolved}" if resolved else ""),
            ("escalated", str(found["escalated"]) if found["escalated"] else ""),
            ("done", _counts(found["actions"])),
        )
    )
    if found["by_job"]:
        output.line("")
        table(
            ("job", "project", "incidents"),
            ((one["job"] or "-", one["project"], one["incidents"]) for one in found["by_job"]),
        )
    if found["rules"]:
        output.line("")
        table(
            ("noisiest rule", "job", "alerts", "incidents", "nobody had"),
            (
                (one["rule"], one["job"] or "-", one["alerts"], one["incidents"], one["unseen"])
                for one in found["rules"]
            ),
        )


def _counts(found: dict[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in found.items() if count)


def _times(found: Document) -> str:
    if not found["count"]:
        return ""
    mean, usual, rare = (span(found[f"{name}_seconds"]) for name in ("mean", "p50", "p90"))
    return f"{found['count']}, after {usual} (p50), {rare} (p90), {mean} (mean)"
