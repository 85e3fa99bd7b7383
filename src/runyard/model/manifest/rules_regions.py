"""Regions: each once. One that Cloud Run is not known to have is a warning: Google adds some."""

from __future__ import annotations

from runyard.model.manifest.view import JobView, texts
from runyard.model.regions import REGIONS


def check(job: JobView) -> None:
    """See the module."""
    seen: set[str] = set()
    for number, region in texts(job.data, "regions"):
        path = ("regions", number)
        if region in seen:
            job.fault(path, "each region once", "remove one")
        elif region not in REGIONS:
            job.warn(path, "a region that Cloud Run is known to have", job.near(region, REGIONS))
        seen.add(region)
