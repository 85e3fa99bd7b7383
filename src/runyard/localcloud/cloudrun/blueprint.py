"""What one task attempt is made of: an ExecutionTemplate read into plain values. Pure.

The template is Cloud Run v2's JSON (camelCase). Its first container is run; `fidelity` says what
of the rest is not kept on this machine.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from runyard.model.durations import seconds_of
from runyard.model.errors import Fault, InvalidSpec
from runyard.model.quantities import MIB, memory_bytes_of, vcpu_milli_of

# Defaults of Cloud Run v2 (TaskTemplate, ResourceRequirements, SecretVolumeSource).
MAX_RETRIES = 3
TIMEOUT_SECONDS = 600.0
VCPU_MILLI = 1000
MEMORY_BYTES = 512 * MIB
SECRET_MODE = 0o444
SECRET_UMASK = 0o222  #: "a default mode of 0444 ... umask 0222 is applied" (SecretVolumeSource)
TASKS_MAX = 10_000  #: tasks per execution (run/quotas)
RETRIES_MAX = 10  #: configuring/max-retries
TIMEOUT_MAX_SECONDS = 168 * 3600.0  #: configuring/task-timeout

#: Names that only Cloud Run itself sets (container contract, and "reserved names" of the API).
RESERVED_ENV = frozenset({
    "CLOUD_RUN_JOB", "CLOUD_RUN_EXECUTION", "CLOUD_RUN_TASK_INDEX", "CLOUD_RUN_TASK_ATTEMPT",
    "CLOUD_RUN_TASK_COUNT", "K_SERVICE", "K_REVISION", "K_CONFIGURATION", "PORT",
    "RUNYARD_MOUNT_ROOT", "RUNYARD_OUTPUT", "RUNYARD_INPUT",
})  # fmt: skip
INPUT = "RUNYARD_INPUT"  #: what a task finds the path of the file in that its run brings
#: Annotations of an execution's template that are a file for its tasks; ours alone.
INPUT_PATH, INPUT_CONTENT = "runyard.dev/input-path", "runyard.dev/input"
RESERVED_ENV_PREFIX = "X_GOOGLE_"


@dataclass(frozen=True, slots=True)
class SecretRef:
    """A version of a secret: a number or `latest`."""

    secret: str
    version: str

    def __str__(self) -> str:
        return f"{self.secret}:{self.version}"


@dataclass(frozen=True, slots=True)
class SecretMount:
    """A file that holds a secret, at an absolute path in the container."""

    path: str
    ref: SecretRef
    mode: int = SECRET_MODE


@dataclass(frozen=True, slots=True)
class Blueprint:
    """Everything a task attempt needs, the same for every index and attempt."""

    argv: tuple[str, ...]
    env: tuple[tuple[str, str], ...] = ()
    secret_env: tuple[tuple[str, SecretRef], ...] = ()
    secret_files: tuple[SecretMount, ...] = ()
    input_file: tuple[str, str] | None = None  # its path, and what is in it
    empty_folders: tuple[str, ...] = ()
    working_folder: str = ""
    vcpu_milli: int = VCPU_MILLI
    memory_bytes: int = MEMORY_BYTES
    task_count: int = 1
    parallelism: int = 0
    max_retries: int = MAX_RETRIES
    timeout_seconds: float = TIMEOUT_SECONDS
    service_account: str = ""

    @property
    def secret_refs(self) -> tuple[SecretRef, ...]:
        """Every secret version it needs, each once."""
        refs = [ref for _, ref in self.secret_env] + [mount.ref for mount in self.secret_files]
        return tuple(dict.fromkeys(refs))


def blueprint(template: Mapping[str, Any], *, image_runs: bool = False) -> Blueprint:
    """Read `template`. `image_runs`: it may leave the command to an image.

    Raises InvalidSpec with every fault found: no container, no command, a reserved environment
    variable, a number out of Cloud Run's range, a quantity or duration that is none.
    """
    reading = _Reading()
    task = _mapping(template.get("template"))
    containers = _mappings(task.get("containers"))
    if not containers:
        raise _invalid([Fault("template.containers", "empty", "at least one container")])
    first = containers[0]
    where = "template.containers[0]"
    argv = (*_strings(first.get("command")), *_strings(first.get("args")))
    if not image_runs and not _strings(first.get("command")):
        reading.faults.append(
            Fault(
                f"{where}.command", "", "a command, as no image is run on this machine",
                "write what the image's entrypoint would run: command: [python, main.py]",
            )
        )  # fmt: skip
    env, secret_env = reading.environment(first, where)
    limits = _mapping(_mapping(first.get("resources")).get("limits"))
    files, folders = _mounts(first, _mappings(task.get("volumes")))
    made = Blueprint(
        argv=argv,
        env=env,
        secret_env=secret_env,
        secret_files=files,
        input_file=_input(_mapping(template.get("annotations"))),
        empty_folders=folders,
        working_folder=str(first.get("workingDir") or ""),
        vcpu_milli=reading.amount(vcpu_milli_of, limits.get("cpu"), VCPU_MILLI, "cpu"),
        memory_bytes=reading.amount(memory_bytes_of, limits.get("memory"), MEMORY_BYTES, "memory"),
        task_count=reading.number(template, "taskCount", 1, 1, TASKS_MAX),
        parallelism=reading.number(template, "parallelism", 0, 0, TASKS_MAX),
        max_retries=reading.number(task, "maxRetries", MAX_RETRIES, 0, RETRIES_MAX),
        timeout_seconds=reading.timeout(task.get("timeout")),
        service_account=str(task.get("serviceAccount") or ""),
    )
    if reading.faults:
        raise _invalid(reading.faults)
    return made


def _input(annotations: Mapping[str, Any]) -> tuple[str, str] | None:
    path = annotations.get(INPUT_PATH)
    return None if not path else (str(path), str(annotations.get(INPUT_CONTENT, "")))


def _invalid(faults: Sequence[Fault]) -> InvalidSpec:
    return InvalidSpec("; ".join(str(fault) for fault in faults), faults=tuple(faults))


class _Reading:
    """Gathers every fault, so that all are told at once."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []

    def number(self, of: Mapping[str, Any], name: str, unset: int, least: int, most: int) -> int:
        """A whole number; 0 means unset where 0 is not allowed, as in Google's proto3 JSON."""
        value = of.get(name)
        if value is None or (value == 0 and least > 0):
            return unset
        if not isinstance(value, int) or not least <= value <= most:
            self.faults.append(
                Fault(name, repr(value)[:40], f"a whole number from {least} to {most}")
            )
            return unset
        return value

    def amount(self, read: Any, value: Any, unset: int, name: str) -> int:
        """A quantity of Kubernetes."""
        if value in (None, ""):
            return unset
        try:
            return int(read(str(value)))
        except ValueError as fault:
            self.faults.append(Fault(f"resources.limits.{name}", repr(value)[:40], str(fault)))
            return unset

    def timeout(self, value: Any) -> float:
        """A timeout per task attempt, in seconds."""
        if value in (None, ""):
            return TIMEOUT_SECONDS
        try:
            seconds = seconds_of(str(value))
        except ValueError as fault:
            self.faults.append(Fault("template.timeout", repr(value)[:40], str(fault)))
            return TIMEOUT_SECONDS
        if not 0 < seconds <= TIMEOUT_MAX_SECONDS:
            self.faults.append(Fault("template.timeout", str(value), "more than 0s, at most 168h"))
        return seconds

    def environment(
        self, container: Mapping[str, Any], where: str
    ) -> tuple[tuple[tuple[str, str], ...], tuple[tuple[str, SecretRef], ...]]:
        """Literal variables, and variables that are secrets. The last of a name wins."""
        plain: dict[str, str] = {}
        secret: dict[str, SecretRef] = {}
        for number, variable in enumerate(_mappings(container.get("env"))):
            name = str(variable.get("name") or "")
            if name in RESERVED_ENV or name.startswith(RESERVED_ENV_PREFIX):
                expected = "a name that Cloud Run does not set itself"
                self.faults.append(Fault(f"{where}.env[{number}].name", name, expected))
            elif not name or "=" in name or "\0" in name:
                expected = "the name of an environment variable"
                self.faults.append(Fault(f"{where}.env[{number}].name", repr(name)[:40], expected))
            plain.pop(name, None)
            secret.pop(name, None)
            key = _mapping(_mapping(variable.get("valueSource")).get("secretKeyRef"))
            if key:
                secret[name] = _ref(key.get("secret"), key.get("version"))
            else:
                plain[name] = str(variable.get("value") or "")
        return tuple(plain.items()), tuple(secret.items())


