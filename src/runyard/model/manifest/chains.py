"""Chains of a manifest: no job may come after itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from runyard.model.job import JobSpec
from runyard.model.manifest.report import Part
from runyard.model.trigger.chain import AfterJob, ChainSpec
from runyard.model.trigger.cycles import cycle_words, way
from runyard.model.validation import Path


def check_chains(jobs: Sequence[tuple[JobSpec, Part]]) -> None:
    """Tell of each cycle once, where it closes in the order of the file."""
    follows: dict[str, set[str]] = {}
    for job, part in jobs:
        for path, source in _sources(job):
            found = way(follows, source, job.name)
            if found:
                part.fault(path, cycle_words(job.name, found), "it would run for ever")
            else:
                follows.setdefault(job.name, set()).add(source)


def _sources(job: JobSpec) -> Iterator[tuple[Path, str]]:
    """The jobs that chains of `job` follow, each with its place."""
    for number, one in enumerate(job.triggers):
        if not isinstance(one, ChainSpec):
            continue
        path = ("triggers", number, "after")
        if isinstance(one.after, AfterJob):
            yield (*path, "job"), one.after.job
            continue
        key = next(iter(type(one.after).model_fields))
        for place, source in enumerate(one.after.jobs):
            yield (*path, key, place), source
