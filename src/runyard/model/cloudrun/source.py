"""Where an image comes from: source code and builds. Cloud Run uses these for services."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from runyard.model.forms import Counted, Int64Text
from runyard.model.strict import Message


class CloudStorageSource(Message):
    """An archive in Cloud Storage."""

    bucket: str
    object: str
    generation: Int64Text = "0"


class SourceFile(Message):
    """A file of source code written into the request."""

    filename: str
    content: str


class InlinedSource(Message):
    """Source code written into the request."""

    sources: Annotated[tuple[SourceFile, ...], Counted(1)]


class SourceCode(Message):
    """Where the source code is."""

    cloud_storage_source: CloudStorageSource | None = None
    inlined_source: InlinedSource | None = None


class BuildInfo(Message):
    """What Cloud Run says of the build; output only."""

    function_target: str = ""
    source_location: str = ""


class BuildpacksBuild(Message):
    """A build by buildpacks."""

    build_base_image_uri: str = ""
    cache_image_uri: str = ""
    environment_variables: dict[str, str] = Field(default={})


class DockerBuild(Message):
    """A build by a Dockerfile; it has no settings."""


class CloudBuildWorkerConfiguration(Message):
    """The machine that builds."""

    machine_type: str = ""
    worker_pool: str = ""


class WorkerConfiguration(Message):
    """Who builds."""

    cloud_build_worker_configuration: CloudBuildWorkerConfiguration | None = None


class BuildConfiguration(Message):
    """How the image is built."""

    image_repository_uri: str
    buildpacks_build: BuildpacksBuild | None = None
    docker_build: DockerBuild | None = None
    service_account: str = ""
    tags: tuple[str, ...] = ()
    worker_configuration: WorkerConfiguration | None = None
