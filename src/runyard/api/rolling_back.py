"""Another document for a job in force: an older revision, or one that was made of today's; and what
would be unsafe about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from runyard.api.changes import aim, look
from runyard.api.services import Services
from runyard.database.port import Tx
from runyard.flow.planning import Declared, InForce, Known, plan
from runyard.gate.reserving import Aim
from runyard.model.errors import NotFound
from runyard.store.jobs import JobRow


async def toward(services: Services, row: JobRow, document: Mapping[str, Any]) -> Aim:
    """The aim that `document` takes the place of what is in force, as the job is now."""
    key = (row.project, row.name)
    looked = await look(services, row.environment, {key: document["regions"]})
    return replace(aim(key, looked[key]), document=document, unsafe=_risks(row, document))


def _risks(row: JobRow, document: Mapping[str, Any]) -> tuple[str, ...]:
    """What somebody has to confirm before `document` takes the place of what is in force."""
    known = Known(row.environment, [InForce(row.project, row.name, row.revision, row.document)])
    change = plan([Declared(row.project, row.name, document)], known).jobs[0]
    return tuple(f"{row.name}: {words}" for words in change.risks)


async def older(services: Services, row: JobRow, to: int | None) -> Mapping[str, Any]:
    """The document of a revision, or of the last one that was another than that in force.

    Raises NotFound.
    """

    async def work(tx: Tx) -> Mapping[str, Any] | None:
        jobs, number = services.store.jobs, to or row.revision - 1
        while number > 0:
            found = await jobs.document(tx, *row.key, number)
            if to is not None or (found is not None and found != row.document):
                return found
            number -= 1
        return None

    found = await services.database.read(work)
    if found is None:
        which = f"revision {to}" if to is not None else "revision before the one in force"
        raise NotFound(
            f"job {row.name} has no {which}", hint=f"`runyard jobs history {row.name}` lists them"
        )
    return found