def _mounts(
    container: Mapping[str, Any], volumes: Sequence[Mapping[str, Any]]
) -> tuple[tuple[SecretMount, ...], tuple[str, ...]]:
    by_name = {str(volume.get("name")): volume for volume in volumes}
    files: list[SecretMount] = []
    folders: list[str] = []
    for mount in _mappings(container.get("volumeMounts")):
        volume = by_name.get(str(mount.get("name")), {})
        path = str(mount.get("mountPath") or "")
        if "secret" in volume:
            files.extend(_secret_files(path, _mapping(volume["secret"])))
        elif "emptyDir" in volume:
            folders.append(path)
    return tuple(files), tuple(folders)


def _secret_files(path: str, source: Mapping[str, Any]) -> Iterator[SecretMount]:
    """Without items: one file named as the secret, its latest version (SecretVolumeSource)."""
    secret = str(source.get("secret") or "")
    default = source.get("defaultMode") or SECRET_MODE
    items = _mappings(source.get("items"))
    if not items:
        name = secret.rsplit("/", 1)[-1]
        yield SecretMount(posixpath.join(path, name), _ref(secret, None), _mode(default))
    for item in items:
        file = posixpath.join(path, str(item.get("path") or "").lstrip("/"))
        yield SecretMount(
            file, _ref(secret, item.get("version")), _mode(item.get("mode") or default)
        )


def _ref(secret: Any, version: Any) -> SecretRef:
    return SecretRef(str(secret or ""), str(version or "latest"))


def _mode(value: Any) -> int:
    return int(value) & 0o777 & ~SECRET_UMASK


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _mappings(value: Any) -> list[Mapping[str, Any]]:
    return (
        [each for each in value if isinstance(each, Mapping)]
        if isinstance(value, list | tuple)
        else []
    )


def _strings(value: Any) -> tuple[str, ...]:
    return tuple(str(each) for each in value) if isinstance(value, list | tuple) else ()
