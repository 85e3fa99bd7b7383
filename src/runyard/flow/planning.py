"""A plan: what applying a manifest would do to each job, and what it would overwrite. Pure.

Three documents are laid side by side: what is declared (the manifest), what was applied last (the
job's revision in force) and what is live (the job at the provider, in each of its regions).

- Declared against applied is the change that is asked for.
- Live against applied is drift: somebody changed the job behind our back. For each field it is
  adopted (the live value becomes ours), reverted (ours is put back) or ignored (both stay as they
  are). What nobody decided is reverted, and that is unsafe, so it needs a confirmation.
  What drifted to the very value that is declared now is no drift any more.

A plan has a token: a digest of the environment, of what is declared and decided, and of every
revision and etag it was made against. Who applies with a token applies that plan or nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import blake2b

import orjson

from runyard.flow.differences import (
    Difference,
    Document,
    Json,
    Steps,
    covers,
    differences,
    path_text,
    with_value,
)
from runyard.flow.risks import DELETED, REVERTED, risk
from runyard.model.errors import InvalidSpec, StalePlan
from runyard.model.job import JobSpec

CLOUD_KEYS = ("labels", "annotations", "template")  #: what of a job the provider keeps
_DIGEST_BYTES = 10


class Action(StrEnum):
    """What a plan does to a job."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    UNCHANGED = "unchanged"


class Verdict(StrEnum):
    """What becomes of a field that drifted."""

    ADOPT = "adopt"
    REVERT = "revert"
    IGNORE = "ignore"


@dataclass(frozen=True, slots=True)
class Declared:
    """A job as a manifest has it: `JobSpec.document()`."""

    project: str
    name: str
    document: Document
    ignore_drift: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[str, str]:
        """What it is unique in."""
        return (self.project, self.name)


@dataclass(frozen=True, slots=True)
class InForce:
    """A job as it was last applied."""

    project: str
    name: str
    revision: int
    document: Document

    @property
    def key(self) -> tuple[str, str]:
        """What it is unique in."""
        return (self.project, self.name)


@dataclass(frozen=True, slots=True)
class Live:
    """A job as the provider has it in a region. `document` has its `CLOUD_KEYS`; None: it is not
    there."""

    region: str
    etag: str
    document: Document | None


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A field that the plan changes. `why` it is unsafe; empty: it is safe."""

    path: str
    before: Json
    after: Json
    why: str = ""


@dataclass(frozen=True, slots=True)
class Drift:
    """A field that was changed behind our back. `verdict` None: nobody has decided yet."""

    region: str
    steps: Steps
    applied: Json
    live: Json
    verdict: Verdict | None = None

    @property
    def path(self) -> str:
        """The field as people write it."""
        return path_text(self.steps)


@dataclass(frozen=True, slots=True)
class JobChange:
    """What the plan does to one job.

    `document` is what will be in force (with what is adopted), None when the job is deleted.
    `missing`: regions in which it should be and is not. `risks`: why it is unsafe, each once.
    """

    project: str
    name: str
    action: Action
    base_revision: int
    document: Document | None
    fields: tuple[FieldChange, ...] = ()
    drift: tuple[Drift, ...] = ()
    missing: tuple[str, ...] = ()
    risks: tuple[str, ...] = ()

    @property
    def revises(self) -> bool:
        """True when it makes a new revision, and not only puts the last one back in place."""
        return bool(self.fields)

    def deployed(self, region: str) -> Document | None:
        """What the provider is to have in `region`: ours, with the live values we ignore."""
        if self.document is None:
            return None
        document: Json = cloud_part(self.document)
        for drift in self.drift:
            if drift.region == region and drift.verdict is Verdict.IGNORE:
                document = with_value(document, drift.steps, drift.live)
        found: Document = document
        return found


@dataclass(frozen=True, slots=True)
class ChangePlan:
    """All of it. `token` stands for exactly this plan."""

    environment: str
    jobs: tuple[JobChange, ...]
    token: str

    @property
    def has_changes(self) -> bool:
        """True when applying it would do something."""
        return any(job.action is not Action.UNCHANGED for job in self.jobs)

    @property
    def is_safe(self) -> bool:
        """True when it needs no confirmation."""
        return not any(job.risks for job in self.jobs)


@dataclass(frozen=True, slots=True)
class Known:
    """What a plan is made against. `live` None: the provider was not asked.

    `live` is by (project, name); `prune`: jobs of the project that are not declared are deleted.
    """

    environment: str
    in_force: Sequence[InForce]
    live: Mapping[tuple[str, str], Sequence[Live]] = field(default_factory=dict)
    prune: bool = False


def plan(
    declared: Sequence[Declared], known: Known, verdicts: Mapping[str, Verdict] | None = None
) -> ChangePlan:
    """What applying `declared` would do. Raises InvalidSpec when what is adopted makes no job.

    `verdicts` say what becomes of drift, by `JOB.FIELD`, `JOB` or `*`; the nearest one counts, and
    before all of them what the manifest ignores.
    """
    said = verdicts or {}
    ours = {job.key: job for job in known.in_force}
    changes = [
        _change(job, ours.get(job.key), known.live.get(job.key, ()), said) for job in declared
    ]
    named = {job.key for job in declared}
    projects = {job.project for job in declared}
    if known.prune:
        gone = [j for j in known.in_force if j.key not in named and j.project in projects]
        changes += [deletion(job) for job in sorted(gone, key=lambda job: job.key)]
    return ChangePlan(known.environment, tuple(changes), _token(declared, known, said))


def deletion(job: InForce) -> JobChange:
    """What deleting a job is."""
    return JobChange(job.project, job.name, Action.DELETE, job.revision, None, risks=(DELETED,))


def check_token(given: str, fresh: ChangePlan) -> None:
    """Raises StalePlan unless `given` is the token of `fresh`, the plan as it would be made now."""
    if given == fresh.token:
        return
    same_wish = given.partition("-")[0] == fresh.token.partition("-")[0]
    raise StalePlan(
        "the plan is stale: somebody changed a job, or what is deployed, since it was made"
        if same_wish
        else "the plan is of another manifest, environment or decision about drift",
        hint="nothing was changed; look at a new `runyard plan`, and apply that one's token",
    )


def cloud_part(document: Document) -> Document:
    """What the provider keeps of a job's document."""
    return {key: document[key] for key in CLOUD_KEYS if document.get(key)}


