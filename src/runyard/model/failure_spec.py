"""How a job says which class its failures are of, in the manifest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Self

from pydantic import Field, GetCoreSchemaHandler, GetJsonSchemaHandler, model_validator
from pydantic_core import CoreSchema, core_schema

from runyard.model.failure import (
    CHOICES_MAX,
    PATTERN_LENGTH_MAX,
    UNBOUNDED_MAX,
    FailureClass,
    FailureRule,
    pattern_fault,
)
from runyard.model.forms import Between, Shaped, unexpected
from runyard.model.strict import Strict

RULES_MAX = 20  #: of one job
EXIT_CODE_MAX = 255  #: POSIX: the low eight bits of what a program returns
SIGNAL_MAX = 64  #: signal(7): the last of the real-time signals


@dataclass(frozen=True, slots=True)
class Pattern:
    """A regular expression that is cheap to look for (`failure.pattern_fault`)."""

    expected = (
        f"a regular expression of at most {PATTERN_LENGTH_MAX} characters, with at most "
        f"{UNBOUNDED_MAX} of * and + and {CHOICES_MAX} groups, none of them repeated"
    )

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        def check(value: str) -> str:
            if not 0 < len(value) <= PATTERN_LENGTH_MAX:
                raise unexpected(self.expected)
            if fault := pattern_fault(value):
                raise unexpected(self.expected, fault)
            return value

        return core_schema.no_info_after_validator_function(check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return handler(schema) | {"description": self.expected, "maxLength": PATTERN_LENGTH_MAX}


class FailureMatchSpec(Strict):
    """Everything that is written must be so. `log` is looked for in each of the last lines of a
    failed task, `reason` is the provider's word, such as SECRETS_ACCESS_CHECK_FAILED."""

    exit_code: Annotated[int, Between(0, EXIT_CODE_MAX)] | None = None
    signal: Annotated[int, Between(1, SIGNAL_MAX)] | None = None
    log: Annotated[str, Pattern()] | None = None
    reason: Annotated[str, Shaped("[A-Z][A-Z0-9_]*", "a word such as CANCELLED", 100)] | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.document():
            raise unexpected("at least one of exit_code, signal, log and reason")
        return self


class FailureRuleSpec(Strict):
    """Failures that match are of this class, whatever our own rules would say."""

    match: FailureMatchSpec
    failure_class: FailureClass = Field(alias="class")

    def rule(self) -> FailureRule:
        """As a run keeps it."""
        wanted = self.match
        return FailureRule(
            failure_class=self.failure_class,
            exit_code=wanted.exit_code,
            signal=wanted.signal,
            log=wanted.log or "",
            reason=wanted.reason or "",
        )
