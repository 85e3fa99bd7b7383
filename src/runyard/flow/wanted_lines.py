"""Which lines of a log are wanted, but for the expression and the time: one meaning, wherever the
log is kept. Pure; standard library only."""

from __future__ import annotations

from typing import Protocol

from runyard.flow.line_fields import has_field, has_value


class Asked(Protocol):
    """What a line must be like; what is empty or None holds always."""

    @property
    def text(self) -> str:
        """The line's text contains it."""

    @property
    def severities(self) -> tuple[str, ...]:
        """The line has one of them."""

    @property
    def task(self) -> int | None:
        """The index of the task that wrote it."""

    @property
    def fields(self) -> tuple[tuple[str, str], ...]:
        """Paths (`user.name`) with the values that a structured line has there."""

    @property
    def has(self) -> str:
        """A field that a structured line has, whatever its value."""


def fits(asked: Asked, text: str, severity: object, task: object, fields: object) -> bool:
    """True for a line that says so; `fields` is the JSON object of a structured line."""
    return (
        asked.text in text
        and (not asked.severities or severity in asked.severities)
        and asked.task in (None, task)
        and all(has_value(fields, path, value) for path, value in asked.fields)
        and (not asked.has or has_field(fields, asked.has))
    )
