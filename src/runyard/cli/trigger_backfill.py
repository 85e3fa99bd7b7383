"""`runyard triggers backfill`: runs for a schedule's past instants."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from cyclopts import Parameter

from runyard.cli import output
from runyard.cli.connect import connect
from runyard.cli.parameters import AsJson
from runyard.cli.tables import table
from runyard.cli.times import parse
from runyard.cli.triggers import Environment, Job, Project, Trigger, place_of
from runyard.model.errors import Fault, InvalidSpec

_SHOWN = 10  #: instants that are listed before their number is told
Id = Annotated[str, Parameter(name="BACKFILL", help="A backfill's id, as it was told.")]


def backfill(
    job: Job,
    trigger: Trigger = None,
    /,
    *,
    from_: Annotated[str, Parameter(name="--from", help="The first instant, in RFC 3339.")],
    to: Annotated[str, Parameter(help="Up to this instant, which is outside.")],
    parallelism: Annotated[int, Parameter(help="So many runs at once; 1 if not said.")] = 1,
    again: Annotated[bool, Parameter(help="Also instants that have had a run.")] = False,
    dry_run: Annotated[bool, Parameter(help="Say what there would be, and do nothing.")] = False,
    environment: Environment = None,
    project: Project = None,
    json_: AsJson = False,
) -> None:
    """Ask for runs of a schedule's past instants, by its timetable as it is now.

    Instants that have had a run get none again, so asking twice does no harm.
    """
    client = connect()
    path, query = place_of(client, job, trigger, environment, project)
    asked = {
        "since": _instant("--from", from_),
        "until": _instant("--to", to),
        "parallelism": parallelism,
        "again": again,
        "preview": dry_run,
    }
    done = client.post(f"{path}:backfill", asked, query=query)
    if json_:
        output.document(done)
    else:
        _show(done, dry_run=dry_run)


def cancel_backfill(
    job: Job,
    trigger: Trigger,
    identity: Id,
    /,
    *,
    environment: Environment = None,
    project: Project = None,
    json_: AsJson = False,
) -> None:
    """End what is left of a backfill."""
    client = connect()
    path, query = place_of(client, job, trigger, environment, project)
    done = client.post(f"{path}:cancelBackfill", {"id": identity}, query=query)
    if json_:
        output.document(done)
    else:
        output.line(f"{done['runs']} runs of {done['id']} had not ended and are being ended")


def _show(done: dict[str, Any], *, dry_run: bool) -> None:
    instants, there = done["instants"], done["there"]
    runs = done["runs"] or [""] * len(instants)
    table(("instant", "run"), list(zip(instants, runs, strict=False))[:_SHOWN])
    if len(instants) > _SHOWN:
        output.line(f"and {len(instants) - _SHOWN} more")
    would = "would get a run" if dry_run else "got a run"
    had = f"; {len(there)} have had one" if there else ""
    output.line(f"{len(instants)} instants {would}{had}")
    if done["id"]:
        output.line(f"{done['id']}: `runyard runs --label backfill={done['id']}` lists its runs")


def _instant(option: str, text: str) -> str:
    try:
        at = datetime.fromisoformat(text)
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else parse(text)
        return at.astimezone(UTC).isoformat()
    except (ValueError, OverflowError):
        expected = "an instant in RFC 3339, such as 2026-03-28T00:00:00Z; UTC if it names no zone"
        fault = Fault(option, repr(text), expected)
        raise InvalidSpec(f"{option} is not understood", faults=(fault,)) from None
