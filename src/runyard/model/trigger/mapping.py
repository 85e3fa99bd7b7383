"""`map`: what of the things that a trigger is told becomes arguments and variables of its runs.

Events and webhooks have it. `flow.mapping` carries it out.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, Field, model_validator
from pydantic.fields import FieldInfo

from runyard.model.asking import VARIABLES_MAX, Argument, VariableName, VariableValue
from runyard.model.forms import Counted, Shaped, unexpected
from runyard.model.kinds import Kinds
from runyard.model.strict import Strict
from runyard.model.trigger.pointing import Place

ARGUMENTS_MAX = 1000


class ValueType(StrEnum):
    """What a value must be to be taken over."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    JSON = "json"  # anything, written as compact JSON


class Taken(Strict):
    """A value of what was told. Without a type it is a text, a number or true or false."""

    source: Place = Field(alias="from")
    type: ValueType | None = Field(
        default=None, description="What it must be; else a text, a number, true or false."
    )
    prefix: Annotated[str, Shaped(r"[^\x00]{0,200}", "a text of at most 200 characters", 200)] = (
        Field(default="", description="Put before the value: `--branch=`.")
    )
    optional: bool = Field(
        default=False, description="Where there is none, it is left out; else it is refused."
    )
    default: VariableValue | None = Field(
        default=None, description="In its place, after the prefix, where there is none."
    )

    @model_validator(mode="after")
    def _one_way_out(self) -> Taken:
        if self.optional and self.default is not None:
            raise unexpected("optional or a default, not both", "remove one")
        return self

    def _is_left_out(self, name: str, value: Any, field: FieldInfo) -> bool:
        return bool(value == field.default)


def _few(env: dict[str, Any]) -> dict[str, Any]:
    if len(env) > VARIABLES_MAX:
        raise unexpected(f"at most {VARIABLES_MAX} variables")
    return env


ArgumentItem = Annotated[Argument | Taken, Kinds({"from": Taken}, "a mapping", Argument)]
VariableItem = Annotated[VariableValue | Taken, Kinds({"from": Taken}, "a mapping", VariableValue)]


class MapSpec(Strict):
    """Arguments and variables; a text stands for itself, `from` takes one over."""

    args: Annotated[tuple[ArgumentItem, ...], Counted(0, ARGUMENTS_MAX)] | None = Field(
        default=None, description="Replaces the first container's arguments; [] means none."
    )
    env: Annotated[dict[VariableName, VariableItem], AfterValidator(_few)] = Field(
        default={}, description="Added to the environment of every container; wins over the job's."
    )

    def taken(self) -> tuple[Taken, ...]:
        """Everything that is taken over, in order."""
        items = (*(self.args or ()), *self.env.values())
        return tuple(item for item in items if isinstance(item, Taken))

    def _is_left_out(self, name: str, value: Any, field: FieldInfo) -> bool:
        return bool(value == field.default)
