"""Reading fields of JSON that somebody sent: every fault at once, each with its path."""

from __future__ import annotations

import difflib
from collections.abc import Collection
from typing import Any

import orjson

from runyard_runner.faults import Fault

_SHOWN_MAX = 80


class Fields:
    """Collects what is wrong; what it gives for a wrong value is the default."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []

    def refuse(self, field: str, value: Any, expected: str) -> None:
        """Note that `value` at `field` is not `expected`."""
        self.faults.append(Fault(field, shown(value), expected))

    def known(self, where: str, value: dict[str, Any], names: Collection[str]) -> None:
        """Refuse every field of `value` that is not one of `names`."""
        for name in value:
            if name not in names:
                near = difflib.get_close_matches(name, names, n=1)
                expected = f"a field (did you mean `{near[0]}`?)" if near else "a field"
                field = f"{where}.{name}" if where else name
                self.refuse(field, name, f"{expected}; there are {', '.join(sorted(names))}")

    def text(self, where: str, value: Any, default: str = "", length_max: int = 8192) -> str:
        """A string that is not too long."""
        if value is None:
            return default
        if not isinstance(value, str) or len(value) > length_max:
            self.refuse(where, value, f"a string of at most {length_max} characters")
            return default
        return value

    def flag(self, where: str, value: Any, default: bool) -> bool:
        """true or false."""
        if value is None:
            return default
        if not isinstance(value, bool):
            self.refuse(where, value, "true or false")
            return default
        return value

    def whole(self, where: str, value: Any, default: int, low: int, high: int) -> int:
        """A whole number from `low` to `high`."""
        if value is None:
            return default
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            self.refuse(where, value, f"a whole number from {low} to {high}")
            return default
        return value

    def seconds(self, where: str, value: Any, default: float, high: float) -> float:
        """A number of seconds above zero."""
        if value is None:
            return default
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not 0 < value <= high:
            self.refuse(where, value, f"a number of seconds above 0 and up to {high:g}")
            return default
        return float(value)

    def mapping(self, where: str, value: Any) -> dict[str, Any]:
        """An object."""
        if value is None:
            return {}
        if not isinstance(value, dict):
            self.refuse(where, value, "an object")
            return {}
        return value


def shown(value: Any) -> str:
    """A value as an error shows it: as JSON, and not all of a long one."""
    text = orjson.dumps(value, default=str).decode()
    return text if len(text) <= _SHOWN_MAX else text[: _SHOWN_MAX - 3] + "..."
