"""What jobs that are to come into force may follow, with the jobs in force around them. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from runyard.model.errors import Fault
from runyard.model.trigger.cycles import cycle_words, way
from runyard.model.trigger.row import Trigger
from runyard.model.validation import did_you_mean

Key = tuple[str, str]  #: project and name
Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Wrong:
    """A trigger of a job that cannot be. `fault` has its place in the job."""

    key: Key
    words: str
    fault: Fault


def wrong_chains(
    wanted: Mapping[Key, Document], rows: Sequence[Trigger], jobs: Collection[Key]
) -> list[Wrong]:
    """The triggers of `wanted` jobs that would follow a job that is not there, or their own.

    `rows` are the chains in force, `jobs` the jobs; those that are wanted take their place.
    """
    follows: dict[Key, set[str]] = {}
    for row in rows:
        if (row.project, row.job) not in wanted:
            named = {source for _, source in _after(row.document)}
            follows.setdefault((row.project, row.job), set()).update(named)
    known = {*jobs, *wanted}
    return [wrong for key, one in wanted.items() for wrong in _wrong(key, one, follows, known)]


def _wrong(
    key: Key, document: Document, follows: dict[Key, set[str]], known: set[Key]
) -> Iterator[Wrong]:
    project, name = key
    for number, trigger in enumerate(document.get("triggers", ())):
        for place, source in (*_after(trigger), *_absent(trigger)):
            path = f"triggers[{number}].{place}"
            if (project, source) not in known:
                near = did_you_mean(source, [job for of, job in known if of == project])
                hint = near or "apply it first, or in the same manifest"
                fault = Fault(path, source, f"a job of project {project}", hint)
                yield Wrong(key, f"follows {source}, which is no job", fault)
        for place, source in _after(trigger):
            of_project = {job: jobs for (of, job), jobs in follows.items() if of == project}
            if found := way(of_project, source, name):
                words = cycle_words(name, found)
                fault = Fault(f"triggers[{number}].{place}", source, words)
                yield Wrong(
                    key, f"would come after itself: {' after '.join((name, *found))}", fault
                )
            else:
                follows.setdefault(key, set()).add(source)


def _after(trigger: Document) -> Iterator[tuple[str, str]]:
    """Each job that a chain follows, with its place."""
    after = trigger.get("after", {})
    if "job" in after:
        yield "after.job", after["job"]
    for which in ("all", "any"):
        for number, job in enumerate(after.get(which, ())):
            yield f"after.{which}[{number}]", job


def _absent(trigger: Document) -> Iterator[tuple[str, str]]:
    job = trigger.get("absence", {}).get("of", {}).get("job")
    if job is not None:
        yield "absence.of.job", job
