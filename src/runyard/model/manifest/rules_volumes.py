"""Volumes and mounts: the API's descriptions of Volume and VolumeMount, and
https://cloud.google.com/run/docs/configuring/jobs/secrets for forbidden paths."""

from __future__ import annotations

from posixpath import normpath

from runyard.model.manifest.view import TASK, Data, JobView, items, mapping, text
from runyard.model.validation import Path, one_of

KINDS = ("secret", "cloudSqlInstance", "emptyDir", "nfs", "gcs", "filestore")
SQL_PATH = "/cloudsql"
FORBIDDEN = ("/dev", "/proc", "/sys")  #: "mounting at /dev, /proc and /sys is not allowed"


def check(job: JobView) -> None:
    """See the module."""
    volumes = _volumes(job)
    used: set[str] = set()
    for path, container in job.containers():
        mounts = list(items(container, "volumeMounts", path))
        used |= {text(mount, "name") for _, mount in mounts}
        for where, mount in mounts:
            _mount(job, where, mount, volumes)
        _paths(job, mounts)
    for sandbox in items(mapping(job.task, "sandboxes"), "templates", (*TASK, "sandboxes")):
        used |= {text(mount, "name") for _, mount in items(sandbox[1], "volumeMounts")}
    for name, (path, _) in volumes.items():
        if name not in used:
            job.warn((*path, "name"), "a volume that some container mounts", "remove it")


def _volumes(job: JobView) -> dict[str, tuple[Path, Data]]:
    volumes: dict[str, tuple[Path, Data]] = {}
    for path, volume in job.volumes():
        name = text(volume, "name")
        if name in volumes:
            line = job.line_of((*volumes[name][0], "name"))
            job.fault((*path, "name"), f"each volume's name once; it is at line {line} too")
        elif name:
            volumes[name] = (path, volume)
        kinds = [kind for kind in KINDS if kind in volume]
        if not kinds:
            job.fault(path, one_of(KINDS))
        for kind in kinds[1:]:
            job.fault((*path, kind), f"one kind of volume; it is {kinds[0]} already")
        _items(job, (*path, "secret"), mapping(volume, "secret"))
    return volumes


def _items(job: JobView, path: Path, secret: Data) -> None:
    seen: set[str] = set()
    for where, item in items(secret, "items", path):
        name = text(item, "path")
        if name and normpath(name) in seen:
            job.fault((*where, "path"), "each path once in a volume")
        seen.add(normpath(name))


def _mount(job: JobView, where: Path, mount: Data, volumes: dict[str, tuple[Path, Data]]) -> None:
    name = text(mount, "name")
    if name and name not in volumes:
        expected = f"a volume of the task: {one_of(volumes)}" if volumes else "a volume of the task"
        job.fault((*where, "name"), expected, job.near(name, volumes))
        return
    volume = volumes[name][1] if name else {}
    if "cloudSqlInstance" in volume:
        if text(mount, "mountPath", SQL_PATH) != SQL_PATH:
            job.fault((*where, "mountPath"), f"{SQL_PATH}, or nothing, for Cloud SQL")
    elif "mountPath" not in mount:
        job.fault((*where, "mountPath"), "a value, which is required")
    if "secret" in volume and "subPath" in mount:
        job.fault((*where, "subPath"), "no subPath: Cloud Run refuses it for secrets")


def _paths(job: JobView, mounts: list[tuple[Path, Data]]) -> None:
    """Sorted by their parts, a folder comes right before all that is within it."""
    folders: list[tuple[str, int, Path]] = []
    for number, (where, mount) in enumerate(mounts):
        if (raw := text(mount, "mountPath")).startswith("/"):
            folder, path = normpath("/" + raw.lstrip("/")), (*where, "mountPath")
            folders.append((folder, number, path))
            if folder == "/" or any(_is_within(folder, one) for one in FORBIDDEN):
                job.fault(path, f"a path other than / and outside {', '.join(FORBIDDEN)}")
    above: tuple[str, int, Path] | None = None
    for one in sorted(folders, key=lambda one: (one[0].replace("/", "\0"), one[1])):
        if above is not None and _is_within(one[0], above[0]):
            _nested(job, *sorted((above, one), key=lambda each: each[1]))
        else:
            above = one


def _nested(job: JobView, first: tuple[str, int, Path], second: tuple[str, int, Path]) -> None:
    line = job.line_of(first[2])
    if first[0] == second[0]:
        job.fault(second[2], f"each path once in a container; it is at line {line} too")
    else:
        expected = f"a path that is not within another mount, nor around it (line {line})"
        job.fault(second[2], expected, "Cloud Run does not support nested mounts")


def _is_within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder.rstrip('/')}/")
