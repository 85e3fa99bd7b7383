"""The texts of triggers: names, recurrences, instants, days of the week, times of day."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from runyard.model.forms import Shaped, unexpected
from runyard.model.recurrence.nouns import WEEKDAYS, NotARecurrence
from runyard.model.recurrence.reading import TEXT_MAX, read

RECURRENCE_EXPECTED = (
    "five cron fields, or English as Cloud Scheduler has it, or `every 15m`, or `@daily`"
)
YEARS = range(1971, 9999)  #: the day before and the day after can still be reckoned with
EDGE_EXPECTED = "an instant such as 2026-12-20T08:00:00Z, or a day such as 2026-12-20"
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_ANY_DAY = "|".join(_DAYS)
_SPAN = rf"(?:{_ANY_DAY})(?:-(?:{_ANY_DAY}))?"


def _recurrence(text: str) -> str:
    try:
        read(text)
    except NotARecurrence as error:
        whole = error.part.strip() == text.strip()
        where = "" if whole else f", which {error.part!r} is not"
        raise unexpected(f"{error.expected}{where}", error.hint) from None
    return " ".join(text.split())


def edge_of(text: str) -> date | datetime:
    """The day or the instant (aware) that `text` names. Raises ValueError when it names neither,
    or one that is not of `YEARS`."""
    is_day = _DAY.fullmatch(text) is not None
    found = date.fromisoformat(text) if is_day else datetime.fromisoformat(text)
    if found.year not in YEARS or (isinstance(found, datetime) and found.tzinfo is None):
        raise ValueError(EDGE_EXPECTED)
    return found


def is_day(text: str) -> bool:
    """True when `text` names a day."""
    try:
        return not isinstance(edge_of(text), datetime)
    except ValueError:
        return False


def _edge(text: str) -> str:
    try:
        edge_of(text)
    except ValueError:
        hint = "an instant needs Z or an offset such as +01:00"
        raise unexpected(EDGE_EXPECTED, hint) from None
    return text


def weekdays_of(text: str) -> frozenset[int]:
    """The days of the week in `text`, a valid `DaysText`; 0 is Sunday. Ranges go over Sunday."""
    found: set[int] = set()
    for span in text.split(","):
        first, _, last = span.partition("-")
        begin = _DAYS.index(first)
        length = (_DAYS.index(last or first) - begin) % len(WEEKDAYS)
        found.update((begin + step) % len(WEEKDAYS) for step in range(length + 1))
    return frozenset(found)


def minutes_of(text: str) -> int:
    """Minutes since midnight in `text`, a valid `ClockText` or `ClockEndText`."""
    hours, minutes = text.split(":")
    return int(hours) * 60 + int(minutes)


def _lower(value: Any) -> Any:
    return value.replace(" ", "").lower() if isinstance(value, str) else value


#: Shaped as a job's name, so that it may stand in labels, slots and addresses.
TriggerName = Annotated[
    str,
    Shaped(
        "[a-z]([a-z0-9-]{0,47}[a-z0-9])?",
        "a name: at most 49 lower-case letters, digits and hyphens, a letter first, no hyphen last",
        49,
    ),
]
RecurrenceText = Annotated[
    str,
    AfterValidator(_recurrence),
    Field(description=RECURRENCE_EXPECTED, json_schema_extra={"maxLength": TEXT_MAX}),
]
EdgeText = Annotated[str, AfterValidator(_edge), Field(description=EDGE_EXPECTED)]
DaysText = Annotated[
    str,
    BeforeValidator(_lower),
    Shaped(rf"{_SPAN}(?:,{_SPAN})*", "days of the week such as mon-fri or sat,sun", 60),
]
ClockText = Annotated[
    str, Shaped("(?:[01][0-9]|2[0-3]):[0-5][0-9]", "a time of day from 00:00 to 23:59", 5)
]
ClockEndText = Annotated[
    str,
    Shaped("(?:[01][0-9]|2[0-3]):[0-5][0-9]|24:00", "a time of day from 00:01 to 24:00", 5),
]
ReasonText = Annotated[str, Shaped(r"[^\x00-\x1f\x7f]{1,200}", "one line of text", 200)]
