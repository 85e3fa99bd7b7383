"""`runyard backup` and `runyard restore`: the state folder in one file, and back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from runyard.cli import output
from runyard.cli.parameters import AsJson
from runyard.cli.surroundings import now, settings
from runyard.upkeep import backups, rows


def backup(
    file: Annotated[Path, Parameter(help="The file to write; it must not be there yet.")],
    *,
    json_: AsJson = False,
) -> None:
    """Write all that is kept into one file.

    It can be done while servers and engines work. With RUNYARD_DATABASE_URL, runs are in it as
    they were in PostgreSQL at one moment. Sealed secrets are in it; the key that opens them
    (`cloud/secrets.key`) is not, and neither are the token and the logs: keep a copy of the key
    somewhere else.
    """
    config = settings()
    folder = config.state_folder
    if config.database_url:
        made = asyncio.run(rows.back_up_rows(config.database_url, folder, file, now(), _say(json_)))
    else:
        made = backups.back_up(folder, file, now())
    size_bytes = file.stat().st_size
    if json_:
        output.document({"file": str(file), "size_bytes": size_bytes} | asdict(made))
    else:
        output.line(f"{file}: {size_bytes:,} bytes, whole")
        output.note(f"keep {folder / 'cloud' / 'secrets.key'} too, elsewhere: it opens the secrets")


def restore(
    file: Annotated[Path, Parameter(help="A file that `runyard backup` made.")],
    *,
    json_: AsJson = False,
) -> None:
    """Put a backup back, while no server works.

    What was there is moved aside, not removed; a PostgreSQL database must be empty. What was
    running when the backup was taken goes on by its job's retry policy at the next `runyard up`.
    """
    config = settings()
    folder = config.state_folder
    if config.database_url:
        found, before = asyncio.run(
            rows.restore_rows(file, config.database_url, folder, now(), _say(json_))
        )
    else:
        found, before = backups.restore(file, folder, now())
    if json_:
        document = {"file": str(file), "state_folder": str(folder)} | asdict(found)
        output.document(document | {"moved_to": str(before) if before else None})
        return
    output.line(f"{folder} is as it was on {found.created_at[:19].replace('T', ' ')} UTC")
    if before is not None:
        output.note(f"what was there is in {before}")
    output.note("`runyard up` starts it")


def _say(as_json: bool) -> Callable[[str], None]:
    """Who hears how far it is: nobody who wants a document."""
    return (lambda _: None) if as_json else output.note
