"""`runyard environments`: where jobs are, on which provider, behind which guards."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter

from runyard.cli import manifest_files, output
from runyard.cli.client import segment
from runyard.cli.connect import connect
from runyard.cli.parameters import AsJson, EnvironmentName, Project
from runyard.cli.surroundings import now
from runyard.cli.tables import table
from runyard.cli.times import local

environments = App(
    name="environments",
    help="List environments, show one, or bring them into force.",
    group_commands="Commands",
)


@environments.default
def list_environments(*, project: Project = None, json_: AsJson = False) -> None:
    """List environments: those that were applied, and those that have jobs."""
    found = connect().get("/environments", {"project": project})
    if json_:
        output.document(found)
        return
    table(
        ("environment", "project", "provider", "regions", "guards", "jobs", "revision"),
        (
            (
                one["name"],
                one["project"],
                one["provider"],
                ", ".join(one["regions"]),
                ", ".join(_guards(one)),
                one["jobs"],
                one["revision"] or "",
            )
            for one in found["environments"]
        ),
        empty="no environments; `runyard apply` makes one, `runyard environments apply` binds it",
    )


@environments.command
def get(name: EnvironmentName, /, *, project: Project = None, json_: AsJson = False) -> None:
    """Show one environment with its guards."""
    one = connect().get(f"/environments/{segment(name)}", {"project": project})
    if json_:
        output.document(one)
        return
    at, allow = now(), one["allow"]
    applied = f"{local(one['applied_at'], at)} by {one['applied_by']}" if one["revision"] else ""
    output.pairs(
        (
            ("environment", one["name"]),
            ("project", one["project"]),
            ("provider", f"{one['provider']} {one['google_project'] or ''}".strip()),
            ("regions", ", ".join(one["regions"])),
            ("jobs", one["jobs"]),
            ("approvals", f"{one['approvals']} other people" if one["approvals"] else "none"),
            *(("freeze", _freeze(freeze)) for freeze in one["freeze"]),
            ("frozen", f"now: {one['frozen']}" if one["frozen"] else ""),
            *((f"who may {what}", ", ".join(allow[what])) for what in sorted(allow) if allow[what]),
            *(("channel", f"{name}: {kind}") for name, kind in one["channels"].items()),
            ("revision", one["revision"] or "none: it was never applied"),
            ("applied", applied),
        )
    )


@environments.command
def apply(
    *paths: Annotated[
        Path, Parameter(help="Manifests or folders of them; else ./runyard.yaml or ./runyard/.")
    ],
    json_: AsJson = False,
) -> None:
    """Bring the environments of manifests into force.

    Their jobs are left alone: `runyard apply --environment NAME` is for them. An environment that
    is not named stays as it is.
    """
    sources = manifest_files.read(paths)
    files = [{"name": source.name, "text": source.text} for source in sources]
    done = connect().post("/environments:apply", {"files": files}, again=True)
    if json_:
        output.document(done)
        return
    table(
        ("environment", "project", "change", "revision"),
        (
            (one["name"], one["project"], one["change"], one["revision"])
            for one in done["environments"]
        ),
    )


def _guards(one: dict[str, Any]) -> list[str]:
    found = []
    if one["approvals"]:
        found.append(f"{one['approvals']} to approve")
    if one["freeze"]:
        found.append("frozen now" if one["frozen"] else "freezes")
    if any(one["allow"].values()):
        found.append("by name")
    return found


def _freeze(freeze: dict[str, Any]) -> str:
    zone = "" if "T" in freeze["from"] else f" {freeze['timeZone']}"
    return f"{freeze['from']} until {freeze['until']}{zone}: {freeze['reason']}"
