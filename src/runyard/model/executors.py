"""What of a template an executor does not keep, and what happens instead. Never silent.

The `process` executor runs the first container's command as a process of this machine: no image,
no network of its own, no Google identity. What depends on the machine (memory limits, number of
CPUs) is said by the cloud on this machine when it looks at the machine.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from runyard.model.errors import Fault
from runyard.model.job import JobSpec
from runyard.model.validation import Path, dotted, shown

PROCESS = "process"  #: the default: nothing to install

_EXECUTION = {
    "delayExecution": "the execution starts at once",
}
_TASK = {
    "vpcAccess": "traffic leaves by this machine's own network",
    "encryptionKey": "nothing is encrypted with this key",
    "serviceAccount": "the task runs as a user of this machine, without an identity at Google",
    "executionEnvironment": "the task runs on this machine's own kernel",
    "nodeSelector": "no GPU is attached",
    "gpuZonalRedundancyDisabled": "there is one zone, this machine",
    "sandboxes": "no sandbox can be launched",
    "workloadIdentityConfig": "the task gets no workload identity",
}
_CONTAINER = {
    "image": "it is not pulled; command and args are run on this machine as it is",
    "ports": "nothing is opened or forwarded; a program may listen where it likes",
    "livenessProbe": "nobody asks; the container is never restarted for it",
    "readinessProbe": "nobody asks",
    "startupProbe": "nobody asks; the task counts as started at once",
    "dependsOn": "no other container is started, so nothing is waited for",
    "sourceCode": "nothing is built",
    "buildConfig": "nothing is built",
    "baseImageUri": "nothing is built",
    "sandboxLauncher": "no sandbox can be launched",
}
_LIMITS = {"nvidia.com/gpu": "no GPU is attached"}
_RESOURCES = {
    "cpuIdle": "the CPU is never taken away between requests; a job has none",
    "startupCpuBoost": "there is no boost",
}
_VOLUME = {
    "cloudSqlInstance": "no socket is made; connect to the database by its address",
    "nfs": "it is not mounted",
    "gcs": "it is not mounted; use a client library of Cloud Storage",
    "filestore": "it is not mounted",
}
_UNDER_ROOT = "it stands under the folder that RUNYARD_MOUNT_ROOT names, followed by this path"
_SIDECAR = "it is not started; only the first container is"
_UNKEPT = "nothing that the"
_NO_COMMAND = "name the program: no image is run, so the image's entrypoint is not known"


class Difference(NamedTuple):
    """Something not kept. `path` begins at the template; `instead` is what happens."""

    path: Path
    instead: str
    value: Any


def unenforced(spec: JobSpec | Mapping[str, Any], executor: str = PROCESS) -> tuple[Fault, ...]:
    """Warnings about every part of `spec` (a job, or a template as JSON) that `executor` ignores.

    Executors other than `process` keep the whole contract. A first container without a command
    is among the warnings; the launch of it is refused.
    """
    prefix: Path = ("jobs", spec.name, "template") if isinstance(spec, JobSpec) else ("template",)
    return tuple(
        Fault(
            dotted((*prefix, *one.path)), shown(one.value) if one.value else "",
            expected(one, executor), one.instead,
        )
        for one in differences(spec, executor)
    )  # fmt: skip


def sentences(spec: JobSpec | Mapping[str, Any], executor: str = PROCESS) -> tuple[str, ...]:
    """The same as sentences, for the history of a run."""
    return tuple(
        f"{dotted(one.path)} is not kept by the {executor} executor: {one.instead}"
        for one in differences(spec, executor)
    )


def expected(one: Difference, executor: str) -> str:
    """The words for what would raise no warning."""
    if one.instead == _NO_COMMAND:
        return f"a command, which the {executor} executor needs"
    return f"{_UNKEPT} {executor} executor does not keep"


def is_unkept(warning: Fault) -> bool:
    """True for a warning about what an executor ignores, which no change of the job mends."""
    return warning.expected.startswith(_UNKEPT)


def differences(spec: JobSpec | Mapping[str, Any], executor: str) -> list[Difference]:
    """Every part of `spec` that `executor` does not keep, in the order of the template."""
    if executor != PROCESS:
        return []
    execution = spec.template_document() if isinstance(spec, JobSpec) else spec
    task = _mapping(execution.get("template"))
    found = [*_present(execution, (), _EXECUTION), *_present(task, ("template",), _TASK)]
    volumes = dict(_volumes(task))
    for number, container in enumerate(_mappings(task, "containers")):
        path: Path = ("template", "containers", number)
        if number:
            found.append(Difference(path, _SIDECAR, container))
        else:
            found += _main(container, path, volumes)
    return found


def _main(
    container: Mapping[str, Any], path: Path, kinds: Mapping[str, str]
) -> Iterator[Difference]:
    if not container.get("command"):
        yield Difference((*path, "command"), _NO_COMMAND, None)
    yield from _present(container, path, _CONTAINER)
    resources = _mapping(container.get("resources"))
    yield from _present(resources, (*path, "resources"), _RESOURCES)
    limits = _mapping(resources.get("limits"))
    yield from _present(limits, (*path, "resources", "limits"), _LIMITS)
    for number, mount in enumerate(_mappings(container, "volumeMounts")):
        kind = kinds.get(str(mount.get("name")), "")
        instead = _VOLUME.get(kind, _UNDER_ROOT)
        where = mount.get("mountPath")
        yield Difference((*path, "volumeMounts", number), instead, where)


def _volumes(task: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for volume in _mappings(task, "volumes"):
        for kind in _VOLUME.keys() & volume.keys():
            yield str(volume.get("name")), kind


def _present(data: Mapping[str, Any], path: Path, table: Mapping[str, str]) -> Iterator[Difference]:
    for key, instead in table.items():
        if data.get(key):
            yield Difference((*path, key), instead, data[key])


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _mappings(data: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    value = data.get(key)
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []
