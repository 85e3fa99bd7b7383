"""Our ExecutionTemplate against Google's own descriptor: every field, and nothing besides."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from google.cloud.run_v2.types import ExecutionTemplate as GoogleTemplate
from google.protobuf.json_format import MessageToDict, ParseDict
from pydantic import BaseModel

from runyard.model.cloudrun.template import ExecutionTemplate
from runyard.model.strict import Message
from runyard.model.validation import read

PB: Any = GoogleTemplate.pb()
DESCRIPTOR: Any = PB.DESCRIPTOR

#: Fields that the API's discovery document run.v2 (revision 20261031) has and the installed
#: protocol buffers have not yet. When Google's library learns one, this list must shrink.
NEWER = frozenset(
    {
        "client",
        "clientVersion",
        "delayExecution",
        "template.sandboxes",
        "template.workloadIdentityConfig",
        "template.containers.buildConfig",
        "template.containers.sandboxLauncher",
        "template.containers.sourceCode.inlinedSource",
        "template.volumes.filestore",
    }
)
NEWER_CHOICES = frozenset({"template.volumes.emptyDir.medium.DISK"})

#: A value for every field that has a form of its own; by the end of its path.
VALUES: dict[str, Any] = {
    "labels": {"team": "data"},
    "annotations": {"example.com/owner": "data"},
    "parallelism": 2,
    "taskCount": 3,
    "containers.name": "main",
    "image": "example/report:1",
    "generation": "7",
    "env.name": "NAME",
    "secret": "keeper",
    "version": "2",
    "limits": {"cpu": "2", "memory": "1Gi", "nvidia.com/gpu": "1"},
    "ports.name": "h2c",
    "volumeMounts.name": "data",
    "mountPath": "/data",
    "httpHeaders.name": "X-Test",
    "volumes.name": "data",
    "instances": ["shop:us-central1:main"],
    "sizeLimit": "64Mi",
    "bucket": "some-bucket",
    "nfs.path": "/export",
    "secret.items.path": "a/b",
    "maxRetries": 0,
    "timeout": "90s",
    "serviceAccount": "report@shop.iam.gserviceaccount.com",
    "encryptionKey": "projects/shop/locations/us/keyRings/ring/cryptoKeys/key",
    "connector": "projects/shop/locations/us-central1/connectors/office",
    "network": "default",
    "subnetwork": "default",
    "tags": ["batch"],
    "dependsOn": ["main"],
    "gpuZonalRedundancyDisabled": False,
}


def fields(descriptor: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every field below `descriptor`, with the JSON names that lead to it."""
    for field in descriptor.fields:
        here = (*path, field.json_name)
        yield here, field
        if is_nested(field):
            yield from fields(field.message_type, here)


def is_map(field: Any) -> bool:
    return bool(field.message_type and field.message_type.GetOptions().map_entry)


def is_nested(field: Any) -> bool:
    """A message of Cloud Run's own, neither a map nor one of Google's well-known types."""
    inner = field.message_type
    return bool(inner) and not is_map(field) and not inner.full_name.startswith("google.protobuf.")


EVERY = {".".join(path): field for path, field in fields(DESCRIPTOR)}
CHOICES = [
    (name, value.name)
    for name, field in EVERY.items()
    if field.enum_type
    for value in field.enum_type.values
]


def sample(field: Any, path: str) -> Any:
    """A value that `field` accepts in Google's JSON and that is not its default."""
    ends = (path.split(".", start)[start] for start in range(path.count(".") + 1))
    known = next((VALUES[end] for end in ends if end in VALUES), None)
    if known is not None:
        return known
    if field.enum_type:
        return field.enum_type.values[-1].name
    one: Any = {
        "string": "text",
        "int32": 5,
        "bool": True,
    }[KINDS[field.type]]
    return [one] if field.is_repeated else one


KINDS = {9: "string", 5: "int32", 8: "bool"}  # FieldDescriptor.TYPE_*


def required(model: type[BaseModel], path: str) -> dict[str, Any]:
    """The least JSON that `model` accepts."""
    made: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        key = field.alias or name
        if field.is_required():
            made[key] = filled(field.annotation, f"{path}.{key}".strip("."))
    return made


def filled(annotation: Any, path: str) -> Any:
    inner = model_of(annotation)
    if inner is not None:
        value: Any = required(inner, path)
    else:
        value = sample(EVERY[path], path)
    return [value] if "tuple" in str(annotation) and not isinstance(value, list) else value


