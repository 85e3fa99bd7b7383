"""Text with holes. `${NAME}` is filled from the environment before anything is called;
`{{ results[0].response.id }}` from earlier results, while a sequence is going on.

What is filled in is data: it is not looked at for further holes, and nothing is evaluated.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

import orjson

from runyard_runner.rules.paths import follow, read_path

_VARIABLE = re.compile(r"(\$?)\$\{([^}]*)\}")
_HOLE = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_WHOLE = re.compile(r"\s*\{\{((?:(?!\}\}).)*)\}\}\s*", re.DOTALL)


def fill(value: Any, lookup: Callable[[str], str]) -> Any:
    """`value` with every `${NAME}` in its strings (keys too) filled by `lookup`; `$${NAME}` says
    `${NAME}`."""

    def filled(hole: re.Match[str]) -> str:
        return f"${{{hole[2]}}}" if hole[1] else lookup(hole[2])

    if isinstance(value, str):
        return _VARIABLE.sub(filled, value) if "${" in value else value
    if isinstance(value, dict):
        return {fill(key, lookup): fill(each, lookup) for key, each in value.items()}
    if isinstance(value, list):
        return [fill(each, lookup) for each in value]
    return value


def has_holes(value: Any) -> bool:
    """Whether there is a `{{ ... }}` anywhere in `value`."""
    return any("{{" in each for each in strings(value))


def strings(value: Any) -> Iterator[str]:
    """Every string in `value`, keys too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from strings(key)
            yield from strings(each)
    elif isinstance(value, list):
        for each in value:
            yield from strings(each)


def check(value: Any) -> None:
    """Read every hole in `value`. Raises PathError for one that cannot be read."""
    for each in strings(value):
        for hole in _HOLE.finditer(each):
            read_path(hole[1].strip())


def render(value: Any, data: Mapping[str, Any], in_url: bool = False) -> Any:
    """`value` with every hole filled from `data`. Raises PathError.

    A string that is one hole and nothing else becomes what it leads to, whatever its type. In a
    URL what is filled in cannot end a part of it (`/` becomes `%2F`), unless it is all of it.
    """
    if isinstance(value, str):
        return _render_text(value, data, in_url) if "{{" in value else value
    if isinstance(value, dict):
        return {str(render(key, data)): render(each, data) for key, each in value.items()}
    if isinstance(value, list):
        return [render(each, data) for each in value]
    return value


def _render_text(text: str, data: Mapping[str, Any], in_url: bool) -> Any:
    whole = _WHOLE.fullmatch(text)
    if whole is not None:
        return follow(read_path(whole[1].strip()), data)

    def filled(hole: re.Match[str]) -> str:
        plain = _plain(follow(read_path(hole[1].strip()), data))
        return quote(plain, safe="") if in_url else plain

    return _HOLE.sub(filled, text)


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()
