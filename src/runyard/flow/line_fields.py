"""What a structured line says in its fields, wherever its log is kept. Pure."""

from __future__ import annotations

import json


def has_value(fields: object, path: str, value: str) -> bool:
    """True for fields (the JSON object of a line; anything else has nothing) with `value`, as a
    text or as the JSON that it may be, at a path such as `user.name`."""
    found = fields
    if isinstance(found, dict) and path in found:  # a key may have dots in it
        return _is(found[path], value)
    for key in path.split("."):
        if not (isinstance(found, dict) and key in found):
            return False
        found = found[key]
    return _is(found, value)


def has_field(fields: object, name: str) -> bool:
    """True where there is such a field, whatever it says."""
    return isinstance(fields, dict) and name in fields


def scalar(value: str) -> str | None:
    """The number, true, false or null that a text is, as it is written; None for anything else."""
    try:
        found = json.loads(value)
    except ValueError:
        return None
    if isinstance(found, bool | int | float) or found is None:
        return json.dumps(found)
    return None


def _is(found: object, value: str) -> bool:
    if isinstance(found, str):
        return found == value
    return not isinstance(found, dict | list) and json.dumps(found) == scalar(value)
