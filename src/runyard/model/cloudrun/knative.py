"""Cloud Run's v1 Job (Knative's form, which `gcloud run jobs describe` prints) as v2 has it.

What is a field in v2 is an annotation in v1 (run.googleapis.com/…), and nests one level deeper.
https://cloud.google.com/run/docs/reference/rest/v1/namespaces.jobs
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Data = Mapping[str, Any]
OURS = "run.googleapis.com/"
NAMESPACES = (OURS, "cloud.googleapis.com/", "serving.knative.dev/", "autoscaling.knative.dev/")
LOCATION = "cloud.googleapis.com/location"  #: the label that says where a job is
_EGRESS = {"all-traffic": "ALL_TRAFFIC", "all": "ALL_TRAFFIC"}
_GENERATIONS = {"gen1": "EXECUTION_ENVIRONMENT_GEN1", "gen2": "EXECUTION_ENVIRONMENT_GEN2"}
_GCS = "gcsfuse.run.googleapis.com"
#: Annotations that only say who wrote the resource, and when.
_SAID_BY_GOOGLE = frozenset(
    f"{OURS}{name}"
    for name in (
        "client-name", "client-version", "creator", "lastModifier", "operation-id", "launch-stage",
        "ingress", "ingress-status", "urls",
    )
)  # fmt: skip


@dataclass(slots=True)
class Converted:
    """A v2 Job, and what of the v1 one found no place in it, as (path, why)."""

    job: dict[str, Any] = field(default_factory=dict)
    lost: list[tuple[str, str]] = field(default_factory=list)


def is_v1(document: Data) -> bool:
    """True for what has the outer form of a v1 resource."""
    return "apiVersion" in document and "kind" in document


def job_v2(v1: Data) -> Converted:
    """The v2 Job that a v1 Job is. Fields whose types are wrong are passed on as they are."""
    made = Converted()
    metadata, execution = _map(v1, "metadata"), _map(v1, "spec", "template")
    inner = _map(execution, "spec")
    task = _map(inner, "template", "spec")
    annotations = dict(_map(execution, "metadata", "annotations"))
    own = dict(_map(metadata, "annotations"))
    template = _task(task, annotations, made)
    _binary(own, made)
    made.job = _present(
        {
            "name": metadata.get("name"),
            "labels": _own(_map(metadata, "labels"), "metadata.labels", made),
            "annotations": _own(own, "metadata.annotations", made),
            "template": _present(
                {
                    "labels": _own(_map(execution, "metadata", "labels"), "labels", made),
                    "annotations": _own(annotations, "template.annotations", made),
                    "parallelism": inner.get("parallelism"),
                    "taskCount": inner.get("taskCount"),
                    "delayExecution": inner.get("delayExecution"),
                }
            )
            | {"template": template},
        }
    )
    return made


def _task(task: Data, annotations: dict[str, Any], made: Converted) -> dict[str, Any]:
    aliases = _aliases(annotations.pop(f"{OURS}secrets", ""))
    depends = _json(annotations.pop(f"{OURS}container-dependencies", "{}"))
    volumes = [_volume(one, aliases, made) for one in _maps(task, "volumes")]
    containers = [_container(one, aliases, depends, made) for one in _maps(task, "containers")]
    instances = str(annotations.pop(f"{OURS}cloudsql-instances", "") or "")
    if instances:
        volumes.append({"name": "cloudsql", "cloudSqlInstance": {"instances": _listed(instances)}})
        for container in containers:
            mount = {"name": "cloudsql", "mountPath": "/cloudsql"}
            container["volumeMounts"] = [*_maps(container, "volumeMounts"), mount]
    seconds = task.get("timeoutSeconds")
    generation = annotations.pop(f"{OURS}execution-environment", None)
    redundancy = annotations.pop(f"{OURS}gpu-zonal-redundancy-disabled", None)
    accelerator = _map(task, "nodeSelector").get(f"{OURS}accelerator")
    _left(task, _TASK_KEYS, "spec.template.spec.template.spec", made)
    return _present(
        {
            "containers": containers,
            "volumes": volumes or None,
            "maxRetries": task.get("maxRetries"),
            "timeout": None if seconds is None else f"{seconds}s",
            "serviceAccount": task.get("serviceAccountName"),
            "executionEnvironment": _GENERATIONS.get(str(generation)),
            "encryptionKey": annotations.pop(f"{OURS}encryption-key", None),
            "vpcAccess": _vpc(annotations),
            "nodeSelector": {"accelerator": accelerator} if accelerator else None,
            "gpuZonalRedundancyDisabled": None if redundancy is None else redundancy == "true",
        }
    )


_TASK_KEYS = frozenset(
    {"containers", "volumes", "maxRetries", "timeoutSeconds", "serviceAccountName", "nodeSelector"}
)
_CONTAINER_KEYS = frozenset(
    {
        "name", "image", "command", "args", "env", "resources", "ports", "volumeMounts",
        "workingDir", "startupProbe", "livenessProbe", "readinessProbe",
    }
)  # fmt: skip


def _container(
    one: Data, aliases: Mapping[str, str], depends: Data, made: Converted
) -> dict[str, Any]:
    where = f"containers[{one.get('name') or one.get('image')}]"
    _left(one, _CONTAINER_KEYS, where, made)
    _left(_map(one, "resources"), frozenset({"limits"}), f"{where}.resources", made)
    limits = _map(one, "resources", "limits")
    plain = {key: one[key] for key in sorted(_CONTAINER_KEYS & one.keys() - {"env", "resources"})}
    return _present(
        plain
        | {
            "env": [_variable(each, aliases) for each in _maps(one, "env")] or None,
            "resources": {"limits": {k: str(v) for k, v in limits.items()}} if limits else None,
            "dependsOn": depends.get(str(one.get("name"))),
        }
    )


def _variable(one: Data, aliases: Mapping[str, str]) -> dict[str, Any]:
    secret = _map(one, "valueFrom", "secretKeyRef")
    if not secret:
        return _present({"name": one.get("name"), "value": one.get("value")})
    name = str(secret.get("name"))
    reference = {"secret": aliases.get(name, name), "version": str(secret.get("key", "latest"))}
    return {"name": one.get("name"), "valueSource": {"secretKeyRef": reference}}


def _volume(one: Data, aliases: Mapping[str, str], made: Converted) -> dict[str, Any]:
    name, where = one.get("name"), f"volumes[{one.get('name')}]"
    _left(one, frozenset({"name", "secret", "emptyDir", "csi", "nfs"}), where, made)
    return _present(
        {
            "name": name,
            "secret": _secret(_map(one, "secret"), aliases) or None,
            "emptyDir": _memory(_map(one, "emptyDir")) if "emptyDir" in one else None,
            "gcs": _bucket(_map(one, "csi"), where, made) or None,
            "nfs": dict(_map(one, "nfs")) or None,
        }
    )


def _secret(one: Data, aliases: Mapping[str, str]) -> dict[str, Any]:
    name = one.get("secretName")
    items = [
        _present({"path": each.get("path"), "version": each.get("key"), "mode": each.get("mode")})
        for each in _maps(one, "items")
    ]
    return _present(
        {
            "secret": aliases.get(str(name), name),
            "items": items or None,
            "defaultMode": one.get("defaultMode"),
        }
    )


def _memory(one: Data) -> dict[str, Any]:
    medium = one.get("medium")
    return _present(
        {"medium": str(medium).upper() if medium else None, "sizeLimit": one.get("sizeLimit")}
    )


def _bucket(one: Data, where: str, made: Converted) -> dict[str, Any]:
    if one and one.get("driver") != _GCS:
        made.lost.append((f"{where}.csi", f"only {_GCS} is known"))
        return {}
    attributes = _map(one, "volumeAttributes")
    options = _listed(str(attributes.get("mountOptions") or ""))
    return _present(
        {
            "bucket": attributes.get("bucketName"),
            "readOnly": one.get("readOnly"),
            "mountOptions": options or None,
        }
    )


def _vpc(annotations: dict[str, Any]) -> dict[str, Any] | None:
    interfaces = _json(annotations.pop(f"{OURS}network-interfaces", "null"))
    egress = annotations.pop(f"{OURS}vpc-access-egress", None)
    found = _present(
        {
            "connector": annotations.pop(f"{OURS}vpc-access-connector", None),
            "networkInterfaces": interfaces or None,
            "egress": egress and _EGRESS.get(str(egress), "PRIVATE_RANGES_ONLY"),
        }
    )
    return found or None


def _binary(annotations: dict[str, Any], made: Converted) -> None:
    for name in ("binary-authorization", "binary-authorization-breakglass"):
        if annotations.pop(f"{OURS}{name}", None) is not None:
            made.lost.append(
                (f"metadata.annotations.'{OURS}{name}'", "it is not part of a job here")
            )


def _own(found: Data, where: str, made: Converted) -> dict[str, Any] | None:
    """Labels or annotations without Google's; those of Google that say something are told."""
    for key in found:
        if key.startswith(NAMESPACES) and key not in _SAID_BY_GOOGLE and key != LOCATION:
            made.lost.append((f"{where}.'{key}'", "Google's own; it is not known here"))
    kept = {key: str(one) for key, one in found.items() if not key.startswith(NAMESPACES)}
    return kept or None


