"""What would miss a job: triggers, chains, alerts. An open list of finders."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass

from runyard.model.errors import Fault, Refused

Key = tuple[str, str]  #: project and name


@dataclass(frozen=True, slots=True)
class Dependant:
    """Something that names a job. `cascades`: it can be deleted with it."""

    kind: str
    name: str
    cascades: bool = True


#: Finds what depends on a job (project, name) of an environment.
Finder = Callable[[str, Key], Awaitable[Sequence[Dependant]]]


def followers_of(job: Key, triggers: Iterable[str]) -> list[Dependant]:
    """The triggers (their paths) that follow runs of a job, but for its own."""
    found = (path.split("/") for path in triggers)
    return [
        Dependant("trigger", f"{name}/{trigger}", cascades=False)
        for project, _, name, trigger in found
        if (project, name) != job
    ]


def check_dependants(job: str, found: Sequence[Dependant], *, cascade: bool) -> None:
    """Raises Refused when something depends on a job that is to be deleted, and stays."""
    staying = [one for one in found if not (cascade and one.cascades)]
    if not staying:
        return
    faults = tuple(
        Fault(f"jobs.{job}", "", f"nothing that depends on it, and {one.kind} {one.name} does")
        for one in staying
    )
    listed = ", ".join(f"{one.kind} {one.name}" for one in staying)
    hint = "delete them first"
    if not cascade and all(one.cascades for one in staying):
        hint += ", or use --cascade"
    raise Refused(f"job {job} cannot be deleted: {listed} depend on it", hint=hint, faults=faults)
