"""What a job's document wants of its resources at a provider, and how they differ from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from runyard.flow.differences import differences
from runyard.flow.planning import cloud_part
from runyard.model.deployed import DeployedJob

Document = Mapping[str, Any]
SHOWN_MAX = 20  #: differences that are said; more help nobody


class Wanted(NamedTuple):
    """A resource as a document wants it."""

    template: Document
    labels: tuple[tuple[str, str], ...]
    annotations: tuple[tuple[str, str], ...]


def wanted(document: Document) -> Wanted:
    """What a job's document (or what was found at a provider, see `found`) wants there."""
    labels, annotations = document.get("labels") or {}, document.get("annotations") or {}
    return Wanted(
        document["template"], tuple(sorted(labels.items())), tuple(sorted(annotations.items()))
    )


def found(job: DeployedJob) -> dict[str, Any]:
    """What stands at a provider, as a document that `wanted` reads."""
    said = {"labels": dict(job.labels), "annotations": dict(job.annotations)}
    return {"template": job.template} | {key: value for key, value in said.items() if value}


def unlike(job: DeployedJob | None, document: Document) -> tuple[str, ...]:
    """How a resource differs from what a document wants, as sentences; empty when it does not."""
    if job is None:
        return ("it is not there",)
    apart = differences(cloud_part(document), found(job))
    return tuple(
        f"{each.path} is {_said(each.after)} and not {_said(each.before)}"
        for each in apart[:SHOWN_MAX]
    )


def _said(value: Any) -> str:
    if value is None:
        return "absent"
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
