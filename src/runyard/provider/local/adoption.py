"""Gives the jobs that were there before IAM was what they need: once, when a cloud comes up."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from runyard.database.port import Database
from runyard.localcloud.facts import fact, settled
from runyard.localcloud.neighbours import Neighbours
from runyard.model.errors import PlatformError
from runyard.provider.local.access import LocalAccess
from runyard.provider.port_access import Identity

_log = logging.getLogger(__name__)
FACT = "jobs-have-identities"  #: of the cloud, once this is done


async def adopt(database: Database, cloud: Neighbours, jobs: Iterable[Identity]) -> None:
    """Let each of `jobs` be and read what applying it would have let it, also secrets that there
    are not yet. What cannot be given is logged, and given when the job is applied. Done once in the
    life of the cloud that `database` is of."""
    if await fact(database, FACT) is not None:
        return
    access = LocalAccess(cloud)
    for job in jobs:
        try:
            await access.grant(job)
        except PlatformError as error:
            _log.warning("job %s of project %s has no rights yet: %s", job.job, job.project, error)
    await settled(database, FACT, "done")
