"""What logs are searched for, as filters of Cloud Logging's query language. Pure.

Source: https://cloud.google.com/logging/docs/view/logging-query-language.

A filter lets through all that is wanted and, where Google's language means something else than ours
or cannot say it, more: who reads what comes through decides. So texts and the plain pieces of
expressions are looked for by expressions of RE2 that hold nothing but letters, digits, some signs
and dots for all else. `:` would not do: it compares texts in a normal form, in which a letter with
an accent behind it is another letter. Nor would RE2 for the whole of an expression of Python's:
`\\d`, `$` and capitals are not the same there, and what looks around is not there at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from runyard.flow.line_fields import scalar
from runyard.flow.literals import folded, telling
from runyard.provider.gcp.log_lines import EXECUTION, TASK, stamp
from runyard.provider.gcp.names import ExecutionName
from runyard.provider.port import LogWanted

#: Of a filter: "Your query can't exceed 20,000 characters", on the page above.
CHARACTERS_MAX = 20_000
TERMS_CHARACTERS_MAX = 8_000  #: of these, for what is wanted of lines; the rest names executions
_AND, _OR = " AND ", " OR "
_PLAIN = frozenset(" _-,;:=/@%&!<>'")  #: beside letters and digits: nothing to RE2, nor in quotes
#: Python takes more than their capitals for these, and RE2 something else
#: (https://docs.python.org/3/library/re.html#re.IGNORECASE).
_FOLDED_OTHERWISE = frozenset("iIkKsS")
_SEVERITIES = (
    "DEFAULT", "DEBUG", "INFO", "NOTICE", "WARNING", "ERROR", "CRITICAL", "ALERT", "EMERGENCY",
)  # fmt: skip


def filters_of(
    executions: Sequence[ExecutionName], wanted: LogWanted, since: datetime
) -> list[str]:
    """Filters that together let through what is wanted of the logs of executions, which wrote
    nothing before `since`. The newest execution is the first, and in the first filter.

    Where their names are too many for one filter it is the names of their jobs, so that lines of
    other executions come through; where these are too many, there are several filters.
    """
    start = since if wanted.since is None else max(since, wanted.since)
    terms = ['resource.type="cloud_run_job"', f'timestamp>="{stamp(start)}"', *_terms(wanted)]
    head = _AND.join(terms) + _AND
    room = CHARACTERS_MAX - len(head)
    names = list(_one_of(f'labels."{EXECUTION}"', [one.short for one in executions], room))
    if len(names) > 1:
        names = list(_one_of("resource.labels.job_name", [one.job for one in executions], room))
    return [head + one for one in names]


def is_loose(wanted: LogWanted) -> bool:
    """True where a filter may let through what is not wanted."""
    return bool(wanted.text or wanted.pattern or wanted.fields or wanted.has)


def _terms(wanted: LogWanted) -> Iterator[str]:
    """As many of the conditions as there is room for."""
    left = TERMS_CHARACTERS_MAX
    for term in _conditions(wanted):
        left -= len(_AND) + len(term)
        if left < 0:
            return
        yield term


def _conditions(wanted: LogWanted) -> Iterator[str]:
    if wanted.before is not None:
        yield f'timestamp<"{stamp(wanted.before)}"'
    if wanted.severities and set(wanted.severities) <= set(_SEVERITIES[1:]):
        yield f"severity={_values(wanted.severities)}"
    if wanted.task is not None:
        yield _of_task(wanted.task)
    if wanted.text:
        yield _says(f"(?s){_dotted(wanted.text)}")
    if literals := telling(wanted.pattern):
        yield _says(f"(?s)({'|'.join(map(_dotted, literals))})")
    elif literals := folded(wanted.pattern):
        pieces = (_dotted(literal, _FOLDED_OTHERWISE) for literal in literals)
        yield _says(f"(?is)({'|'.join(pieces)})")
    for path, value in wanted.fields:
        yield from _has_value(path, value)


def _of_task(index: int) -> str:
    """What says no task is of the first one, here."""
    label = f'labels."{TASK}"'
    return f'({label}="0" OR NOT {label}:*)' if index == 0 else f'{label}="{index}"'


def _says(expression: str) -> str:
    """Entries in whose text an expression is found. Of a structured one this is its message; where
    that is no text, it is all of the entry, which no expression is held against."""
    fields = (f'{name}=~"{expression}"' for name in ("textPayload", "jsonPayload.message"))
    unsaid = '(NOT textPayload:* AND NOT jsonPayload.message=~".")'
    return f"({_OR.join((*fields, unsaid))})"


def _dotted(text: str, unsure: frozenset[str] = frozenset()) -> str:
    """An expression that is found wherever `text` is, with nothing in it that means anything to
    RE2, or in quotes, but dots, which are any character."""
    return "".join(
        one if (one.isalnum() or one in _PLAIN) and one not in unsure else "." for one in text
    )


def _has_value(path: str, value: str) -> Iterator[str]:
    """The condition that a field has a value; none where it cannot be said safely."""
    keys = path.split(".")
    plain = scalar(value)
    if plain == "null" or not (all(keys) and _is_quotable(path) and _is_quotable(value)):
        return
    values = _values(dict.fromkeys([value] if plain is None else [value, plain]))
    paths = [keys] if len(keys) == 1 else [keys, [path]]  # a key may have dots in it
    fields = [".".join(("jsonPayload", *map(_quoted, one))) for one in paths]
    yield f"({_OR.join(f'{field}={values}' for field in fields)})"


def _is_quotable(text: str) -> bool:
    """True for a text that stands between quotes as it is."""
    return text.isprintable() and '"' not in text and "\\" not in text


def _quoted(text: str) -> str:
    return f'"{text}"'


def _values(texts: Iterable[str]) -> str:
    return f"({_OR.join(map(_quoted, texts))})"


def _one_of(field: str, names: Sequence[str], room: int) -> Iterator[str]:
    """Conditions that a field has one of some names, each no longer than `room`."""
    some: list[str] = []
    empty = len(f"{field}=()")
    length = empty
    for name in dict.fromkeys(names):
        size = len(_OR) + len(_quoted(name))
        if some and length + size > room:
            yield f"{field}={_values(some)}"
            some, length = [], empty
        some.append(name)
        length += size
    if some:
        yield f"{field}={_values(some)}"
