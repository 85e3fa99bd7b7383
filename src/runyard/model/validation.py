"""From data to a model, or to every complaint about it in our own words."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, TypeVar, get_origin

import orjson
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from runyard.model.forms import UNEXPECTED
from runyard.model.kinds import MARK

Path = tuple[str | int, ...]
M = TypeVar("M", bound=BaseModel)

SHOWN_MAX = 60  #: characters of a value that a fault shows: enough to find it, fits one line

PARTS_MAX = 20  #: of a path that a fault shows; Cloud Run's deepest field has 15
ROOT = "manifest"  #: the path of the whole
HIDDEN = "a value that is not shown"  #: in place of what may be a secret

CHOICES_MAX = 30  #: that a fault lists, each at most 63 characters
COMPLAINTS_MAX = 1000  #: about one model; more than anybody reads
NEAR_MAX = 100  #: choices among which the nearest is looked for

_PLAIN = re.compile("[A-Za-z0-9_-]{1,63}")

_OF_KEY = "[key]"  #: pydantic's last step where it is a map's key that is wrong

# pydantic's error types (https://docs.pydantic.dev/latest/errors/validation_errors/) in our words.
_EXPECTED = {
    "string_type": "a text",
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "dict_type": "a mapping",
    "tuple_type": "a list",
    "string_too_short": "a text that is not empty",
}


@dataclass(frozen=True, slots=True)
class Complaint:
    """One thing wrong at `path`. `about_key`: it is the key that is wrong, not its value."""

    path: Path
    expected: str
    hint: str = ""
    about_key: bool = False

    def below(self, steps: int) -> Complaint:
        """The same, its path without the first `steps`."""
        return replace(self, path=self.path[steps:])


def read(model: type[M], data: Mapping[str, Any]) -> tuple[M | None, list[Complaint]]:
    """The model that `data` (plain JSON values) makes, or None and every complaint."""
    try:
        return model.model_validate_json(orjson.dumps(data)), []
    except ValidationError as fault:
        details = fault.errors(include_url=False)[:COMPLAINTS_MAX]
        return None, [_complaint(model, detail) for detail in details]


def dotted(path: Path) -> str:
    """`path` as people read it: `jobs.report.template.containers[0].image`; the root has a name."""
    text = ""
    for part in path[:PARTS_MAX]:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            step = part if _PLAIN.fullmatch(part) else shown(part)
            text += f".{step}" if text else step
    return f"{text}…" if len(path) > PARTS_MAX else text or ROOT


def is_hidden(path: Path) -> bool:
    """True for the value of an environment variable, which may be a secret."""
    of_container = len(path) > 2 and path[-1] == "value" and path[-3] == "env"
    return of_container or path[-3:-1] == ("with", "env")


def shown(value: Any) -> str:
    """`value` made printable and short; long and nested ones are described."""
    if isinstance(value, Mapping):
        return f"a mapping of {len(value)}"
    if isinstance(value, list | tuple):
        return f"a list of {len(value)}"
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "nothing"}[value]
    return str(value)[:SHOWN_MAX]


def did_you_mean(word: str, choices: Iterable[str]) -> str:
    """The hint that names the nearest of `choices`, or an empty text when none is near."""
    known = {_folded(choice[:SHOWN_MAX]): choice for choice in islice(choices, NEAR_MAX)}
    near = difflib.get_close_matches(_folded(word[:SHOWN_MAX]), known, n=1, cutoff=0.6)
    return f"did you mean {shown(known[near[0]])}?" if near else ""


def one_of(choices: Iterable[str]) -> str:
    """The words for a choice."""
    listed = [choice[:63] for choice in islice(choices, CHOICES_MAX + 1)]
    if len(listed) > CHOICES_MAX:
        listed[-1] = "…"
    return f"one of {', '.join(listed)}" if len(listed) > 1 else ", ".join(listed)


def _folded(word: str) -> str:
    return word.replace("_", "").replace("-", "").lower()


def _quoted(value: str) -> str:
    short = value if len(value) <= SHOWN_MAX else f"{value[: SHOWN_MAX - 1]}…"
    escaped = "".join(
        one if one.isprintable() else one.encode("unicode_escape", "surrogatepass").decode()
        for one in short
    )
    return f"'{escaped}'"


def _complaint(model: type[BaseModel], detail: ErrorDetails) -> Complaint:
    where, kind, context = detail["loc"], detail["type"], detail.get("ctx", {})
    path = tuple(part for part in where if not _is_tag(part))
    if path[-1:] == (_OF_KEY,) and kind == UNEXPECTED:  # else a key that is called so
        return Complaint(path[:-1], context["expected"], context["hint"], about_key=True)
    if kind == UNEXPECTED:
        return Complaint(path, context["expected"], context["hint"])
    if kind == "missing":
        return Complaint(path, "a value, which is required")
    if kind == "extra_forbidden":
        known = sorted(field.alias or name for name, field in fields_at(model, where[:-1]).items())
        hint = did_you_mean(str(path[-1]), known)
        return Complaint(path, f"a field that exists: {one_of(known)}", hint, about_key=True)
    if kind in ("enum", "literal_error"):
        return Complaint(path, _choice(context["expected"]), _near(detail["input"], context))
    return Complaint(path, _EXPECTED.get(kind, detail["msg"]), _type_hint(kind, detail["input"]))


def _words(expected: str) -> list[str]:
    return [word.strip("'") for word in expected.replace(" or ", ", ").split(", ")]


def _choice(expected: str) -> str:
    return one_of(_words(expected))


def _near(value: Any, context: Mapping[str, Any]) -> str:
    return did_you_mean(value, _words(context["expected"])) if isinstance(value, str) else ""


def _type_hint(kind: str, value: Any) -> str:
    if kind == "string_type" and isinstance(value, bool | int | float):
        return f'write it in quotes: "{shown(value)}"'
    if kind == "bool_type" and isinstance(value, str):
        return "YAML 1.2 knows only true and false, without quotes"
    if kind in ("int_type", "float_type") and isinstance(value, str) and value.isdecimal():
        return "write it without quotes"
    return ""


def fields_at(model: type[BaseModel], path: Path) -> Mapping[str, Any]:
    """The fields of the model that stands at `path` below `model`. Where models of several kinds
    may stand, the tag of the kind says which (`kinds`), else it is the first."""
    here, choices, in_map = model, [model], False
    for part in path:
        if _is_tag(part):
            here = next(one for one in choices if one.__name__ == str(part)[len(MARK) :])
        elif isinstance(part, str) and not in_map:
            annotation = _field(here, part).annotation
            choices, in_map = _models_in(annotation), get_origin(annotation) is dict
            here = choices[0]
        else:  # which one of a list or a map
            in_map = False
    return here.model_fields


def _is_tag(part: str | int) -> bool:
    return isinstance(part, str) and part.startswith(MARK)


def _field(model: type[BaseModel], key: str) -> Any:
    fields = model.model_fields.items()
    return next(field for name, field in fields if key == (field.alias or name))


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    arguments = getattr(annotation, "__args__", ())
    return [model for argument in arguments for model in _models_in(argument)]
