"""Containers of a task: names, order of starting, ports, and what only services have."""

from __future__ import annotations

import re
from graphlib import CycleError, TopologicalSorter
from posixpath import basename

from runyard.model.manifest.view import Data, JobView, items, text, texts
from runyard.model.validation import Path, one_of

#: The API's descriptions: "only supported for services", "output only".
_FOR_SERVICES = ("baseImageUri", "sourceCode", "buildConfig")
_OUTPUT_ONLY = "buildInfo"
SHELLS = frozenset({"sh", "bash", "dash", "ash", "ksh", "zsh", "fish", "busybox"})
_REFERENCE = re.compile(r"\$(?:[A-Za-z_]\w*|\{[A-Za-z_]\w*\}|\([A-Za-z_]\w*\))")


def check(job: JobView) -> None:
    """See the module."""
    containers = list(job.containers())
    names = _names(job, containers)
    _depends_on(job, containers, names)
    for path, container in containers:
        _ports(job, path, len(list(items(container, "ports"))))
        _references(job, path, container)
        for key in _FOR_SERVICES:
            if key in container:
                job.warn((*path, key), "nothing: Cloud Run supports this for services only")
        if _OUTPUT_ONLY in container:
            job.warn((*path, _OUTPUT_ONLY), "nothing: only Cloud Run sets this")


def _names(job: JobView, containers: list[tuple[Path, Data]]) -> dict[str, Path]:
    names: dict[str, Path] = {}
    for path, container in containers:
        name = text(container, "name")
        if name in names:
            line = job.line_of((*names[name], "name"))
            job.fault((*path, "name"), f"each container's name once; it is at line {line} too")
        elif name:
            names[name] = path
    return names


def _depends_on(job: JobView, containers: list[tuple[Path, Data]], names: dict[str, Path]) -> None:
    order: TopologicalSorter[str] = TopologicalSorter()
    for path, container in containers:
        for number, other in texts(container, "dependsOn"):
            if other not in names:
                job.fault((*path, "dependsOn", number), _another(names), job.near(other, names))
            elif name := text(container, "name"):
                order.add(name, other)
    try:
        order.prepare()
    except CycleError as found:
        circle = found.args[1]
        chain = " after ".join(name[:63] for name in circle)
        expected = f"an order of starting without a circle ({chain})"
        job.fault((*names[circle[0]], "dependsOn"), expected)


def _another(names: dict[str, Path]) -> str:
    return f"the name of another container: {one_of(names)}" if names else "a container with a name"


def _ports(job: JobView, path: Path, count: int) -> None:
    if count > 1:
        job.fault((*path, "ports"), "at most one port")
    elif count:
        job.warn((*path, "ports"), "no port: a job serves no requests (container contract)")


def _references(job: JobView, path: Path, container: Data) -> None:
    """Arguments are not run in a shell, so `$NAME` reaches the program as it stands."""
    program = next((word for _, word in texts(container, "command")), "")
    if basename(program) in SHELLS:
        return
    for key in ("command", "args"):
        for number, word in texts(container, key):
            if _REFERENCE.fullmatch(word):
                expected = "a text that means itself: no shell puts in the variable's value"
                hint = "read the variable in the program, or run a shell: [sh, -c, '...']"
                job.warn((*path, key, number), expected, hint)