def model_of(annotation: Any) -> type[Message] | None:
    if isinstance(annotation, type) and issubclass(annotation, Message):
        return annotation
    found = (model_of(argument) for argument in getattr(annotation, "__args__", ()))
    return next((model for model in found if model), None)


def with_value(path: tuple[str, ...], value: Any) -> dict[str, Any]:
    """A whole template that has `value` at `path` and else only what is required."""
    made = required(ExecutionTemplate, "")
    here, model, field_path = made, ExecutionTemplate, ""
    for step in path[:-1]:
        field_path = f"{field_path}.{step}".strip(".")
        inner = model_of(model_field(model, step).annotation)
        assert inner is not None, field_path
        if step not in here:
            fresh = required(inner, field_path)
            here[step] = [fresh] if EVERY[field_path].is_repeated else fresh
        here = here[step][0] if isinstance(here[step], list) else here[step]
        model = inner  # type: ignore[assignment]  # narrower on the way down
    here[path[-1]] = value
    return made


def model_field(model: type[BaseModel], key: str) -> Any:
    return next(f for name, f in model.model_fields.items() if (f.alias or name) == key)


def accepted(document: dict[str, Any]) -> ExecutionTemplate:
    template, complaints = read(ExecutionTemplate, document)
    assert complaints == []
    assert template is not None
    return template


@pytest.mark.parametrize("name", EVERY)
def test_every_field_of_googles_is_ours_and_comes_back(name: str) -> None:
    path, field = tuple(name.split(".")), EVERY[name]
    value = {} if is_nested(field) else sample(field, name)
    if is_nested(field):
        inner = model_of(model_field(model_at(path[:-1]), path[-1]).annotation)
        assert inner is not None, f"{name} must be a message"
        value = required(inner, name)
        value = [value] if field.is_repeated else value
    template = accepted(with_value(path, value))
    ours = template.document()
    google = ParseDict(ours, PB())
    back = MessageToDict(google)
    assert accepted(back) == template, "what Google makes of our JSON means the same to us"
    assert ParseDict(accepted(back).document(), PB()) == google


def model_at(path: tuple[str, ...]) -> type[BaseModel]:
    model: type[BaseModel] = ExecutionTemplate
    for step in path:
        inner = model_of(model_field(model, step).annotation)
        assert inner is not None
        model = inner
    return model


@pytest.mark.parametrize(("name", "choice"), CHOICES)
def test_every_choice_of_googles_is_ours(name: str, choice: str) -> None:
    path = tuple(name.split("."))
    here: Any = ParseDict(accepted(with_value(path, choice)).document(), PB())
    for step in path:
        field = here.DESCRIPTOR.fields_by_camelcase_name[step]
        value = getattr(here, field.name)
        here = value[0] if field.is_repeated else value
    assert EVERY[name].enum_type.values_by_number[here].name == choice


def ours(model: type[BaseModel], path: str = "") -> Iterator[tuple[str, Any]]:
    for name, field in model.model_fields.items():
        key = f"{path}.{field.alias or name}".strip(".")
        yield key, field.annotation
        inner = model_of(field.annotation)
        if inner is not None and inner.__name__ != "Limits" and key not in NEWER:
            yield from ours(inner, key)


def test_nothing_is_ours_that_is_not_googles_but_the_newer_fields() -> None:
    assert {key for key, _ in ours(ExecutionTemplate)} - set(EVERY) == NEWER


def test_no_choice_is_ours_that_is_not_googles_but_the_newer_ones() -> None:
    mine = {
        f"{key}.{choice.value}"
        for key, annotation in ours(ExecutionTemplate)
        if hasattr(annotation, "__members__") and not key.startswith(tuple(NEWER))
        for choice in annotation
    }
    assert mine - {f"{name}.{choice}" for name, choice in CHOICES} == NEWER_CHOICES


@pytest.mark.parametrize("name", [n for n, f in EVERY.items() if f.type in (5, 8)])
def test_a_text_is_no_number_and_no_truth(name: str) -> None:
    path = tuple(name.split("."))
    value: Any = ["no"] if EVERY[name].is_repeated else "no"
    _, complaints = read(ExecutionTemplate, with_value(path, value))
    assert [complaint.expected for complaint in complaints]
