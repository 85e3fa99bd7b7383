"""`runyard migrate`: what is kept, brought to this version's schema."""

from __future__ import annotations

import asyncio
from typing import Annotated

from cyclopts import Parameter

from runyard.cli import output
from runyard.cli.parameters import AsJson
from runyard.cli.surroundings import now, settings
from runyard.cli.tables import table
from runyard.upkeep import schema


def migrate(
    *,
    dry_run: Annotated[
        bool, Parameter(name="--dry-run", help="Only say what would be done; nothing is written.")
    ] = False,
    json_: AsJson = False,
) -> None:
    """Bring what is kept to this version's schema.

    A server does it by itself when it starts. Steps only add, so that servers and engines of the
    version before go on beside it: with several of them, do this once before the first of the new
    version starts. A database that a newer version wrote is refused, and nothing is changed.
    """
    config = settings()
    if dry_run:
        found = asyncio.run(schema.look(config.state_folder, config.database_url))
    else:
        found = asyncio.run(schema.bring_up(config.state_folder, config.database_url, now()))
    if json_:
        output.document(
            {
                "dry_run": dry_run,
                "databases": [
                    {
                        "database": one.database,
                        "applied": one.state.applied,
                        "known": one.state.known,
                        "missing": [f"{step.version:04}_{step.name}" for step in one.state.missing],
                    }
                    for one in found
                ],
            }
        )
        return
    table(
        ("database", "version", "known", "to apply" if dry_run else "applied"),
        (
            (
                one.database,
                one.state.applied,
                one.state.known,
                ", ".join(step.name for step in one.state.missing) or "nothing",
            )
            for one in found
        ),
    )
