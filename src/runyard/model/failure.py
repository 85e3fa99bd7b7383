"""Why an attempt failed: one class, the rule that said so, and what it was read from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self


class FailureClass(StrEnum):
    """What kind of failure it was. Each class has a way of recovery of its own."""

    TIMEOUT = "timeout"  # a limit of time was reached: the task's, or that of a call it made
    PERMISSION = "permission"  # it may not do what it tried, or is not known
    RESOURCE = "resource"  # too little memory, disk or quota, or no room left
    NETWORK = "network"  # a peer was not reached, broke off, did not answer, was not trusted
    APPLICATION = "application"  # the program itself; and what no rule knows better
    PLATFORM = "platform"  # a fault inside the provider, or a call to it that was not answered
    CANCELLED = "cancelled"  # somebody called it off


class Shortage(StrEnum):
    """What there was too little of, in a failure of the class `resource`."""

    MEMORY = "memory"  # the size of the task: a larger one may do
    DISK = "disk"
    CAPACITY = "capacity"  # a quota, or room at a server: waiting may do


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an attempt failed. `rule` names what decided: `failures[0]` of the job, or a rule of ours
    such as `signal` or `log: name resolution`. `evidence` is what it was read from, in words.

    `task` is the index of the task whose end decided, None when it was no task's.
    """

    failure_class: FailureClass
    rule: str
    evidence: tuple[str, ...] = ()
    task: int | None = None
    shortage: Shortage | None = None

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Self:
        """The failure that was written as JSON."""
        shortage = data["shortage"]
        return cls(
            failure_class=FailureClass(data["failure_class"]),
            rule=data["rule"],
            evidence=tuple(data["evidence"]),
            task=data["task"],
            shortage=None if shortage is None else Shortage(shortage),
        )


@dataclass(frozen=True, slots=True)
class FailureRule:
    """A job's own rule: everything that is set must be so. `log` is a regular expression that is
    looked for in each of the last lines; `reason` is the provider's word (`Outcome.reason`)."""

    failure_class: FailureClass
    exit_code: int | None = None
    signal: int | None = None
    log: str = ""
    reason: str = ""

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Self:
        """The rule that was written as JSON."""
        return cls(**{**data, "failure_class": FailureClass(data["failure_class"])})


# -- regular expressions -------------------------------------------------------------------------
PATTERN_LENGTH_MAX = 200
UNBOUNDED_MAX = 2  #: of `*`, `+`, `{n,}`: with more, one line can take seconds
CHOICES_MAX = 6  #: of `?` and `{n,m}`, and of groups: each doubles what may have to be tried
REPEATS_MAX = 100  #: of one `{n}` or `{n,m}`
_TOKEN = re.compile(
    r"(?P<escaped>\\.|\[\^?\]?(?:\\.|[^\]\\])*\])"
    r"|(?P<special>\(\?(?!:))"
    r"|(?P<repeated>\)(?:[*+]|\{\d*,?\d*\}))"
    r"|(?P<group>\((?:\?:)?)"
    r"|(?P<unbounded>[*+]\??|\{\d*,\})"
    r"|(?P<choice>\?|\{\d*,?(?P<most>\d+)\})"
)
_BACKREFERENCE = re.compile(r"\\[1-9]")


def pattern_fault(pattern: str) -> str:
    """Why `pattern` is no regular expression for a rule; empty when it is one.

    A rule is tried on what a stranger's program printed, inside the control plane, by an engine
    that goes back and tries again (https://docs.python.org/3/library/re.html). So nothing may be
    repeated that holds repetitions, and there may be few places where it has a choice.
    """
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        return f"it does not compile: {error}"
    tokens = list(_TOKEN.finditer(pattern))
    counts = {kind: sum(bool(token[kind]) for token in tokens) for kind in _TOKEN.groupindex}
    if counts["special"] or counts["repeated"] or _BACKREFERENCE.search(pattern):
        return "it looks around or back, sets a flag, or repeats a group"
    if counts["unbounded"] > UNBOUNDED_MAX:
        return f"it has more than {UNBOUNDED_MAX} of * and +"
    if max(counts["choice"], counts["group"]) > CHOICES_MAX:
        return f"it has more than {CHOICES_MAX} groups, or of ? and {{n,m}}"
    if any(int(token["most"]) > REPEATS_MAX for token in tokens if token["most"]):
        return f"it repeats something more than {REPEATS_MAX} times"
    return ""
