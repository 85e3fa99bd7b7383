"""What callers send, in our words: each field says its form, and so does OpenAPI."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, Field, WithJsonSchema

from runyard.api.body_parts import Whole, map_of_at_most
from runyard.api.people_bodies import PEOPLE_BODIES
from runyard.api.secret_bodies import SECRET_BODIES
from runyard.flow.planning import Verdict
from runyard.model.beside import PRIORITY_MAX
from runyard.model.cloudrun.words import EnvName, JobName
from runyard.model.durations import seconds_of
from runyard.model.forms import Between, Lasting, Shaped, unexpected
from runyard.model.job import EnvironmentName, ProjectName, RegionName
from runyard.model.manifest import rules_environment, rules_labels
from runyard.model.plan import RunRequest
from runyard.model.run import Overrides
from runyard.model.strict import Strict

TASKS_MAX = 10_000  #: tasks of an execution (cloud.google.com/run/quotas)
TIMEOUT_SECONDS_MAX = 168 * 3600  #: of a task (cloud.google.com/run/docs/configuring/task-timeout)
ARGUMENT_BYTES_MAX = 128 * 1024  #: MAX_ARG_STRLEN of Linux, execve(2)
KEY_CHARACTERS_MAX = 255
REASON_CHARACTERS_MAX = 1000
WAIT_SECONDS = 20.0  #: shorter than clients wait for an answer
WAIT_SECONDS_MAX = 600
FILES_MAX = 1000  #: as many as a manifest may have


def _free_name(name: str) -> str:
    reserved = name in rules_environment.RESERVED
    if reserved or name.startswith(rules_environment.RESERVED_PREFIX):
        raise unexpected("a name that Cloud Run does not set itself", "choose another name")
    return name


def _small_value(value: str) -> str:
    if "\0" in value or len(value.encode()) > rules_environment.VALUE_BYTES_MAX:
        most = rules_environment.VALUE_BYTES_MAX
        raise unexpected(f"a text of at most {most} bytes, without NUL")
    return value


def _argument(value: str) -> str:
    if "\0" in value or len(value.encode()) >= ARGUMENT_BYTES_MAX:
        raise unexpected(f"a text of fewer than {ARGUMENT_BYTES_MAX} bytes, without NUL")
    return value


def _few_variables(env: dict[str, str]) -> dict[str, str]:
    if len(env) > rules_environment.VARIABLES_MAX:
        raise unexpected(f"at most {rules_environment.VARIABLES_MAX} variables")
    return env


def _few_labels(labels: dict[str, str]) -> dict[str, str]:
    if len(labels) > rules_labels.LABELS_MAX:
        raise unexpected(f"at most {rules_labels.LABELS_MAX} labels")
    return labels


VariableName = Annotated[EnvName, AfterValidator(_free_name)]
VariableValue = Annotated[str, AfterValidator(_small_value)]
LabelKey = Annotated[
    str,
    Shaped(
        r"[a-z][a-z0-9_-]{0,62}",
        "a label's key: at most 63 lower-case letters, digits, - and _, a letter first",
        63,
    ),
]
LabelValue = Annotated[
    str,
    Shaped(
        r"[a-z0-9_-]{0,63}",
        "a label's value: at most 63 lower-case letters, digits, - and _",
        63,
    ),
]
IdempotencyKey = Annotated[
    str,
    Shaped(
        r"[!-~]{1,255}",
        f"a key: 1 to {KEY_CHARACTERS_MAX} printable ASCII characters without blanks",
        KEY_CHARACTERS_MAX,
    ),
]
Sentence = Annotated[
    str,
    Shaped(
        r"[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*",
        f"a text of at most {REASON_CHARACTERS_MAX} characters without control characters",
        REASON_CHARACTERS_MAX,
    ),
]


WaitSeconds = Annotated[
    float,
    Between(0, WAIT_SECONDS_MAX),
    Field(description="How long the answer may wait for the end of it."),
]


class OverridesBody(Strict):
    """What is changed for this run only; the same four that Cloud Run's RunJob can change."""

    args: tuple[Annotated[str, AfterValidator(_argument)], ...] | None = Field(
        default=None, description="Replaces the first container's arguments; [] means none."
    )
    env: Annotated[dict[VariableName, VariableValue], AfterValidator(_few_variables)] = Field(
        default={},
        description="Added to the environment of every container; wins over the job's.",
        json_schema_extra=map_of_at_most(rules_environment.VARIABLES_MAX),
    )
    task_count: Annotated[int, Between(1, TASKS_MAX), Whole] | None = None
    timeout: Annotated[str, Lasting(1, TIMEOUT_SECONDS_MAX, "168h")] | None = Field(
        default=None, description="Of one task attempt."
    )

    def overrides(self) -> Overrides:
        """As a run keeps them."""
        return Overrides(
            args=self.args,
            env=tuple(sorted(self.env.items())),
            task_count=self.task_count,
            timeout_seconds=None if self.timeout is None else seconds_of(self.timeout),
        )


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
    labels: Annotated[dict[LabelKey, LabelValue], AfterValidator(_few_labels)] = Field(
        default={},
        description="Added to the job's; wins over them.",
        json_schema_extra=map_of_at_most(rules_labels.LABELS_MAX),
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


class RollbackBody(ChangeBody):
    """To which revision; else to the one before that which is in force."""

    to: Annotated[int, Between(1, 2**31 - 1), Whole] | None = None


BODIES: tuple[type[Strict], ...] = (
    RunBody,
    CancelBody,
    ManifestBody,
    PlanBody,
    EnvironmentsBody,
    ApplyBody,
    ChangeBody,
    RollbackBody,
    *SECRET_BODIES,
    *PEOPLE_BODIES,
)


def schemas() -> dict[str, Any]:
    """The JSON Schemas of every body and of what they are made of, by name."""
    found: dict[str, Any] = {}
    for body in BODIES:
        schema = body.model_json_schema(ref_template="#/components/schemas/{model}")
        found |= schema.pop("$defs", {})
        found[body.__name__] = schema
    return found
