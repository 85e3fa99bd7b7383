"""How a text or a number must look: constraints that say in words what they expect.

A constraint is put into a type by `Annotated`; it checks the value, gives the words for the
fault, and writes itself into the JSON Schema, so that the three can never differ.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from runyard.model import durations, quantities

UNEXPECTED = "unexpected"  #: the error type of every fault whose words are ours


def unexpected(expected: str, hint: str = "") -> PydanticCustomError:
    """The error that carries our words to `validation`."""
    return PydanticCustomError(UNEXPECTED, "{expected}", {"expected": expected, "hint": hint})


@dataclass(frozen=True, slots=True)
class Shaped:
    """A text that matches `pattern` from end to end and is at most `length_max` characters."""

    pattern: str
    expected: str
    length_max: int = 4096

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        match = re.compile(self.pattern).fullmatch

        def check(value: str) -> str:
            if len(value) > self.length_max or match(value) is None:
                raise unexpected(self.expected)
            return value

        return core_schema.no_info_after_validator_function(check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return handler(schema) | {
            "pattern": f"^(?:{self.pattern})$",
            "maxLength": self.length_max,
            "description": self.expected,
        }


@dataclass(frozen=True, slots=True)
class Between:
    """A number from `least` to `most`, both included. `what` is its unit, if it has one."""

    least: int
    most: int
    what: str = ""

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        kind = "a whole number" if source is int else "a number"
        unit = f" {self.what}" if self.what else ""
        expected = f"{kind} from {self.least} to {self.most}{unit}"

        def check(value: float) -> float:
            if not self.least <= value <= self.most:
                raise unexpected(expected)
            return value

        return core_schema.no_info_after_validator_function(check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return handler(schema) | {"minimum": self.least, "maximum": self.most}


@dataclass(frozen=True, slots=True)
class Counted:
    """A list of `least` to `most` (None: any number) items. Items are checked besides."""

    least: int
    most: int | None = None

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        some = f"at least {self.least}" if self.most is None else f"{self.least} to {self.most}"

        def check(value: Any) -> Any:
            if not self._holds(len(value)):
                raise unexpected(f"a list of {some}")
            return value

        return core_schema.no_info_after_validator_function(check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        most = {} if self.most is None else {"maxItems": self.most}
        return handler(schema) | {"minItems": self.least} | most

    def _holds(self, count: int) -> bool:
        return count >= self.least and (self.most is None or count <= self.most)


@dataclass(frozen=True, slots=True)
class Lasting:
    """A duration of `least` to `most` seconds, both included, made canonical."""

    least: int
    most: int
    most_text: str

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        expected = f"{durations.FORM_EXPECTED}, from {self.least}s to {self.most_text}"

        def check(value: str) -> str:
            try:
                nanos = durations.nanos_of(value)
            except ValueError:
                raise unexpected(expected, _unit_hint(value)) from None
            if not self.least <= nanos / durations.SECOND_NANOS <= self.most:
                raise unexpected(expected)
            return durations.google_form(nanos)

        return core_schema.no_info_before_validator_function(
            lambda value: _no_bare_number(value, expected),
            core_schema.no_info_after_validator_function(check, handler(source)),
        )

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {
            "type": "string",
            "pattern": r"^(?=[0-9])(?:[0-9]+h)?(?:[0-9]+m)?(?:[0-9]+(?:\.[0-9]{1,9})?s)?$",
            "description": f"{durations.FORM_EXPECTED}, from {self.least}s to {self.most_text}",
        }


def _no_bare_number(value: Any, expected: str) -> Any:
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise unexpected(expected, f"write {value}s for seconds")
    return value


def _unit_hint(value: str) -> str:
    is_number = value.isascii() and value.isdigit() and len(value) < 10
    return f"write {value}s for seconds" if is_number else ""


@dataclass(frozen=True, slots=True)
class MemoryAmount:
    """An amount of memory in Kubernetes' words."""

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return _readable(quantities.memory_bytes_of, quantities.MEMORY_EXPECTED, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return handler(schema) | {"pattern": r"^[0-9]{1,19}(\.[0-9]{1,9})?([kMGTPE]|[KMGTPE]i)?$"}


@dataclass(frozen=True, slots=True)
class CpuAmount:
    """A number of CPUs in Kubernetes' words. A bare number is refused, as Google refuses it."""

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return _readable(quantities.vcpu_milli_of, quantities.CPU_EXPECTED, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return handler(schema) | {"pattern": r"^[0-9]{1,9}(\.[0-9]{1,9})?m?$"}


def _readable(read: Callable[[str], int], expected: str, schema: CoreSchema) -> CoreSchema:
    def check(value: str) -> str:
        try:
            read(value)
        except ValueError:
            raise unexpected(expected) from None
        return value

    return core_schema.no_info_after_validator_function(check, schema)


def _digits(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


#: A 64-bit whole number: Google's JSON writes it as text and reads text or a number.
Int64Text = Annotated[
    str,
    BeforeValidator(_digits, json_schema_input_type=int | str),
    Shaped(r"[0-9]{1,19}", "a whole number", 19),
]
