"""From a job as Google writes it to a job of a manifest, and what could not be carried over. Pure.

It takes v1 (`gcloud run jobs describe --format export`, `… replace`), v2 (the API's JSON), and
lists of them. Nothing is dropped in silence but what Google only says about the job: its state, who
made it and when.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import date
from typing import Any

from runyard.model.cloudrun.knative import LOCATION, Converted, is_v1, job_v2
from runyard.model.errors import Fault, InvalidSpec
from runyard.model.job import JobSpec
from runyard.model.validation import Complaint, Path, dotted, read, shown

DEPTH_MAX = 60  #: levels of a document; Cloud Run's deepest field has 15
VALUES_MAX = 100_000
_NAME = re.compile(r"projects/([^/]+)/locations/([^/]+)/jobs/([^/]+)")
_PROJECT = re.compile(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
#: What Google only says: output fields of a v2 Job, and who wrote it.
_SAID = frozenset(
    {
        "uid", "generation", "createTime", "updateTime", "deleteTime", "expireTime", "creator",
        "lastModifier", "client", "clientVersion", "launchStage", "observedGeneration",
        "terminalCondition", "conditions", "executionCount", "latestCreatedExecution",
        "reconciling", "satisfiesPzs", "etag",
    }
)  # fmt: skip
_CARRIED = frozenset({"name", "labels", "annotations", "template"})
NOT_HERE = {
    "binaryAuthorization": "it is not part of a job here; the environment's policy decides",
    "startExecutionToken": "start runs with `runyard run`",
    "runExecutionToken": "start runs with `runyard run --wait`",
}


@dataclass(frozen=True, slots=True)
class Note:
    """Something that was not carried over, or has to be mended."""

    path: str
    why: str


@dataclass(frozen=True, slots=True)
class Imported:
    """A job of a manifest: `body` is what stands under its name."""

    name: str
    project: str
    body: Mapping[str, Any]
    notes: tuple[Note, ...] = ()


def jobs_in(document: Any) -> list[Imported]:
    """The jobs of one document. Raises InvalidSpec when it is none, or too large."""
    _check_size(document)
    return [_job(one) for one in _each(document)]


def _each(document: Any) -> Iterator[Mapping[str, Any]]:
    """The single jobs of a list, whatever its form."""
    if isinstance(document, list):
        for one in document:
            yield from _each(one)
    elif isinstance(document, Mapping):
        listed = document.get("items", document.get("jobs"))
        if isinstance(listed, list):
            yield from _each(listed)
        else:
            yield document
    else:
        raise _no_job(shown(document))


def _job(document: Mapping[str, Any]) -> Imported:
    if is_v1(document):
        if document["kind"] != "Job":
            raise _no_job(f"kind {shown(document['kind'])}")
        converted = job_v2(document)
        location = _text(document, "metadata", "labels", LOCATION)
        project = _text(document, "metadata", "namespace")
    else:
        converted, project, location = _v2(document)
    if "template" not in converted.job or not isinstance(converted.job.get("name"), str):
        raise _no_job("no name or no template")
    return _checked(converted, project, location)


def _v2(document: Mapping[str, Any]) -> tuple[Converted, str, str]:
    made = Converted({key: document[key] for key in _CARRIED if document.get(key)})
    for key in document.keys() - _CARRIED - _SAID:
        made.lost.append((key, NOT_HERE.get(key, "it is not known here")))
    match = _NAME.fullmatch(str(document.get("name", "")))
    if match is None:
        return made, "", ""
    made.job["name"] = match[3]
    return made, match[1], match[2]


def _checked(made: Converted, project: str, location: str) -> Imported:
    """The job as our models read it, without what they do not know."""
    job = deepcopy(made.job)
    name = job.pop("name")
    for key in ("client", "clientVersion"):
        _remove(job, ("template", key))
    notes = [Note(path, why) for path, why in made.lost]
    if location:
        job["regions"] = [location]
    else:
        notes.append(Note("regions", "it does not say where it is: name its regions"))
    kept = project if _PROJECT.fullmatch(project) else ""
    data = job | {"name": name, "project": kept or "imported"}
    while True:
        spec, complaints = read(JobSpec, data)
        unknown = [one for one in complaints if one.about_key and _remove(data, one.path)]
        notes += [Note(dotted(one.path), "it is not known here") for one in unknown]
        if not unknown:
            break
    notes += [_mend(one) for one in complaints]
    body = {key: data[key] for key in data if key not in ("name", "project")}
    if spec is not None:
        body |= {"template": spec.template_document()}
    ordered = sorted(body.items(), key=lambda item: _ORDER.index(item[0]))
    return Imported(name, kept, dict(ordered), tuple(notes))


_ORDER = ("labels", "annotations", "regions", "template")


def _mend(complaint: Complaint) -> Note:
    hint = f" ({complaint.hint})" if complaint.hint else ""
    return Note(dotted(complaint.path), f"mend this: expected {complaint.expected}{hint}")


def _remove(data: Any, path: Path) -> bool:
    """Take away what stands at `path`; False when there is nothing."""
    for step in path[:-1]:
        data = data[step]
    return isinstance(data, dict) and data.pop(path[-1], _NOTHING) is not _NOTHING


_NOTHING = object()


def _check_size(document: Any) -> None:
    """Raises InvalidSpec for what nests too deep or, by aliases or at all, holds too much."""
    count, level = 0, [document]
    for _ in range(DEPTH_MAX):
        level = [inner for one in level for inner in _inner(one)]
        count += len(level)
        if not level:
            return
        if count > VALUES_MAX:
            raise InvalidSpec(f"a document of more than {VALUES_MAX} values is no job")
    raise InvalidSpec(f"a document of more than {DEPTH_MAX} levels is no job")


def _inner(one: Any) -> Sequence[Any]:
    if isinstance(one, dict) and all(isinstance(key, str) for key in one):
        return list(one.values())
    if isinstance(one, list):
        return one
    if isinstance(one, str | int | float | date | None):
        return ()
    raise _no_job("something that JSON does not have")


def _text(document: Mapping[str, Any], *keys: str) -> str:
    here: Any = document
    for key in keys:
        here = here.get(key) if isinstance(here, Mapping) else None
    return str(here) if isinstance(here, str | int) else ""


def _no_job(seen: str) -> InvalidSpec:
    expected = "a Cloud Run job: v1 (kind: Job), v2 (name and template), or a list of them"
    return InvalidSpec("this is no Cloud Run job", faults=(Fault("document", seen, expected),))
