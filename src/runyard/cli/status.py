"""`runyard status`: is there a server, and how is it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from runyard.cli import output
from runyard.cli.connect import connect
from runyard.cli.parameters import AsJson
from runyard.cli.surroundings import now
from runyard.cli.tables import table
from runyard.cli.times import age, local, parse, size

Document = dict[str, Any]


def status(*, json_: AsJson = False) -> None:
    """Show the server's runs, regions and loops.

    Exits with 69 when no server answers."""
    client = connect()
    told = client.get("/status")
    if json_:
        output.document(told | {"url": client.url})
        return
    at = now()
    output.pairs(_head(client.url, told, at))
    for one in told["exceptions"]:
        output.line(
            f"GLASS BROKEN: the guards of {one['environment']} do not hold {one['by']} up until "
            f"{local(one['closes_at'], at)}: {output.printable(one['reason'])}"
        )
    output.line()
    table(
        ("region", "vcpu", "memory", "running tasks"),
        (
            (
                region["name"],
                f"{region['vcpu']:g}",
                size(region["memory_bytes"]),
                region["running_tasks"],
            )
            for region in told["regions"]
        ),
    )
    if told["loops"]:
        output.line()
        _loops(told["loops"], at)
    if len(told["processes"]) > 1:
        output.line()
        _processes(told["processes"])


def _loops(loops: Document, at: datetime) -> None:
    """What this process does by itself."""
    table(
        ("loop", "last tick", "errors", "last error"),
        (
            (
                name,
                age(parse(loop["last_tick_at"]), at) if loop["last_tick_at"] else "",
                loop["errors"],
                loop["last_error"],
            )
            for name, loop in loops.items()
        ),
    )


def _processes(processes: list[Document]) -> None:
    """Who works on the same database."""
    table(
        ("process", "place", "state", "last sign"),
        (
            (one["name"], one["place"], _state(one), f"{one['silent_seconds']:.0f} s ago")
            for one in processes
        ),
    )


def _state(process: Document) -> str:
    if not process["alive"]:
        return "silent"
    return "working" if process["working"] else "standing by"


def _head(url: str, told: Document, at: datetime) -> list[tuple[str, Any]]:
    counts = ", ".join(f"{count} {state}" for state, count in told["runs"].items() if count)
    google = told["abilities"].get("google_api")
    return [
        ("server", url),
        *([("google api", google)] if google else []),
        ("version", told["version"]),
        ("started", age(parse(told["started_at"]), at)),
        ("state folder", told["state_folder"]),
        ("environment", told["environment"]),
        ("runs", counts or "none"),
    ]
