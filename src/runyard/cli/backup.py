"""`runyard backup` and `runyard restore`: the state folder in one file, and back."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from runyard.cli import output
from runyard.cli.parameters import AsJson
from runyard.cli.surroundings import now, settings
from runyard.model.errors import Refused
from runyard.upkeep import backups as upkeep


def backup(
    file: Annotated[Path, Parameter(help="The file to write; it must not be there yet.")],
    *,
    json_: AsJson = False,
) -> None:
    """Write all that is kept into one file.

    It can be done while a server works. Sealed secrets are in it; the key that opens them
    (`cloud/secrets.key`) is not, and neither are the token and the logs: keep a copy of the key
    somewhere else.
    """
    folder = _folder()
    made = upkeep.back_up(folder, file, now())
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

    What was there is moved aside, not removed. What was running when the backup was taken goes on
    by its job's retry policy at the next `runyard up`.
    """
    folder = _folder()
    found, before = upkeep.restore(file, folder, now())
    if json_:
        document = {"file": str(file), "state_folder": str(folder)} | asdict(found)
        output.document(document | {"moved_to": str(before) if before else None})
        return
    output.line(f"{folder} is as it was on {found.created_at[:19].replace('T', ' ')} UTC")
    if before is not None:
        output.note(f"what was there is in {before}")
    output.note("`runyard up` starts it")


def _folder() -> Path:
    """The state folder, which must hold all that is kept."""
    config = settings()
    if config.database_url:
        raise Refused(
            "runs are kept in PostgreSQL, which this does not back up",
            hint="use PostgreSQL's own tools for it (pg_dump, pg_restore)",
        )
    return config.state_folder
