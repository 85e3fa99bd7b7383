"""A chain: asks for runs when runs of other jobs end, with what those wrote."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel
from pydantic.fields import FieldInfo

from runyard.model.cloudrun.words import JobName
from runyard.model.forms import Counted, unexpected
from runyard.model.kinds import Kinds
from runyard.model.run import State
from runyard.model.strict import Strict
from runyard.model.trigger.asking import Asking
from runyard.model.trigger.mapping import MapSpec
from runyard.model.trigger.pointing import HEADERS, MESSAGES
from runyard.model.trigger.words import TriggerName

SOURCES_MAX = 100  #: jobs that one chain waits for


class EndedAs(StrEnum):
    """How a run has to end to be followed. One that never started is never followed."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"  # dead, or cancelled
    DEAD = "dead"
    ANY = "any"


#: The states that are meant.
STATES: dict[EndedAs, frozenset[State]] = {
    EndedAs.SUCCEEDED: frozenset({State.SUCCEEDED}),
    EndedAs.FAILED: frozenset({State.DEAD, State.CANCELLED}),
    EndedAs.DEAD: frozenset({State.DEAD}),
    EndedAs.ANY: frozenset({State.SUCCEEDED, State.DEAD, State.CANCELLED}),
}


def _each_once(jobs: tuple[str, ...]) -> tuple[str, ...]:
    twice = next((one for number, one in enumerate(jobs) if one in jobs[:number]), None)
    if twice is not None:
        raise unexpected(f"each job once; {twice} is named twice")
    return jobs


JobNames = Annotated[tuple[JobName, ...], Counted(1, SOURCES_MAX), AfterValidator(_each_once)]


class AfterJob(Strict):
    """After each run of a job."""

    job: JobName = Field(description="A job of the same project.")
    on: EndedAs = EndedAs.SUCCEEDED

    @property
    def jobs(self) -> tuple[str, ...]:
        """The jobs that are followed."""
        return (self.job,)


class AfterAll(Strict):
    """Once each of several jobs has ended so since the chain last asked for a run."""

    all: JobNames = Field(description="Jobs of the same project.")
    on: EndedAs = EndedAs.SUCCEEDED

    @property
    def jobs(self) -> tuple[str, ...]:
        """The jobs that are followed."""
        return self.all


class AfterAny(Strict):
    """After each run of one of several jobs."""

    any: JobNames = Field(description="Jobs of the same project.")
    on: EndedAs = EndedAs.SUCCEEDED

    @property
    def jobs(self) -> tuple[str, ...]:
        """The jobs that are followed."""
        return self.any


After = Annotated[
    AfterJob | AfterAll | AfterAny,
    Kinds({"job": AfterJob, "all": AfterAll, "any": AfterAny}, "a mapping"),
]


class ChainSpec(Strict):
    """Asks for a run when runs of other jobs end. `map` takes over what those wrote as their
    output: it is the `body`; of `all`, the body has each job's under its name."""

    model_config = ConfigDict(alias_generator=to_camel)
    kind: ClassVar[str] = "chain"

    name: TriggerName | None = None
    after: After
    map: MapSpec = MapSpec()
    enabled: bool = True
    asking: Asking = Field(default=Asking(), alias="with")

    @model_validator(mode="after")
    def _fits_together(self) -> ChainSpec:
        wrong = next((one.source for one in self.map.taken() if _is_elsewhere(one.source)), None)
        if wrong is not None:
            raise unexpected(f"a place in body or attributes: {wrong} is none of a run")
        if self.map.args is not None and self.asking.args is not None:
            raise unexpected("args in `map` or in `with`, not both", "a text in map.args is itself")
        return self

    def _is_left_out(self, name: str, value: Any, field: FieldInfo) -> bool:
        nothing = isinstance(value, MapSpec | Asking) and not value.document()
        return nothing or super()._is_left_out(name, value, field)


def _is_elsewhere(place: str) -> bool:
    return place == MESSAGES or place.startswith(f"{HEADERS}.")
