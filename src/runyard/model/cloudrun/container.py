"""A container: what is run, with which variables, resources, ports, mounts and probes."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from runyard.model.cloudrun.probe import Probe
from runyard.model.cloudrun.source import BuildConfiguration, BuildInfo, SourceCode
from runyard.model.cloudrun.volume import VolumeMount
from runyard.model.cloudrun.words import (
    ContainerName,
    EnvName,
    ImageReference,
    Port,
    SecretReference,
    SecretVersion,
)
from runyard.model.forms import Counted, CpuAmount, MemoryAmount
from runyard.model.strict import Message


class SecretKeySelector(Message):
    """One version of a secret. Said or not, the version is written out."""

    secret: SecretReference
    version: SecretVersion = "latest"
    written: ClassVar[frozenset[str]] = frozenset({"version"})


class EnvVarSource(Message):
    """Where a variable's value comes from."""

    secret_key_ref: SecretKeySelector | None = None


class EnvVar(Message):
    """An environment variable with `value` or `valueSource`. `$(NAME)` is not expanded."""

    name: EnvName
    value: str = ""
    value_source: EnvVarSource | None = None


class Limits(Message):
    """CPU, memory and GPU; a map in Google's API with these three keys only.

    What is not said is written out with Cloud Run's default (configuring/jobs/cpu and
    configuring/jobs/memory-limits).
    """

    cpu: Annotated[str, CpuAmount()] = "1"
    memory: Annotated[str, MemoryAmount()] = "512Mi"
    gpu: Literal["1"] | None = Field(default=None, alias="nvidia.com/gpu")
    written: ClassVar[frozenset[str]] = frozenset({"cpu", "memory"})


class ResourceRequirements(Message):
    """What a container may use."""

    limits: Limits = Limits()
    cpu_idle: bool = False
    startup_cpu_boost: bool = False
    written: ClassVar[frozenset[str]] = frozenset({"limits"})


class ContainerPort(Message):
    """A port the container listens on. Jobs serve no requests."""

    name: Literal["http1", "h2c"] | None = None
    container_port: Port | None = None


class Container(Message):
    """A container. `command` and `args` are not run in a shell."""

    image: ImageReference
    name: ContainerName | None = None
    source_code: SourceCode | None = None
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    env: tuple[EnvVar, ...] = ()
    resources: ResourceRequirements = ResourceRequirements()
    ports: tuple[ContainerPort, ...] = ()
    volume_mounts: tuple[VolumeMount, ...] = ()
    working_dir: str = ""
    liveness_probe: Probe | None = None
    startup_probe: Probe | None = None
    readiness_probe: Probe | None = None
    depends_on: tuple[ContainerName, ...] = ()
    base_image_uri: str = ""
    build_info: BuildInfo | None = None
    build_config: BuildConfiguration | None = None
    sandbox_launcher: bool = False
    written: ClassVar[frozenset[str]] = frozenset({"resources"})


class SandboxTemplate(Message):
    """A sandbox that a container may launch."""

    name: ContainerName
    image: ImageReference
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    env: tuple[EnvVar, ...] = ()
    volume_mounts: tuple[VolumeMount, ...] = ()
    working_dir: str = ""


class SandboxConfiguration(Message):
    """The sandboxes that can be launched."""

    templates: Annotated[tuple[SandboxTemplate, ...], Counted(1)]
