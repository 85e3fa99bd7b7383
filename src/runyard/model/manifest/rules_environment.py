"""Environment variables of a container.

Reserved names: the container contract; 1,000 variables: configuring/jobs/environment-variables;
32,768 bytes: the API's description of EnvVar.
"""

from __future__ import annotations

from runyard.model.asking import RESERVED, RESERVED_PREFIX, VALUE_BYTES_MAX, VARIABLES_MAX
from runyard.model.manifest.view import Data, JobView, items, text
from runyard.model.validation import Path


def check(job: JobView) -> None:
    """See the module."""
    for path, container in job.containers():
        variables = list(items(container, "env", path))
        if len(variables) > VARIABLES_MAX:
            job.fault((*path, "env"), f"at most {VARIABLES_MAX} variables")
        seen: dict[str, Path] = {}
        for where, variable in variables:
            _name(job, where, text(variable, "name"), seen)
            _value(job, where, variable)


def _name(job: JobView, where: Path, name: str, seen: dict[str, Path]) -> None:
    path = (*where, "name")
    if name in RESERVED or name.startswith(RESERVED_PREFIX):
        job.fault(path, "a name that Cloud Run does not set itself", "choose another name")
    if name and name in seen:
        line = job.line_of((*seen[name], "name"))
        job.fault(path, f"each variable once in a container; it is at line {line} too")
    seen.setdefault(name, where)


def _value(job: JobView, where: Path, variable: Data) -> None:
    if "value" in variable and "valueSource" in variable:
        job.fault((*where, "valueSource"), "value or valueSource, not both", "remove one")
    if variable.get("valueSource") == {}:
        job.fault((*where, "valueSource"), "secretKeyRef with a secret and a version")
    size = len(text(variable, "value").encode())
    if size > VALUE_BYTES_MAX:
        expected = f"a value of at most {VALUE_BYTES_MAX} bytes, not {size}"
        job.fault((*where, "value"), expected, "put it into a file or a secret")
