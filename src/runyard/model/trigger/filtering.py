"""`filter`: which of the things that a trigger is told are about it, in the language of lists.

`body.ref = refs/heads/main AND headers.x-github-event = push`: a field is a part and a place in it
(`pointing`). What is a text, a number or true or false is compared as it is written in JSON; in a
list, one of its items is enough.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import orjson
from pydantic import AfterValidator, Field

from runyard.model.errors import InvalidSpec
from runyard.model.filter_kinds import PLACES, Kind
from runyard.model.filters import CHARACTERS_MAX, Expression, Values, parse
from runyard.model.forms import unexpected
from runyard.model.trigger.pointing import HEADERS, Told, find


def fields_of(roots: Sequence[str]) -> Mapping[str, Kind]:
    """What a filter may ask for of what is told in `roots`."""
    return dict.fromkeys(roots, PLACES)


def expression(text: str, roots: Sequence[str]) -> Expression | None:
    """A filter, read. Raises InvalidSpec."""
    return parse(text, fields_of(roots))


def values(told: Told) -> Values:
    """How a filter sees what was told."""

    def value(field: str, key: str) -> str | tuple[str, ...] | None:
        way = key.lower() if field == HEADERS else key
        found = find(told, f"{field}.{way}" if key else field)
        if isinstance(found, list):
            return tuple(map(written, found))
        return None if found is None else written(found)

    return value


def written(value: Any) -> str:
    """A value as filters and variables have it: a text as it is, anything else as compact JSON."""
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def filter_over(*roots: str) -> Any:
    """The type of a filter over what is told in `roots`."""

    def check(text: str) -> str:
        try:
            found = expression(text, roots)
        except InvalidSpec as error:
            fault = error.faults[0]
            where = f"{fault.expected}, at column {fault.column}, where {fault.value} is"
            raise unexpected(where, fault.hint) from None
        if found is None:
            raise unexpected("a filter such as body.ref = refs/heads/main", "or leave it out")
        return text

    words = f"a filter over {' and '.join(roots)}, in the language of lists"
    return Annotated[
        str,
        AfterValidator(check),
        Field(description=words, json_schema_extra={"maxLength": CHARACTERS_MAX}),
    ]
