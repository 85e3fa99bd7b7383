"""What all rules of a job have, whatever they watch: a name, a severity, for how long."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import ConfigDict, Field
from pydantic.alias_generators import to_camel

from runyard.model.channels import SeverityWord
from runyard.model.durations import seconds_of
from runyard.model.forms import Lasting, Shaped
from runyard.model.notice import Severity
from runyard.model.strict import Strict

WINDOW_SECONDS_MAX = 366 * 24 * 3600
HOLD_SECONDS_MAX = 7 * 24 * 3600
RuleName = Annotated[
    str,
    Shaped(
        "[a-z]([a-z0-9_-]{0,47}[a-z0-9])?",
        "a rule's name: at most 49 lower-case letters, digits, hyphens and _, a letter first",
        49,
    ),
]
Window = Annotated[str, Lasting(1, WINDOW_SECONDS_MAX, "8784h")]


class Spoken(Strict):
    """Keys of several words are written as one in a manifest (`atLeast`)."""

    model_config = ConfigDict(alias_generator=to_camel)


class Within(Spoken):
    """A length of time."""

    within: Window

    @property
    def seconds(self) -> float:
        """In seconds."""
        return seconds_of(self.within)


class Always(Spoken):
    """Nothing more to say."""


class Rule(Spoken):
    """A rule. `hold`: how long it must be so before people are told."""

    kind: ClassVar[str]

    name: RuleName | None = None
    severity: SeverityWord = Severity.ERROR
    hold: Annotated[str, Lasting(0, HOLD_SECONDS_MAX, "168h")] = Field(default="0s", alias="for")
    labels: dict[str, str] = Field(default={})
    enabled: bool = True

    @property
    def hold_seconds(self) -> float:
        """How long it must be so before people are told."""
        return seconds_of(self.hold)
