"""What callers ask and send about dead letters and replays of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from pydantic import Field

from runyard.api.body_parts import Instant, Whole
from runyard.api.overrides_body import OverridesBody
from runyard.api.people_bodies import Reason, Why
from runyard.model.cloudrun.words import JobName
from runyard.model.dead_letter import (
    LETTERS_MAX,
    PER_MINUTE,
    PER_MINUTE_MAX,
    DeadLetter,
    LetterState,
    ReplayHow,
)
from runyard.model.errors import Fault, InvalidSpec
from runyard.model.failure import FailureClass
from runyard.model.forms import Between, MemoryAmount, Shaped
from runyard.model.job import EnvironmentName, ProjectName
from runyard.model.pubsub.limits import TopicName
from runyard.model.quantities import memory_bytes_of
from runyard.model.strict import Strict
from runyard.store.dead_letters import QUEUED, LetterQuestion

MEMORY_BYTES_MAX = 32 * 1024**3
"""Of a task: https://cloud.google.com/run/docs/configuring/jobs/memory-limits."""
LetterId = Annotated[
    str, Shaped(r"run_[0-9a-hjkmnp-tv-z]{26}", "a dead run's id, such as run_01k…", 30)
]
GroupId = Annotated[
    str, Shaped(r"[0-9a-f]{16}", "a group's fingerprint: 16 hexadecimal digits", 16)
]
ClassName = Annotated[FailureClass, Field(strict=False)]
EVERY = "every"  #: of the state: whatever it is
StateName = Annotated[
    str,
    Shaped(
        "|".join([QUEUED, EVERY, *LetterState]),
        f"{QUEUED} (in the queue), {EVERY}, or one of {', '.join(LetterState)}",
        10,
    ),
]


class WhichBody(Strict):
    """Which open letters are meant. All that is said must be so."""

    environment: EnvironmentName | None = Field(default=None, description="Else the server's.")
    letters: Annotated[tuple[LetterId, ...], Field(max_length=LETTERS_MAX)] = ()
    job: JobName | None = None
    project: ProjectName | None = None
    failure_class: ClassName | None = None
    group: GroupId | None = None
    since: Annotated[Instant | None, Field(description="Dead since then.")] = None
    until: Annotated[Instant | None, Field(description="Dead before then.")] = None
    every: bool = Field(default=False, description="All of the environment, where none is said.")

    def question(self, environment: str) -> LetterQuestion:
        """As the store is asked. Raises InvalidSpec when nothing says which are meant."""
        asked = LetterQuestion(
            environment=environment,
            project=self.project or "",
            job=self.job or "",
            failure_class=self.failure_class or "",
            group=self.group or "",
            state=LetterState.OPEN,
            since=self.since,
            until=self.until,
        )
        nothing = LetterQuestion(environment=environment, state=LetterState.OPEN)
        if replace(asked, project="") == nothing and not self.letters and not self.every:
            expected = "letters, job, failure_class, group, since or until; or every: true"
            fault = Fault("every", "false", expected)
            raise InvalidSpec("it is not said which dead letters are meant", faults=(fault,))
        return asked

    def holds(self, one: DeadLetter, question: LetterQuestion) -> bool:
        """True when a letter that is named fits what else is said."""
        return (
            question.job in ("", one.job)
            and question.project in ("", one.project)
            and question.failure_class in ("", one.failure_class)
            and question.group in ("", one.fingerprint)
            and (question.since is None or one.died_at >= question.since)
            and (question.until is None or one.died_at < question.until)
        )

    def words(self) -> str:
        """Which are meant, for people."""
        given = {
            "job": self.job,
            "project": self.project,
            "class": self.failure_class,
            "group": self.group,
            "since": self.since and f"{self.since:%Y-%m-%dT%H:%M:%SZ}",
            "until": self.until and f"{self.until:%Y-%m-%dT%H:%M:%SZ}",
            "letters": len(self.letters) or None,
        }
        said = [f"{name} {value}" for name, value in given.items() if value]
        return ", ".join(said) or "every open letter"


class HowBody(Strict):
    """What is different in the run that takes the place of a dead one; else it is as that was."""

    as_it_was: bool = Field(
        default=False, description="By the job's revision that the dead run had, not the newest."
    )
    overrides: OverridesBody = OverridesBody()
    memory: Annotated[str, MemoryAmount()] | None = Field(
        default=None, description="Of a task, for this run only."
    )

    def how(self) -> ReplayHow:
        """As a replay keeps it. Raises InvalidSpec for more memory than a task can have."""
        over = self.overrides.overrides()
        memory = None if self.memory is None else memory_bytes_of(self.memory)
        if memory is not None and not 0 < memory <= MEMORY_BYTES_MAX:
            fault = Fault("memory", str(self.memory), "more than 0, at most 32Gi")
            raise InvalidSpec("a task cannot have so much memory", faults=(fault,))
        return ReplayHow(
            self.as_it_was,
            over.args,
            over.env,
            over.task_count,
            over.timeout_seconds,
            memory,
        )


class ReplayBody(HowBody):
    """How one dead letter is replayed."""


class ReplayManyBody(HowBody):
    """Which dead letters are replayed, how, and how fast."""

    which: WhichBody
    verify_first: bool = Field(
        default=False, description="One of them first; the others once that has succeeded."
    )
    per_minute: Annotated[int, Whole, Between(1, PER_MINUTE_MAX)] = PER_MINUTE
    preview: bool = Field(default=False, description="Say which there would be, and do nothing.")


class FixedBody(Strict):
    """What was fixed: a job, or one group of its dead."""

    job: JobName
    environment: EnvironmentName | None = Field(default=None, description="Else the server's.")
    project: ProjectName | None = None
    group: GroupId | None = Field(default=None, description="Else all of the job's dead letters.")
    per_minute: Annotated[int, Whole, Between(1, PER_MINUTE_MAX)] = PER_MINUTE


class DiscardBody(Strict):
    """Why a dead letter need not be replayed."""

    reason: Reason


class DiscardManyBody(DiscardBody):
    """Which dead letters need not be replayed, and why."""

    which: WhichBody


class PublishLettersBody(Strict):
    """Which dead letters are published, and to which topic of their environment."""

    which: WhichBody
    topic: TopicName
    again: bool = Field(default=False, description="Also those that were published there before.")


class CancelReplayBody(Strict):
    """Why no more letters of a replay are to be asked for."""

    reason: Why = ""


LETTER_BODIES: tuple[type[Strict], ...] = (
    ReplayBody,
    ReplayManyBody,
    FixedBody,
    DiscardBody,
    DiscardManyBody,
    PublishLettersBody,
    CancelReplayBody,
)
