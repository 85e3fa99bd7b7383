"""What one piece of a log says: the common form of every rule that reads logs. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Protocol

from runyard.flow.failure.anchors import anchors
from runyard.model.failure import FailureClass, Shortage

F, S = FailureClass, Shortage
Meaning = tuple[FailureClass, Shortage | None]

#: Meanings by what is short; every other class has none.
MEMORY: Meaning = (F.RESOURCE, S.MEMORY)
DISK: Meaning = (F.RESOURCE, S.DISK)
CAPACITY: Meaning = (F.RESOURCE, S.CAPACITY)
NETWORK: Meaning = (F.NETWORK, None)
PERMISSION: Meaning = (F.PERMISSION, None)
TIMEOUT: Meaning = (F.TIMEOUT, None)
PLATFORM: Meaning = (F.PLATFORM, None)
CANCELLED: Meaning = (F.CANCELLED, None)
APPLICATION: Meaning = (F.APPLICATION, None)


@dataclass(frozen=True, slots=True)
class Said:
    """The class that a text speaks of, and the rule by which it was read."""

    rule: str
    failure_class: FailureClass
    shortage: Shortage | None = None


#: Reads a text; None where it says nothing to this rule.
Reader = Callable[[str], Said | None]


class Rule(Protocol):
    """What certain texts say. A rule is first asked about the whole of what is there, since nearly
    all of the many rules have nothing to look for in it, and that is cheap to tell."""

    def reader(self, whole: Whole) -> Reader | None:
        """What reads the parts of `whole`; None where no part of it can say anything."""


GRAM = 3  #: characters of the parts by which it is told fast that a text is not there


class Whole:
    """All that is there to be read."""

    __slots__ = ("_grams", "lowered", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.lowered = text.lower()
        self._grams = {self.lowered[at : at + GRAM] for at in range(len(self.lowered) - GRAM + 1)}

    def has(self, part: str) -> bool:
        """Whether `part`, in lower case, is there in any case."""
        if len(part) < GRAM:
            return part in self.lowered
        grams = self._grams
        return part[:GRAM] in grams and part[-GRAM:] in grams and part in self.lowered


# -- words ---------------------------------------------------------------------------------------
class words:  # noqa: N801 - reads as a row of a table
    """A rule that finds any of `patterns`, whatever their case unless `exact`."""

    def __init__(self, name: str, meaning: Meaning, *patterns: str, exact: bool = False) -> None:
        self.said = Said(name, *meaning)
        self.flags = 0 if exact else re.IGNORECASE
        self.patterns = patterns

    @cached_property
    def anchored(self) -> list[tuple[frozenset[str], str]]:
        """Each pattern with the texts one of which must be there."""
        return [(anchors(each), each) for each in self.patterns]

    def reader(self, whole: Whole) -> Reader | None:
        searches = [
            _search(each, self.flags) for parts, each in self.anchored if any(map(whole.has, parts))
        ]
        if not searches:
            return None
        return lambda text: self.said if any(search(text) for search in searches) else None


@cache
def _search(pattern: str, flags: int) -> Callable[[str], re.Match[str] | None]:
    """Compiled when it is wanted first: most patterns never are."""
    return re.compile(pattern, flags).search


# -- codes ---------------------------------------------------------------------------------------
class codes:  # noqa: N801 - reads as a row of a table
    """A rule that finds codes by `pattern`, whose groups hold one, and looks them up; a code that
    is not in `meanings` as a whole is looked up by its first `cut` characters."""

    def __init__(
        self, name: str, pattern: str, meanings: Mapping[str, Meaning], *, cut: int = 0
    ) -> None:
        self.find = re.compile(pattern).finditer
        self.around = anchors(pattern)
        self.cut = cut
        self.said = {code: Said(f"{name} {code}", *each) for code, each in meanings.items()}

    def reader(self, whole: Whole) -> Reader | None:
        if not any(map(whole.has, self.around)):
            return None
        return self.read if any(whole.has(code.lower()) for code in self.said) else None

    def read(self, text: str) -> Said | None:
        """What the first code in `text` that is known says."""
        for match in self.find(text):
            code = next(filter(None, match.groups()))
            found = self.said.get(code) or self.said.get(code[: self.cut])
            if found is not None:
                return found
        return None


def listed(meaning: Meaning, names: str) -> dict[str, Meaning]:
    """The same meaning for each of `names`, which stand apart by white space."""
    return dict.fromkeys(names.split(), meaning)
