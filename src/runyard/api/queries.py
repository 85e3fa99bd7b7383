"""What callers ask for in a query: each parameter says its form, and so does OpenAPI."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema

from runyard.api.bodies import Sentence
from runyard.api.body_parts import WAIT_SECONDS, WAIT_SECONDS_MAX, Instant
from runyard.api.secret_bodies import Etag
from runyard.flow.filter_fields import JOB_FIELDS, RUN_FIELDS
from runyard.model.audit import DIGEST_FORM
from runyard.model.cloudrun.words import JobName, SecretName
from runyard.model.delivery import DeliveryFate
from runyard.model.filters import CHARACTERS_MAX, parse
from runyard.model.forms import Between, Shaped, unexpected
from runyard.model.job import EnvironmentName, ProjectName
from runyard.model.places import RegionName
from runyard.model.principal import NAME_EXPECTED, NAME_FORM
from runyard.model.recurrence.nouns import Gap, Overlap
from runyard.model.recurrence.reading import TEXT_MAX
from runyard.model.run import State, TriggerKind
from runyard.model.validation import did_you_mean, one_of
from runyard.model.zones import NAME_MAX
from runyard.store.audit import AuditQuestion
from runyard.store.deliveries import DeliveryQuestion
from runyard.store.job_list import SORTS as JOB_SORTS
from runyard.store.job_list import JobQuestion
from runyard.store.run_list import SORTS, RunQuestion

PAGE_SIZE = 50
PAGE_SIZE_MAX = 1000
ENTRIES_MAX = 10_000
POSITION_MAX = 2**53  #: what every JSON reader knows exactly
LabelFilter = Annotated[
    str,
    Shaped(
        r"[a-z][a-z0-9_-]{0,62}=[a-z0-9_-]{0,63}",
        "KEY=VALUE of a label, such as team=data",
        127,
    ),
]
HookPath = Annotated[
    str,
    Shaped(
        r"[a-z][a-z0-9-]{0,62}(?:/[a-z][a-z0-9-]{0,62}){3}",
        "a webhook, as PROJECT/ENVIRONMENT/JOB/NAME",
        300,
    ),
]
PageSize = Annotated[int, Between(1, PAGE_SIZE_MAX)]
PageToken = Annotated[str, Shaped(r"[A-Za-z0-9_-]*", "a token as the page before gave it", 1024)]
FilterText = Annotated[
    str,
    Field(
        max_length=CHARACTERS_MAX,
        description="An AIP-160 filter such as `state = dead AND labels.team = data`.",
    ),
]


def _sort_words(names: Iterable[str]) -> tuple[AfterValidator, WithJsonSchema]:
    """What checks a word to sort by, and what OpenAPI is told of it."""
    words = tuple(sign + name for name in names for sign in ("", "-"))

    def check(value: str) -> str:
        if value not in words:
            raise unexpected(one_of(words), did_you_mean(value, words))
        return value

    return AfterValidator(check), WithJsonSchema({"type": "string", "enum": [*words]})


RunSort = Annotated[str, *_sort_words(SORTS)]
JobSort = Annotated[str, *_sort_words(JOB_SORTS)]


class Query(BaseModel):
    """A query knows all its parameters; another one is a fault."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class RunsQuery(Query):
    """Which runs, in which order, from where."""

    state: list[State] = Field(default=[], description="In one of these states.")
    job: JobName | None = None
    region: RegionName | None = None
    trigger: TriggerKind | None = None
    label: list[LabelFilter] = Field(default=[], description="With all of these labels.")
    since: Instant | None = Field(default=None, description="Asked for at or after it.")
    until: Instant | None = Field(default=None, description="Asked for before it.")
    filter: FilterText = ""
    sort: RunSort = Field(
        default="-requested_at",
        description="`-` turns it round; what has no value comes last either way.",
    )
    page_size: PageSize = PAGE_SIZE
    page_token: PageToken = ""

    def question(self) -> RunQuestion:
        """As the store is asked. Raises InvalidSpec when the filter is not understood."""
        return RunQuestion(
            states=tuple(sorted(set(self.state))),
            job=self.job or "",
            region=self.region or "",
            trigger=self.trigger or "",
            labels=labels_of(self.label),
            since=self.since,
            until=self.until,
            sort=self.sort.lstrip("-"),
            descending=self.sort.startswith("-"),
            filter_text=self.filter,
            filter=parse(self.filter, RUN_FIELDS),
        )


