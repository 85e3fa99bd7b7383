"""What makes dead runs one group: the job, the class of the failure, and what the error says,
without what differs from one time to the next.

What changes is replaced by its kind, as Sentry does before it groups by a message: addresses, ids,
hashes, instants, durations, numbers (its patterns are in src/sentry/grouping/parameterization.py of
https://github.com/getsentry/sentry, and https://docs.sentry.io/concepts/data-management/
event-grouping/ says how they are used). Ours besides know our own ids, sizes and paths of files
that were made for one run. Words stay: two errors that say different things are two groups.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import blake2b

from runyard.flow.failure.classify import classify
from runyard.flow.failure.reading import ERROR, FRAME
from runyard.flow.recovery import DEADLINE
from runyard.model.failure import Failure, FailureClass
from runyard.model.outcome import TaskFailure
from runyard.model.run import Run

TEXT_CHARACTERS_MAX = 300  #: of a text that counts; the rest is detail
FINGERPRINT_BYTES = 8  #: a group in 2**64: two of a million groups are one by chance in 4 of 10**8
_WROTE = re.compile(r"^task \d+ (?:wrote: )?")
_UNCAUGHT = re.compile(r"^\s*(?:[\w$]+[.:])*[\w$]*(?:Error|Exception)\b")

#: In the order in which they are tried: what is longer and surer comes first. None of them can
#: take long: no repetition stands inside another one.
_KINDS: tuple[tuple[str, str], ...] = (
    ("url", r"\b[a-zA-Z][a-zA-Z0-9+.-]{1,20}://[^\s\"'<>)\]]+"),
    ("email", r"[\w.+-]{1,64}@[\w-]{1,63}\.[\w.-]{1,190}\w"),
    ("uuid", r"\b[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\b"),
    ("id", r"\b(?:run|dlv|op|inc|alr|bf|rp)_[0-9a-hjkmnp-tv-z]{26}(?:/\d+)?"),
    (
        "time",
        r"\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?"
        r"(?: ?(?:Z|UTC|[+-]\d\d:?\d\d))?)?"
        r"|\b\d{4}/\d\d/\d\d(?: \d\d:\d\d:\d\d)?"
        r"|\b\d\d:\d\d:\d\d(?:[.,]\d{1,9})?",
    ),
    ("ip", r"\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}(?::\d{1,5})?\b"),
    ("ip", r"(?<![\w:])[0-9a-fA-F]{1,4}(?::[0-9a-fA-F]{0,4}){3,7}(?![\w:])"),
    ("hex", r"\b0[xX][0-9a-fA-F]+\b"),
    ("hex", r"\b(?=[0-9a-fA-F]*\d)(?=[0-9a-fA-F]*[a-fA-F])[0-9a-fA-F]{7,128}\b"),
    ("path", r"(?<![\w/])/(?:tmp|proc|var/tmp|run)/[^\s\"':,)]+"),
    ("size", r"\b\d+(?:\.\d+)? ?(?:[KMGTP]i?B?|bytes)\b"),
    ("duration", r"\b\d+(?:\.\d+)? ?(?:ns|us|µs|ms|s|sec|secs|seconds?|minutes?|hours?)\b"),
    ("number", r"(?<![\w.])-?\d+(?:[.,]\d+)*\b"),
    ("number", r"(?<=[A-Za-z_#-])\d{3,}\b"),
)
_ANY = re.compile("|".join(f"(?P<k{n}>{pattern})" for n, (_, pattern) in enumerate(_KINDS)))
_BLANKS = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Group:
    """A group's `fingerprint`, 16 hexadecimal digits, and its `title`: what all of it say."""

    fingerprint: str
    title: str


def group_of(run: Run, failure: Failure) -> Group:
    """The group of a dead run whose failure is `failure`."""
    title = normalised(error_text(run, failure))
    parts = (run.project, run.environment, run.job, failure.failure_class, title)
    digest = blake2b("\0".join(parts).encode(), digest_size=FINGERPRINT_BYTES)
    return Group(digest.hexdigest(), title)


def normalised(text: str) -> str:
    """`text` on one line, with what changes from one time to the next as its kind (`<number>`)."""
    line = _BLANKS.sub(" ", text).strip()[:TEXT_CHARACTERS_MAX]
    return _ANY.sub(_kind, line)


def _kind(match: re.Match[str]) -> str:
    return f"<{_KINDS[int((match.lastgroup or 'k0')[1:])][0]}>"


def failure_of(run: Run) -> Failure:
    """Why a dead run died: the failure of its last attempt, unless its deadline passed."""
    if run.stop_cause == DEADLINE:
        return Failure(FailureClass.TIMEOUT, "deadline", (run.reason,))
    if run.outcome is None:
        return Failure(FailureClass.PLATFORM, "never launched", (run.reason,))
    found = run.outcome.failure or classify(run.outcome, run.policy.failures)
    return found or Failure(FailureClass.APPLICATION, "no evidence", (run.reason,))


def error_text(run: Run, failure: Failure) -> str:
    """The words by which a failure is told from others: the line that decided, where one did;
    else the last line of the failed task that tells of an error; else the evidence, or the reason.
    """
    said = _WROTE.sub("", failure.evidence[0]) if failure.evidence else run.reason
    if failure.rule.startswith("log") or failure.rule == "deadline":
        return said
    return next((line for line in _error_lines(_decisive(run, failure))), said)


def _decisive(run: Run, failure: Failure) -> TaskFailure | None:
    failures = run.outcome.failures if run.outcome is not None else ()
    fitting = (task for task in failures if failure.task in (None, task.index))
    return next(fitting, None)


def _error_lines(task: TaskFailure | None) -> list[str]:
    """Lines that tell of an error, the likeliest first: what ended the program, then the rest, the
    last ones first."""
    if task is None:
        return []
    lines = [line for line in reversed(task.last_lines) if not FRAME.search(line)]
    uncaught = [line for line in lines if _UNCAUGHT.search(line)]
    return uncaught + [line for line in lines if ERROR.search(line)]
