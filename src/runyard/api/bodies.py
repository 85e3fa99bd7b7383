"""What callers send, in our words: each field says its form, and so does OpenAPI."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, WithJsonSchema

from runyard.api.body_parts import (
    WAIT_SECONDS,
    IdempotencyKey,
    WaitSeconds,
    Whole,
    map_of_at_most,
)
from runyard.api.overrides_body import OverridesBody
from runyard.flow.planning import Verdict
from runyard.model.asking import LABELS_MAX, Labels
from runyard.model.beside import PRIORITY_MAX
from runyard.model.cloudrun.words import JobName
from runyard.model.forms import Between, Shaped
from runyard.model.job import EnvironmentName, ProjectName
from runyard.model.places import RegionName
from runyard.model.plan import RunRequest
from runyard.model.strict import Strict

REASON_CHARACTERS_MAX = 1000
FILES_MAX = 1000  #: as many as a manifest may have


Sentence = Annotated[
    str,
    Shaped(
        r"[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*",
        f"a text of at most {REASON_CHARACTERS_MAX} characters without control characters",
        REASON_CHARACTERS_MAX,
    ),
]


class RunBody(Strict):
    """A request for a run of a job (one in each region when the job's placement is `all`)."""

    job: JobName
    project: ProjectName | None = Field(
        default=None, description="Needed only where several projects have a job of this name."
    )
    environment: EnvironmentName | None = Field(default=None, description="Else the server's.")
    region: RegionName | None = Field(default=None, description="Else by the job's placement.")
    overrides: OverridesBody = OverridesBody()
    priority: Annotated[int, Between(-PRIORITY_MAX, PRIORITY_MAX), Whole] | None = Field(
        default=None, description="Else the job's; higher starts earlier."
    )
    labels: Labels = Field(
        default={},
        description="Added to the job's; wins over them.",
        json_schema_extra=map_of_at_most(LABELS_MAX),
    )
    idempotency_key: IdempotencyKey | None = Field(
        default=None, description="The same key again gets the same runs, not new ones."
    )

    def request(self, environment: str, by: str) -> RunRequest:
        """As the gate is asked; `environment` where the body names none."""
        return RunRequest(
            environment=self.environment or environment,
            job=self.job,
            by=by,
            project=self.project or "",
            region=self.region or "",
            overrides=self.overrides.overrides(),
            labels=tuple(sorted(self.labels.items())),
            priority=self.priority,
            key=self.idempotency_key or "",
        )


class CancelBody(Strict):
    """Why a run shall end."""

    reason: Sentence = ""


class ResumeBody(Strict):
    """Why a run need not wait any more."""

    reason: Sentence = ""


class FileBody(Strict):
    """One file of a manifest. `name` is what faults call it."""

    name: Annotated[str, Shaped(r"[^\x00-\x1f\x7f]{1,255}", "a file's name", 255)]
    text: str


class ManifestBody(Strict):
    """A manifest: one file or many."""

    files: Annotated[tuple[FileBody, ...], Field(min_length=1, max_length=FILES_MAX)]
    environment: EnvironmentName | None = Field(default=None, description="Else the server's.")


_FIELD_PATTERN = r"[^\x00-\x1f\x7f]{1,400}"
VERDICTS_MAX = 1000
FieldPattern = Annotated[str, Shaped(_FIELD_PATTERN, "JOB.FIELD, JOB, or * for every field", 400)]
Verdicts = Annotated[
    dict[FieldPattern, Verdict],
    Field(max_length=VERDICTS_MAX),
    WithJsonSchema(
        {
            "type": "object",
            "maxProperties": VERDICTS_MAX,
            "propertyNames": {"pattern": f"^(?:{_FIELD_PATTERN})$"},
            "additionalProperties": {"type": "string", "enum": [*Verdict]},
        }
    ),
]


class PlanBody(ManifestBody):
    """A manifest, and what becomes of what others changed at the provider."""

    drift: Verdicts = Field(
        default={}, description="By `JOB.FIELD`, `JOB` or `*`; the nearest counts."
    )


class EnvironmentsBody(Strict):
    """A manifest whose `environments` are meant."""

    files: Annotated[tuple[FileBody, ...], Field(min_length=1, max_length=FILES_MAX)]


class ApplyBody(PlanBody):
    """A manifest that is to come into force."""

    plan_token: Annotated[str, Shaped(r"[A-Za-z0-9_-]{0,100}", "a plan's token", 100)] = Field(
        default="", description="Apply exactly this plan, or nothing."
    )
    confirm: bool = Field(default=False, description="What is unsafe about it is wanted.")
    reason: Sentence = ""
    wait_seconds: WaitSeconds = WAIT_SECONDS


class ChangeBody(Strict):
    """How a job of this name is changed."""

    environment: EnvironmentName | None = Field(default=None, description="Else the server's.")
    project: ProjectName | None = Field(
        default=None, description="Needed only where several projects have a job of this name."
    )
    confirm: bool = Field(default=False, description="What is unsafe about it is wanted.")
    reason: Sentence = ""
    wait_seconds: WaitSeconds = WAIT_SECONDS


class AcceptBody(Strict):
    """How a job is given what a run of it came back with."""

    confirm: bool = Field(default=False, description="What is unsafe about it is wanted.")
    reason: Sentence = ""
    wait_seconds: WaitSeconds = WAIT_SECONDS


class RollbackBody(ChangeBody):
    """To which revision; else to the one before that which is in force."""

    to: Annotated[int, Between(1, 2**31 - 1), Whole] | None = None