def _left(found: Data, known: frozenset[str], where: str, made: Converted) -> None:
    for key in sorted(found.keys() - known):
        made.lost.append((f"{where}.{key}", "Cloud Run's v2 has no such field"))


def _aliases(text: Any) -> dict[str, str]:
    """`alias:projects/P/secrets/S,…`: secrets of other projects by short names."""
    pairs = (one.partition(":") for one in str(text or "").split(","))
    return {alias.strip(): path.strip() for alias, _, path in pairs if path}


def _json(text: Any) -> Any:
    try:
        return json.loads(str(text))
    except ValueError:
        return {}


def _listed(text: str) -> list[str]:
    return [one.strip() for one in text.split(",") if one.strip()]


def _present(found: Data) -> dict[str, Any]:
    return {key: value for key, value in found.items() if value is not None}


def _map(found: Data, *keys: str) -> Data:
    """The mapping under `keys`, or an empty one."""
    here: Any = found
    for key in keys:
        here = here.get(key) if isinstance(here, Mapping) else None
    return here if isinstance(here, Mapping) else {}


def _maps(found: Data, key: str) -> Iterator[Data]:
    listed = found.get(key)
    yield from (one for one in (listed if isinstance(listed, list) else ()) if _is_map(one))


def _is_map(one: Any) -> bool:
    return isinstance(one, Mapping)
