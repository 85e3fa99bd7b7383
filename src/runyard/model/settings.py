"""What a setting is, and how the text of one becomes a value.

The readers raise ValueError whose message says what would have been right.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from runyard.model.durations import seconds_of
from runyard.model.federation import rules_of
from runyard.model.quantities import memory_bytes_of

FOLDER_CHARACTERS_MAX = 255  #: far below what a path may have; sockets and files go inside
_NAME = r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?"
#: What is sent there cannot be read on the way.
_SAFE_URL = r"https://[!-~]+|http://(127\.[0-9.]+|localhost|\[::1\])(:[0-9]+)?(/[!-~]*)?"


@dataclass(frozen=True, slots=True)
class Machine:
    """What defaults depend on. `home` empty: the user has no home folder."""

    cores: int
    memory_bytes: int
    home: str


Default = str | Callable[[Mapping[str, str], Machine], str]


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting. `read` makes its value of a text, or raises ValueError saying what it expected.

    `default` is a text as a person would write it, or makes one of the environment and the
    machine; then `default_words` says how.
    """

    read: Callable[[str], Any]
    unit: str
    meaning: str
    default: Default
    default_words: str = ""
    secret: bool = False


@dataclass(frozen=True, slots=True)
class SettingRow:
    """A setting as `runyard config` and the reference show it; a secret's value is hidden."""

    name: str
    value: str
    unit: str
    source: str
    meaning: str
    env: str
    default: str


def number(low: int, high: int) -> Callable[[str], int]:
    """Reads a whole number, both bounds included."""

    def read(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,18}", text) or not low <= int(text) <= high:
            raise ValueError(f"a whole number from {low} to {high}")
        return int(text)

    return read


def optional_number(low: int, high: int) -> Callable[[str], int | None]:
    """Reads a whole number, both bounds included; an empty text is none."""
    reading = number(low, high)
    return lambda text: reading(text) if text else None


def byte_size(low: int, high: int) -> Callable[[str], int]:
    """Reads bytes, plain or with Kubernetes' suffixes (`64Mi`), both bounds included."""
    expected = f"bytes from {low} to {high}, such as {low} or 64Mi"

    def read(text: str) -> int:
        try:
            value = memory_bytes_of(text)
        except ValueError:
            raise ValueError(expected) from None
        if not low <= value <= high:
            raise ValueError(expected)
        return value

    return read


def seconds(low: float, high: float) -> Callable[[str], float]:
    """Reads seconds, plain or as a duration (`90s`, `12h`), both bounds included."""
    expected = f"seconds from {low:.12g} to {high:.12g}, such as 90 or 90s or 12h"

    def read(text: str) -> float:
        plain = re.fullmatch(r"[0-9]{1,10}(\.[0-9]{1,6})?", text)
        try:
            value = float(text) if plain else seconds_of(text)
        except ValueError:
            raise ValueError(expected) from None
        if not low <= value <= high:
            raise ValueError(expected)
        return value

    return read


def text_like(pattern: str, expected: str) -> Callable[[str], str]:
    """Reads a text that `pattern` matches whole."""

    def read(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(expected)
        return text

    return read


def one_of(*words: str) -> Callable[[str], str]:
    """Reads one of `words`."""

    def read(text: str) -> str:
        if text not in words:
            raise ValueError(f"one of {', '.join(words)}")
        return text

    return read


database_url = text_like(
    r"(postgres(ql)?://[!-~]*)?",
    "a URL such as postgresql://user@host/database, or nothing; what it leaves out is taken from "
    "PGHOST and its like, the password also from ~/.pgpass",
)
url = text_like(r"(https?://[!-~]+)?", "a URL such as https://runyard.example.com, or nothing")
safe_url = text_like(
    rf"({_SAFE_URL})?",
    "a URL such as https://run.example.com, http at this machine only, or nothing",
)
name = text_like(_NAME, "a name of lower-case letters, digits and hyphens, such as local or dev")


def names(text: str) -> tuple[str, ...]:
    """Reads names separated by commas; at least one, none of them twice."""
    found = tuple(each.strip() for each in text.split(","))
    if not all(re.fullmatch(_NAME, each) for each in found) or len(set(found)) < len(found):
        raise ValueError("names, each once, separated by commas, such as us-central1,europe-west1")
    return found


def folder(text: str) -> str:
    """Reads an absolute path, as text: nothing here knows a file system."""
    fits = text.startswith("/") and text.isprintable() and len(text) <= FOLDER_CHARACTERS_MAX
    if not fits or ".." in text.split("/"):
        raise ValueError(
            "a folder, as an absolute path without .. or one that begins with ~/, of at most "
            f"{FOLDER_CHARACTERS_MAX} characters"
        )
    return text


def words(text: str) -> tuple[str, ...]:
    """Reads words separated by commas, or nothing."""
    found = tuple(each.strip() for each in text.split(",") if each.strip())
    if not all(re.fullmatch(r"[!-~]{1,255}", each) for each in found):
        raise ValueError("words without blanks, separated by commas, or nothing")
    return found


def issuers(text: str) -> tuple[str, ...]:
    """Reads URLs of OpenID Connect issuers separated by commas, or nothing."""
    found = words(text)
    if not all(re.fullmatch(_SAFE_URL, each) for each in found):
        raise ValueError("URLs such as https://accounts.google.com, separated by commas")
    return found


def roles(text: str) -> str:
    """Reads rules of who gets which role by an ID token."""
    rules_of(text)
    return text


def state_folder(environ: Mapping[str, str], machine: Machine) -> str:
    """Where a state folder is by default; empty without a home."""
    state = environ.get("XDG_STATE_HOME", "")
    if state.startswith("/"):  # the specification says that a relative path is to be ignored
        return f"{state}/runyard"
    home = home_of(environ, machine)
    return f"{home}/.local/state/runyard" if home else ""


def home_of(environ: Mapping[str, str], machine: Machine) -> str:
    """The home folder, empty without one."""
    return environ.get("HOME") or machine.home


def with_home(text: str, environ: Mapping[str, str], machine: Machine) -> str:
    """`text` with the home folder in place of `~`."""
    return home_of(environ, machine) + text[1:] if text.startswith("~/") else text


def line_of(key: str, content: str) -> int:
    """The line (from 1) that sets `key` in a TOML text, 0 when it cannot be told."""
    match = re.search(rf"^[ \t]*[\"']?{re.escape(key)}[\"']?[ \t]*[=.]", content, re.MULTILINE)
    return content.count("\n", 0, match.start()) + 1 if match else 0


def toml_text(value: object) -> str | None:
    """What one would have written in the environment; None for what is no setting's value."""
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return ",".join(value)
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return str(value)
    return None