def _change(
    job: Declared, before: InForce | None, live: Sequence[Live], verdicts: Mapping[str, Verdict]
) -> JobChange:
    if before is None:
        return JobChange(job.project, job.name, Action.CREATE, 0, job.document)
    drift = _drift(job, before, live, verdicts)
    document = _adopted(job.document, drift)
    fields = tuple(_field(found) for found in differences(before.document, document))
    kept = [one for one in before.document["regions"] if one in job.document["regions"]]
    missing = tuple(one.region for one in live if one.document is None and one.region in kept)
    risks = [*_risks(fields), *_reverts(drift)]
    does = fields or missing or any(one.verdict is not Verdict.IGNORE for one in drift)
    return JobChange(
        job.project,
        job.name,
        Action.UPDATE if does else Action.UNCHANGED,
        before.revision,
        document,
        fields,
        drift,
        missing,
        tuple(dict.fromkeys(risks)),
    )


def _field(found: Difference) -> FieldChange:
    why = risk(found.steps, found.before, found.after)
    return FieldChange(found.path, found.before, found.after, why)


def _risks(fields: Iterable[FieldChange]) -> list[str]:
    return [f"{one.path}: {one.why}" for one in fields if one.why]


def _reverts(drift: Iterable[Drift]) -> list[str]:
    """Only what nobody decided is a risk: who wrote `revert` has confirmed it."""
    return [
        f"{one.path}: {REVERTED.format(region=one.region)}" for one in drift if one.verdict is None
    ]


def _drift(
    job: Declared, before: InForce, live: Sequence[Live], verdicts: Mapping[str, Verdict]
) -> tuple[Drift, ...]:
    applied, wished = cloud_part(before.document), cloud_part(job.document)
    found: list[Drift] = []
    for there in live:
        if there.document is None or there.region not in before.document["regions"]:
            continue
        document = _canonical(job, there.document)
        still = {one.steps for one in differences(document, wished)}
        for one in differences(applied, document):
            if _stands(one.steps, still):
                verdict = _verdict(job, one.path, verdicts)
                found.append(Drift(there.region, one.steps, one.before, one.after, verdict))
    return tuple(found)


def _canonical(job: Declared, live: Document) -> Document:
    """`live` as we would write it, if it is a job in our eyes: others write defaults out."""
    try:
        named = {**live, "project": job.project, "name": job.name}
        return cloud_part(JobSpec.from_document(named).document())
    except InvalidSpec:
        return live


def _stands(steps: Steps, still: set[Steps]) -> bool:
    """True when the field still differs from what is declared, in whole or in part."""
    return any(steps == other[: len(steps)] or other == steps[: len(other)] for other in still)


def _verdict(job: Declared, path: str, verdicts: Mapping[str, Verdict]) -> Verdict | None:
    if any(covers(pattern, path) for pattern in job.ignore_drift):
        return Verdict.IGNORE
    near = [
        pattern for pattern in verdicts if pattern == "*" or covers(pattern, f"{job.name}.{path}")
    ]
    return verdicts[max(near, key=_nearness)] if near else None


def _nearness(pattern: str) -> int:
    return 0 if pattern == "*" else len(pattern)


def _adopted(document: Document, drift: Sequence[Drift]) -> Document:
    """`document` with the live values that are adopted; where regions differ, the first's.

    Raises InvalidSpec when that is no job any more.
    """
    values = {one.steps: one.live for one in reversed(drift) if one.verdict is Verdict.ADOPT}
    found: Json = document
    for one in drift:
        if one.steps in values:
            found = with_value(found, one.steps, values.pop(one.steps))
    return found if found is document else JobSpec.from_document(found).document()


def _token(declared: Sequence[Declared], known: Known, verdicts: Mapping[str, Verdict]) -> str:
    wish = [
        known.environment,
        known.prune,
        sorted([*job.key, job.document] for job in declared) if declared else [],
        sorted(verdicts.items()),
    ]
    keys = {job.key for job in declared}
    projects = {key[0] for key in keys}
    base = [
        [*job.key, job.revision]
        for job in sorted(known.in_force, key=lambda job: job.key)
        if job.key in keys or (known.prune and job.project in projects)
    ]
    live = [
        [*key, sorted([one.region, one.etag] for one in there)]
        for key, there in sorted(known.live.items())
        if key in keys
    ]
    return f"plan_{_digest(wish)}-{_digest([base, live])}"


def _digest(value: Json) -> str:
    text = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    return blake2b(text, digest_size=_DIGEST_BYTES).hexdigest()
