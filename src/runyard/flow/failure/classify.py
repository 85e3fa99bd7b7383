"""The class of an attempt's failure, from its evidence.

1. A rule of the job's own comes first, in the order of the manifest.
2. Then what is certain: cancelled, lost or refused as a whole, a reason of the provider's.
3. Then each task that failed, of those kept: its timeout, the kernel that killed it for memory, a
   signal or an exit code that says it alone; then its last lines (`reading`); then the exit codes
   that are only believed where the log is silent.
4. Of several tasks the class of most decides; of as many, the one that stands first in ORDER, since
   trying again helps it least.
5. What no rule knows is `application`: it is never tried again blindly.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from runyard.flow.failure.endings import EXIT_CODES, EXIT_CODES_WEAK, REASONS, SIGNALS
from runyard.flow.failure.reading import read
from runyard.flow.failure.saying import Meaning
from runyard.flow.wording import signal_name
from runyard.model.failure import Failure, FailureClass, FailureRule, Shortage
from runyard.model.outcome import Ending, Outcome, TaskFailure

LINE_SHOWN_MAX = 300  #: characters of a line that is shown as evidence
#: Of classes that as many tasks have, the first here decides.
ORDER = (
    FailureClass.APPLICATION,
    FailureClass.PERMISSION,
    FailureClass.RESOURCE,
    FailureClass.TIMEOUT,
    FailureClass.NETWORK,
    FailureClass.PLATFORM,
    FailureClass.CANCELLED,
)


@dataclass(frozen=True, slots=True)
class _Meant:
    """What one piece of evidence means."""

    failure_class: FailureClass
    rule: str
    words: str
    shortage: Shortage | None = None


def classify(outcome: Outcome, rules: Sequence[FailureRule] = ()) -> Failure | None:
    """Why the attempt failed, `rules` being the job's own; None of one that succeeded."""
    if outcome.ending is Ending.SUCCEEDED:
        return None
    return _by_own_rules(outcome, rules) or _as_a_whole(outcome) or _by_tasks(outcome)


# -- the job's own rules -------------------------------------------------------------------------
def _by_own_rules(outcome: Outcome, rules: Sequence[FailureRule]) -> Failure | None:
    for number, rule in enumerate(rules):
        if rule.reason and rule.reason != outcome.reason:
            continue
        told = (f"reason {outcome.reason}",) if rule.reason else ()
        if rule.exit_code is None and rule.signal is None and not rule.log:
            return Failure(rule.failure_class, f"failures[{number}]", told)
        for task in outcome.failures:
            found = _matches(rule, task)
            if found is not None:
                return Failure(
                    rule.failure_class, f"failures[{number}]", (*told, *found), task.index
                )
    return None


def _matches(rule: FailureRule, task: TaskFailure) -> tuple[str, ...] | None:
    """The evidence by which `rule` is about `task`; None when it is not."""
    found = []
    if rule.exit_code is not None:
        if task.exit_code != rule.exit_code:
            return None
        found.append(_exit_words(task))
    if rule.signal is not None:
        if task.signal != rule.signal:
            return None
        found.append(_exit_words(task))
    if rule.log:
        search = re.compile(rule.log).search
        line = next((line for line in reversed(task.last_lines) if search(line)), None)
        if line is None:
            return None
        found.append(_line_words(task, line))
    return tuple(found)


# -- the attempt as a whole ------------------------------------------------------------------------
def _as_a_whole(outcome: Outcome) -> Failure | None:
    told = f"the provider said {outcome.reason or outcome.ending}: {outcome.message}"
    if outcome.ending is Ending.CANCELLED:
        return Failure(FailureClass.CANCELLED, "ending", (told,))
    if outcome.reason in REASONS:
        meant, shortage = REASONS[outcome.reason]
        return Failure(meant, "reason", (told,), shortage=shortage)
    if outcome.ending is Ending.LOST:
        return Failure(FailureClass.PLATFORM, "ending", (told,))
    return None


# -- tasks -----------------------------------------------------------------------------------------
def _by_tasks(outcome: Outcome) -> Failure:
    found = [(task, _task(task)) for task in outcome.failures]
    if not found:
        timed_out = outcome.ending is Ending.TIMED_OUT
        meant = FailureClass.TIMEOUT if timed_out else FailureClass.APPLICATION
        return Failure(meant, "ending", (f"the provider said: {outcome.message}",))
    counts = Counter(meant.failure_class for _, meant in found)
    most = max(counts, key=lambda each: (counts[each], -ORDER.index(each)))
    task, first = next(pair for pair in found if pair[1].failure_class is most)
    evidence = [first.words]
    if len(found) > 1:
        evidence.append(f"{counts[most]} of {len(found)} failed tasks that are kept say so")
    return Failure(most, first.rule, tuple(evidence), task.index, first.shortage)


def _task(task: TaskFailure) -> _Meant:
    return (
        _certain(task)
        or _by_lines(task)
        or _by_table(task, "exit code", EXIT_CODES_WEAK)
        or _Meant(FailureClass.APPLICATION, "no other rule", _exit_words(task))
    )


def _certain(task: TaskFailure) -> _Meant | None:
    if task.timed_out:
        words = f"task {task.index} reached its timeout"
        return _Meant(FailureClass.TIMEOUT, "timeout of the task", words)
    if task.out_of_memory:
        words = f"task {task.index} was killed by the kernel: it used more memory than its limit"
        return _Meant(FailureClass.RESOURCE, "memory limit", words, Shortage.MEMORY)
    if task.signal in SIGNALS:
        meant, shortage = SIGNALS[task.signal]
        return _Meant(meant, "signal", _exit_words(task), shortage)
    return _by_table(task, "exit code", EXIT_CODES)


def _by_table(task: TaskFailure, rule: str, table: dict[int, Meaning]) -> _Meant | None:
    if task.exit_code not in table:
        return None
    meant, shortage = table[task.exit_code]
    return _Meant(meant, rule, _exit_words(task), shortage)


def _by_lines(task: TaskFailure) -> _Meant | None:
    found = read(task.last_lines)
    if found is None:
        return None
    said, words = found.said, _line_words(task, found.line)
    return _Meant(said.failure_class, f"log: {said.rule}", words, said.shortage)


def _line_words(task: TaskFailure, line: str) -> str:
    shown = " ".join(line.split())
    if len(shown) > LINE_SHOWN_MAX:
        shown = f"{shown[: LINE_SHOWN_MAX - 1]}…"
    return f"task {task.index} wrote: {shown}"


def _exit_words(task: TaskFailure) -> str:
    if task.exit_code is not None:
        return f"task {task.index} ended with exit code {task.exit_code}"
    if task.signal is not None:
        return f"task {task.index} was ended by signal {signal_name(task.signal)}"
    return f"task {task.index} failed: {task.message}"