def labels_of(given: list[str]) -> tuple[tuple[str, str], ...]:
    """Each `KEY=VALUE` as a pair, in order, none twice."""
    pairs = {(key, value) for key, _, value in (one.partition("=") for one in given)}
    return tuple(sorted(pairs))


class JobsQuery(Query):
    """Which jobs, from where."""

    environment: EnvironmentName | None = Field(default=None, description="Else the server's.")
    name: JobName | None = None
    label: list[LabelFilter] = Field(default=[], description="With all of these labels.")
    filter: FilterText = ""
    sort: JobSort = Field(default="name", description="`-` turns it round.")
    page_size: PageSize = PAGE_SIZE
    page_token: PageToken = ""

    def question(self, environment: str) -> JobQuestion:
        """As the store is asked, of an environment. Raises InvalidSpec when the filter is not
        understood."""
        return JobQuestion(
            environment=environment,
            name=self.name or "",
            labels=labels_of(self.label),
            sort=self.sort.lstrip("-"),
            descending=self.sort.startswith("-"),
            filter_text=self.filter,
            filter=parse(self.filter, JOB_FIELDS),
        )


class JobQuery(Query):
    """Whose job of a name."""

    environment: EnvironmentName | None = Field(default=None, description="Else the server's.")
    project: ProjectName | None = Field(
        default=None, description="Needed only where several projects have a job of this name."
    )


class RevisionsQuery(JobQuery):
    """Which revisions of a job, from where."""

    page_size: PageSize = PAGE_SIZE
    page_token: PageToken = ""


class TriggersQuery(Query):
    """Which triggers, from where."""

    environment: EnvironmentName | None = Field(default=None, description="Else the server's.")
    job: JobName | None = Field(default=None, description="All of this job at once.")
    page_size: PageSize = PAGE_SIZE
    page_token: PageToken = ""


class SchedulePreviewQuery(Query):
    """Which schedule, in which zone, from when."""

    schedule: str = Field(
        min_length=1, max_length=TEXT_MAX, description="Cron, English or an interval, as anywhere."
    )
    time_zone: str = Field(default="UTC", max_length=NAME_MAX)
    since: Instant | None = Field(default=None, description="Instants after it; else after now.")
    count: Annotated[int, Between(1, PAGE_SIZE_MAX)] = 10
    gap: Gap | None = Field(default=None, description="What becomes of a time that is skipped.")
    overlap: Overlap | None = Field(
        default=None, description="What becomes of a time that comes twice."
    )


class GraphQuery(Query):
    """Of which environment, and which project."""

    environment: EnvironmentName | None = Field(default=None, description="Else the server's.")
    project: ProjectName | None = Field(default=None, description="Else of all projects.")


class InstantsQuery(JobQuery):
    """Which instants of a trigger, from where."""

    page_size: PageSize = PAGE_SIZE
    page_token: PageToken = ""


class DiffQuery(JobQuery):
    """Which two revisions of a job."""

    since: Annotated[int, Between(1, 2**31 - 1)] | None = Field(
        default=None, description="Else the one before `to`."
    )
    to: Annotated[int, Between(1, 2**31 - 1)] | None = Field(
        default=None, description="Else the newest."
    )


class EnvironmentsQuery(Query):
    """Whose environments."""

    project: ProjectName | None = Field(default=None, description="Only of this project.")


class ChannelsQuery(Query):
    """Whose channels."""

    environment: EnvironmentName | None = Field(default=None, description="Else the server's.")
    project: ProjectName | None = Field(default=None, description="Only of this project.")


class OperationsQuery(Query):
    """Which operations, from where."""

    environment: EnvironmentName | None = Field(default=None, description="Else the server's.")
    job: JobName | None = Field(default=None, description="Only those that change this job.")
    page_size: PageSize = PAGE_SIZE
    page_token: PageToken = ""


class DeleteQuery(JobQuery):
    """Which job is deleted, and how."""

    force: bool = Field(default=False, description="Stop its runs first; needs a reason.")
    cascade: bool = Field(default=False, description="Delete what depends on it, too.")
    reason: Sentence = ""
    wait_seconds: Annotated[float, Between(0, WAIT_SECONDS_MAX)] = Field(
        default=WAIT_SECONDS, description="How long to wait for the end of it."
    )


