"""Error lines of a job become patterns, as they come: Drain's tree of a fixed depth.

P. He, J. Zhu, Z. Zheng, M. R. Lyu, "Drain: An Online Log Parsing Approach with Fixed Depth Tree",
ICWS 2017, https://doi.org/10.1109/ICWS.2017.13. A line, without what changes from one time to the
next, is led by its count of words and by its first word to a few patterns, and joins the one that
it has most words in common with, if they are enough; where they differ, the pattern has `<*>`.
Decision 39 says why this is ours. Pure: what it remembers is handed in and out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from hashlib import blake2b

from runyard.flow.fingerprint import normalised
from runyard.model.log_pattern import (
    EXAMPLE_CHARACTERS_MAX,
    EXAMPLES_MAX,
    LogExample,
    LogPattern,
)

PATTERNS_MAX = 100  #: of a job; the one that was not seen for the longest makes room
SIMILAR = 0.5  #: the share of words that must be the same: what Drain's authors found to be best
ANY = "<*>"
ID_BYTES = 6  #: two of a job's patterns share an id in one of 10**10 jobs
#: Lines without a severity that tell of an error. Each alternative has a piece of plain text, by
#: which a search skips what is none.
WORDS = "[Ee]rror|ERROR|[Ee]xception|EXCEPTION|[Ff]atal|FATAL|[Pp]anic:|CRITICAL"
_NONE_AT_ALL = re.compile(
    r"\b(?:0|no|without|zero) (?:errors?|exceptions?)\b|\b(?:errors?|exceptions?)\b ?[=:] ?0\b",
    re.IGNORECASE,
)
Words = tuple[str, ...]
_Branch = tuple[int, str]


def is_error(text: str) -> bool:
    """False for a line that has a word of an error and says that there was none."""
    return _NONE_AT_ALL.search(text) is None


class Miner:
    """The patterns of one job. `known`: those that were found before."""

    def __init__(self, known: Iterable[LogPattern] = ()) -> None:
        self.patterns = {one.id: one for one in known}
        self._words = {one.id: tuple(one.template.split()) for one in self.patterns.values()}
        self._tree: dict[_Branch, list[str]] = {}
        for identity, words in self._words.items():
            self._tree.setdefault(_branch(words), []).append(identity)

    def add(self, line: LogExample) -> LogPattern | None:
        """The pattern that a line is of, as it is with it; None for a line without a word."""
        line = replace(line, text=_clean(line.text))
        words = tuple(normalised(line.text).split())
        if not words:
            return None
        found = self._most_alike(words)
        pattern = self._begun(words, line) if found is None else self._joined(found, words, line)
        self.patterns[pattern.id] = pattern
        return pattern

    def _most_alike(self, words: Words) -> LogPattern | None:
        """The first of those that have most words in common with it; None where too few are."""
        known = self._tree.get(_branch(words), ())
        shares = {identity: _alike(self._words[identity], words) for identity in known}
        best = max(shares, key=shares.__getitem__, default=None)
        return None if best is None or shares[best] < SIMILAR else self.patterns[best]

    def _begun(self, words: Words, line: LogExample) -> LogPattern:
        template = " ".join(words)
        digest = blake2b(template.encode(), digest_size=ID_BYTES).hexdigest()
        if len(self.patterns) >= PATTERNS_MAX:
            self._forget(min(self.patterns.values(), key=lambda one: (one.last_seen_at, one.id)).id)
        self._words[digest] = words
        self._tree.setdefault(_branch(words), []).append(digest)
        return LogPattern(digest, template, line.at, line.at, 1, (_short(line),))

    def _joined(self, before: LogPattern, words: Words, line: LogExample) -> LogPattern:
        known = self._words[before.id]
        if known != words:
            pairs = zip(known, words, strict=True)
            known = self._words[before.id] = tuple(a if a == b else ANY for a, b in pairs)
        example = _short(line)
        is_kept = len(before.examples) < EXAMPLES_MAX and all(
            one.text != example.text for one in before.examples
        )
        return replace(
            before,
            template=" ".join(known),
            first_seen_at=min(before.first_seen_at, line.at),
            last_seen_at=max(before.last_seen_at, line.at),
            count=before.count + 1,
            examples=(*before.examples, example) if is_kept else before.examples,
        )

    def _forget(self, identity: str) -> None:
        del self.patterns[identity]
        self._tree[_branch(self._words.pop(identity))].remove(identity)


def _branch(words: Words) -> _Branch:
    """How many words there are, and the first: it stays what it is (a join is of the same)."""
    return len(words), words[0]


def _alike(known: Words, words: Words) -> float:
    return sum(a == b for a, b in zip(known, words, strict=True)) / len(words)


def _clean(text: str) -> str:
    """Without what a database takes in no text: NUL, and halves of characters."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def _short(line: LogExample) -> LogExample:
    return replace(line, text=line.text[:EXAMPLE_CHARACTERS_MAX])
