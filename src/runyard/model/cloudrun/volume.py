"""Volumes of a task, of every kind, and their mounts in a container."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar

from runyard.model.cloudrun.words import (
    BucketName,
    Mode,
    MountPath,
    RelativePath,
    SecretReference,
    SecretVersion,
    SqlInstance,
    VolumeName,
)
from runyard.model.forms import MemoryAmount, Shaped
from runyard.model.strict import Message


class Medium(StrEnum):
    """What an empty folder is kept on."""

    MEDIUM_UNSPECIFIED = "MEDIUM_UNSPECIFIED"
    MEMORY = "MEMORY"
    DISK = "DISK"


class VersionToPath(Message):
    """One version of a secret as one file."""

    path: RelativePath
    version: SecretVersion = "latest"
    mode: Mode = 0
    written: ClassVar[frozenset[str]] = frozenset({"version"})


class SecretVolumeSource(Message):
    """A secret as files. Without items: one file, named as the secret, of the latest version."""

    secret: SecretReference
    items: tuple[VersionToPath, ...] = ()
    default_mode: Mode = 0


class CloudSqlInstance(Message):
    """Cloud SQL instances, each a socket under `/cloudsql`."""

    instances: tuple[SqlInstance, ...] = ()


class EmptyDirVolumeSource(Message):
    """A folder that is empty at the start and gone at the end."""

    medium: Medium = Medium.MEDIUM_UNSPECIFIED
    size_limit: Annotated[str, MemoryAmount()] | None = None


class NfsVolumeSource(Message):
    """An NFS export."""

    server: str
    path: Annotated[str, Shaped("/.*", "the absolute path that the server exports")]
    read_only: bool = False


class GcsVolumeSource(Message):
    """A Cloud Storage bucket through gcsfuse."""

    bucket: BucketName
    read_only: bool = False
    mount_options: tuple[str, ...] = ()


class FilestoreVolumeSource(Message):
    """A Filestore volume."""

    volume: Annotated[
        str,
        Shaped(
            "projects/[^/]+/locations/[^/]+/volumePools/[^/]+/volumes/[^/]+",
            "projects/PROJECT/locations/LOCATION/volumePools/POOL/volumes/VOLUME",
        ),
    ]


class Volume(Message):
    """A named volume of exactly one kind."""

    name: VolumeName
    secret: SecretVolumeSource | None = None
    cloud_sql_instance: CloudSqlInstance | None = None
    empty_dir: EmptyDirVolumeSource | None = None
    nfs: NfsVolumeSource | None = None
    gcs: GcsVolumeSource | None = None
    filestore: FilestoreVolumeSource | None = None


class VolumeMount(Message):
    """Where a container sees a volume. Only a Cloud SQL volume may leave `mountPath` out."""

    name: VolumeName
    mount_path: MountPath | None = None
    sub_path: RelativePath | None = None
