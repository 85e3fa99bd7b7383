"""`map`: what of the things that a trigger is told becomes arguments, variables, a file.

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


FILE_BYTES_MAX = 64 * 1024  #: of a file that is mapped: a run is kept with it
FilePath = Annotated[
    str,
    Shaped(
        r"(?:/(?!\.\.?(?:/|$))[^\x00-\x1f\x7f/:]{1,255}){1,20}",
        "an absolute path of a file, such as /input/event.json, without . and ..",
        1000,
    ),
]


class FileItem(Taken):
    """A value of what was told, as a file: a text as it is, anything else as JSON."""

    path: FilePath = Field(description="Where tasks find it; RUNYARD_INPUT says it, too.")
    type: ValueType | None = Field(
        default=ValueType.JSON, description="What it must be; else anything."
    )


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
    file: FileItem | None = Field(
        default=None, description="A file for each task, of at most 64 KiB; not at Google."
    )

    def taken(self) -> tuple[Taken, ...]:
        """Everything that is taken over, in order."""
        items = (*(self.args or ()), *self.env.values(), self.file)
        return tuple(item for item in items if isinstance(item, Taken))

    def _is_left_out(self, name: str, value: Any, field: FieldInfo) -> bool:
        return bool(value == field.default)
