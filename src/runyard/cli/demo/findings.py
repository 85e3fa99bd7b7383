"""What the sharded job found out, read back from its structured log, and whether it is right.

The facts it is held against: the flights of New York in 2013 are 336,776, in all twelve months
(https://github.com/tidyverse/nycflights13); Unicode has room for 0x110000 characters, and this
Python, if it knows the same version of Unicode, counts the same.
"""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Document = dict[str, Any]
FLIGHTS_COUNT = 336_776
FLIGHTS_MONTHS = 12
_NO_CHARACTERS = frozenset({"Cn", "Co", "Cs"})  #: unassigned, private use, surrogate
_BAR_SHARE = 0.02  #: one block of a bar stands for so much


@dataclass(frozen=True, slots=True)
class Findings:
    """A table for people, a sentence that sums it up, and what is not as it should be."""

    title: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    sentence: str
    figures: Document
    differences: Sequence[str]


def flights(log: Sequence[Document]) -> Findings:
    """A row for each month."""
    found = [entry["fields"] for entry in log if "late_share" in entry["fields"]]
    months = sorted(found, key=lambda fields: int(fields["month"]))
    count = sum(int(fields["flights"]) for fields in months)
    late = sum(int(fields["late"]) for fields in months)
    cancelled = sum(int(fields["cancelled"]) for fields in months)
    differences = []
    if [fields["month"] for fields in months] != list(range(1, FLIGHTS_MONTHS + 1)):
        differences.append(f"months in the log: {[fields['month'] for fields in months]}")
    if count != FLIGHTS_COUNT:
        differences.append(f"{count:,} flights were counted, and there are {FLIGHTS_COUNT:,}")
    share = late / (count - cancelled) if count > cancelled else 0.0
    return Findings(
        "Flights that left New York in 2013, worked out by twelve tasks",
        ("month", "flights", "cancelled", "late", "", "worst route", "delay"),
        [_month(fields) for fields in months],
        f"{count:,} flights in all, {cancelled:,} cancelled, {share:.1%} of the others left 15 "
        "minutes late or later.",
        {"flights": count, "cancelled": cancelled, "late": late, "months": months},
        differences,
    )


def _month(fields: Document) -> tuple[str, ...]:
    share = float(fields["late_share"])
    return (
        str(fields["name"]),
        f"{fields['flights']:,}",
        f"{fields['cancelled']:,}",
        f"{share:.1%}",
        _block() * round(share / _BAR_SHARE),
        str(fields["worst_route"]),
        f"{fields['worst_delay_minutes']:.0f} min",
    )


def _block() -> str:
    """What a bar is made of, where stdout can show it."""
    try:
        "█".encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return "#"
    return "█"


def characters(log: Sequence[Document]) -> Findings:
    """A row for each task."""
    found = [entry for entry in log if "looked_at" in entry["fields"]]
    parts = sorted(found, key=lambda entry: int(entry["task"]))
    looked_at = sum(entry["fields"]["looked_at"] for entry in parts)
    count = sum(entry["fields"]["characters"] for entry in parts)
    letters = sum(entry["fields"]["letters"] for entry in parts)
    version = next((entry["fields"]["unicode"] for entry in parts), "")
    differences = []
    if looked_at != sys.maxunicode + 1:
        differences.append(f"{looked_at:,} code points were looked at, not {sys.maxunicode + 1:,}")
    if version == unicodedata.unidata_version and count != _characters_here():
        differences.append(f"{count:,} characters were counted, not {_characters_here():,}")
    return Findings(
        f"The characters of Unicode {version}, counted by {len(parts)} tasks",
        ("task", "code points", "characters", "letters"),
        [
            (str(entry["task"]), *(f"{entry['fields'][name]:,}" for name in _COUNTED))
            for entry in parts
        ],
        f"{count:,} characters in all, {letters:,} of them letters. (In a clone of the project, "
        "`make demo` works through 336,776 real flights instead.)",
        {"characters": count, "letters": letters, "unicode": version},
        differences,
    )


_COUNTED = ("looked_at", "characters", "letters")


def _characters_here() -> int:
    return sum(
        unicodedata.category(chr(number)) not in _NO_CHARACTERS
        for number in range(sys.maxunicode + 1)
    )