class AttemptQuery(Query):
    """Which attempt of a run."""

    attempt: Annotated[int, Between(1, 1000)] | None = Field(
        default=None, description="From 1; else the last one."
    )


class TasksQuery(AttemptQuery):
    """Which tasks."""

    first: Annotated[int, Between(0, 9_999)] = Field(default=0, description="Index to begin at.")
    limit: Annotated[int, Between(1, PAGE_SIZE_MAX)] = 100


class LogQuery(AttemptQuery):
    """Which lines of a log."""

    after: Annotated[int, Between(0, POSITION_MAX)] = Field(
        default=0, description="The position read to; 0 is the beginning."
    )
    limit: Annotated[int, Between(1, ENTRIES_MAX)] = 1000
    task: Annotated[int, Between(0, 9_999)] | None = Field(
        default=None, description="Only of the task with this index."
    )


class EventsQuery(Query):
    """What of a run's events."""

    log: bool = Field(default=True, description="Whether log lines are among them.")


class HistoryQuery(Query):
    """Which facts of a history."""

    after: Annotated[int, Between(0, POSITION_MAX)] = Field(
        default=0, description="Only those after this sequence number."
    )


class EnvironmentQuery(Query):
    """Of which environment."""

    environment: EnvironmentName | None = Field(default=None, description="Else the server's.")


class SecretDeleteQuery(EnvironmentQuery):
    """As it was last seen, and whether jobs that read it matter."""

    etag: Etag = ""
    force: bool = False


class SecretAccessQuery(EnvironmentQuery):
    """Whose accesses, from where."""

    name: SecretName | None = Field(default=None, description="Else of every secret.")
    before: Annotated[int, Between(1, POSITION_MAX)] | None = Field(
        default=None, description="Those before the record of this number."
    )
    page_size: PageSize = PAGE_SIZE


PrincipalName = Annotated[str, Shaped(NAME_FORM, NAME_EXPECTED, 128)]
AuditWord = Annotated[str, Shaped(r"[^\x00-\x1f\x7f]{1,300}", "at most 300 characters", 300)]


AnchorText = Annotated[
    str,
    Shaped(
        rf"[1-9][0-9]{{0,14}}:{DIGEST_FORM}",
        "NUMBER:DIGEST, as `runyard audit anchor` prints it",
        80,
    ),
]


class TokensQuery(Query):
    """Whose tokens."""

    principal: PrincipalName | None = None


class AuditQuery(Query):
    """Which entries of the audit log, from where."""

    by: AuditWord | None = Field(default=None, description="Made by this principal.")
    action: AuditWord | None = Field(default=None, description="Such as token.revoke.")
    target: AuditWord | None = Field(default=None, description="Such as principal/ann.")
    environment: EnvironmentName | None = None
    since: Instant | None = Field(default=None, description="Made at or after it.")
    until: Instant | None = Field(default=None, description="Made before it.")
    page_size: PageSize = PAGE_SIZE
    page_token: PageToken = ""

    def question(self, visible: tuple[str, ...] | None) -> AuditQuestion:
        """As the store is asked, of the `visible` environments (None: all)."""
        asked = visible
        if self.environment is not None:
            seen = visible is None or self.environment in visible
            asked = (self.environment,) if seen else ()
        return AuditQuestion(
            by=self.by or "",
            action=self.action or "",
            target=self.target or "",
            environments=asked,
            since=self.since,
            until=self.until,
        )


class DeliveriesQuery(Query):
    """Which deliveries to webhooks, from where."""

    environment: EnvironmentName | None = Field(default=None, description="Else any.")
    hook: HookPath | None = Field(default=None, description="PROJECT/ENVIRONMENT/JOB/NAME.")
    fate: DeliveryFate | None = None
    page_size: PageSize = PAGE_SIZE
    page_token: PageToken = ""

    def question(self, visible: tuple[str, ...] | None) -> DeliveryQuestion:
        """As the store is asked, of the `visible` environments (None: all)."""
        asked = visible if self.environment is None else (self.environment,)
        return DeliveryQuestion(self.hook or "", self.fate or "", asked)


class VerifyQuery(Query):
    """What the audit log is held against."""

    anchor: list[AnchorText] = Field(
        default=[], description="NUMBER:DIGEST, as /audit:anchor gave it; may be repeated."
    )
