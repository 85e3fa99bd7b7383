"""How secrets, aliases and labels are called, by Secret Manager's rules. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from runyard.model.errors import Fault, InvalidSpec
from runyard.model.secret import ALIASES_MAX, LABELS_MAX, LATEST, VALUE_BYTES_MAX

# "A secret ID is a string with a maximum length of 255 characters and can contain uppercase and
# lowercase letters, numerals, and the hyphen and underscore characters" (CreateSecretRequest).
_NAME = re.compile(r"[A-Za-z0-9_-]{1,255}")
_ALIAS = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,62}")  # Secret.version_aliases
_RESERVED = frozenset({LATEST, "NEW"})
_LABEL_KEY = re.compile(r"[a-z][a-z0-9_-]{0,62}")
_LABEL_VALUE = re.compile(r"[a-z0-9_-]{0,63}")
_CROSS_PROJECT = re.compile(r"projects/[^/]+/secrets/([^/]+)")


def bare(secret: str) -> str:
    """The name in `NAME` or `projects/PROJECT/secrets/NAME`: on this machine the same secret, as
    the projects of an environment keep theirs in one place."""
    match = _CROSS_PROJECT.fullmatch(secret)
    return match[1] if match else secret


def check_name(name: str) -> Iterator[Fault]:
    """What is wrong with a secret's name."""
    if not _NAME.fullmatch(name):
        expected = "1 to 255 letters, digits, hyphens and underscores"
        yield Fault("secret.name", repr(name)[:80], expected)


def check_value(value: bytes) -> Iterator[Fault]:
    """What is wrong with a value; it is never told."""
    if len(value) > VALUE_BYTES_MAX:
        yield Fault("secret.value", f"{len(value)} bytes long", f"at most {VALUE_BYTES_MAX} bytes")


def check_labels(labels: Mapping[str, str]) -> Iterator[Fault]:
    """What is wrong with a secret's labels."""
    if len(labels) > LABELS_MAX:
        yield Fault("secret.labels", f"{len(labels)} labels", f"at most {LABELS_MAX}")
    for key, value in labels.items():
        if not _LABEL_KEY.fullmatch(key):
            expected = "at most 63 lower-case letters, digits, - and _, a letter first"
            yield Fault("secret.labels", repr(key)[:80], expected)
        elif not _LABEL_VALUE.fullmatch(value):
            expected = "at most 63 lower-case letters, digits, - and _"
            yield Fault(f"secret.labels.{key}", repr(value)[:80], expected)


def check_aliases(aliases: Mapping[str, int]) -> Iterator[Fault]:
    """What is wrong with the aliases of a secret's versions."""
    if len(aliases) > ALIASES_MAX:
        yield Fault("secret.versionAliases", f"{len(aliases)} aliases", f"at most {ALIASES_MAX}")
    for alias in aliases:
        if alias in _RESERVED or not _ALIAS.fullmatch(alias):
            expected = "at most 63 letters, digits, - and _, a letter first, not latest or NEW"
            yield Fault("secret.versionAliases", repr(alias)[:80], expected)


def refuse(faults: Iterable[Fault]) -> None:
    """Raises InvalidSpec with all faults when there are any."""
    found = tuple(faults)
    if found:
        raise InvalidSpec("; ".join(str(fault) for fault in found), faults=found)
