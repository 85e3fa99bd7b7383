"""What an incident that is over says of the watch: changes of its job's `alerts`, as offers.

Nothing is changed by it; a person edits the manifest, or has one applied. What is offered:

    hold      it was over by itself before anybody had it: it may be so for longer before it is told
    limit     the limit of the rule, half as much again: for what was not worth telling
    off       the rule ended so again and again: nobody acts on it
    add       a line that a run wrote before it died is a rule of its own: told when it is seen
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

import orjson

from runyard.flow.differences import Difference, differences
from runyard.flow.wording import count, span
from runyard.model.alert_rules import RULES_MAX, USUAL, names
from runyard.model.durations import seconds_of
from runyard.model.incident import Incident
from runyard.model.job import JobSpec
from runyard.model.rule_parts import HOLD_SECONDS_MAX, WINDOW_SECONDS_MAX

HOLD_LASTED_MAX = 3600.0  #: seconds; what lasted longer is worth telling, whoever had it
IDLE_MIN = 3  #: incidents of a rule that ended by themselves unseen, before it is offered to be off
LOG_WITHIN = "600s"
TEXT_MIN = 8  #: characters of a line that do not change from time to time
TEXT_MAX = 120
#: Where a rule has its limit: kind, and the field within it (empty: it is the kind's own value).
_LIMITS = (
    ("consecutiveFailures", ""),
    ("failed", "count"),
    ("failed", "percent"),
    ("took", "over"),
    ("took", "factor"),
    ("noSuccess", "within"),
    ("notStarted", "within"),
    ("notFinished", "within"),
    ("waiting", "network"),
    ("waiting", "capacity"),
    ("waiting", "permission"),
    ("waiting", "application"),
    ("overdue", "within"),
    ("queueWait", "over"),
)
_MOST = {"consecutiveFailures": 100, "percent": 100, "count": 1000, "factor": 1000}
_VARIES = re.compile(r"\S*\d\S*|['\"`<>{}\[\]()=\\]|[^\x20-\x7e]")
Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class WatchChange:
    """One offer: the job's document with it, and what differs. `name` is unique among offers."""

    name: str
    rule: str
    reason: str
    document: Document
    fields: tuple[Difference, ...]


def watch_changes(
    incident: Incident, before: Sequence[Incident], document: Document, lines: Sequence[str]
) -> list[WatchChange]:
    """What is offered for an incident that is over. `before` are those of the same group lately,
    `document` is the job in force, `lines` what a run of it that died wrote last."""
    if not incident.is_final:
        return []
    known = JobSpec.from_document(orjson.loads(orjson.dumps(document)))
    made = _Maker(orjson.loads(orjson.dumps(known.document())), names(known.alerts))
    for rule in dict.fromkeys(member.rule for member in incident.members):
        found = made.rule(rule)
        if found is not None:
            _of_rule(made, incident, before, rule, found)
    if lines:
        _of_lines(made, lines)
    return made.found


def _of_rule(
    made: _Maker, incident: Incident, before: Sequence[Incident], name: str, rule: dict[str, Any]
) -> None:
    lasted = incident.seconds_to_resolve or 0.0
    if _is_idle(incident) and lasted <= HOLD_LASTED_MAX:
        hold = float(min(ceil(lasted * 1.5 / 60) * 60 or 60, HOLD_SECONDS_MAX))
        if hold > seconds_of(rule["for"]):
            reason = f"it was over by itself after {span(lasted)}, before anybody had it"
            made.offer("hold", name, reason, rule | {"for": f"{hold:g}s"})
    raised = _with_limits_raised(rule)
    if raised != rule:
        reason = "if it was not worth telling: its limit, half as much again"
        made.offer("limit", name, reason, raised)
    idle = sum(_is_idle(one) and _has(one, name) for one in (incident, *before))
    if idle >= IDLE_MIN:
        reason = f"{count(idle, 'incident')} of it lately were over by themselves, unseen"
        made.offer("off", name, reason, rule | {"enabled": False})


def _of_lines(made: _Maker, lines: Sequence[str]) -> None:
    text = next((one for line in reversed(lines) if (one := lasting(line))), "")
    known = [rule.get("log", {}).get("text") for rule in made.rules]
    if not text or text in known or len(known) >= RULES_MAX:
        return
    name = next(f"log-{number}" for number in itertools.count(1) if made.is_free(number))
    rule = {"name": name, "severity": "error", "log": {"text": text, "within": LOG_WITHIN}}
    reason = "a run wrote it before it died: told when it is seen, not only when a run is dead"
    made.offer("add", name, reason, rule)


def lasting(line: str) -> str:
    """The longest part of a line of a log without what changes from time to time (words with
    digits, quoted and bracketed things begin and end a part); empty: there is none that says
    enough. It is looked for as it stands."""
    parts = [part.strip(" ,;:.-") for part in _VARIES.split(line)]
    longest = max(parts, key=len)[:TEXT_MAX].strip()
    return longest if len(longest) >= TEXT_MIN else ""


class _Maker:
    """Makes offers out of a job's document. `called` are what its rules are called, in order."""

    def __init__(self, document: dict[str, Any], called: list[str]) -> None:
        self.document = document
        self.rules: list[dict[str, Any]] = document.get("alerts", [])
        self.called = called
        self.found: list[WatchChange] = []

    def rule(self, name: str) -> dict[str, Any] | None:
        """A rule as it is written, or as every job has it; None: it is gone."""
        if name in self.called:
            return self.rules[self.called.index(name)]
        usual = next((one for one in USUAL if one.name == name), None)
        return None if usual is None else orjson.loads(orjson.dumps(usual.document()))

    def is_free(self, number: int) -> bool:
        """True when no rule is called so."""
        return f"log-{number}" not in self.called

    def offer(self, what: str, name: str, reason: str, rule: dict[str, Any]) -> None:
        """Offer that a rule is as it is said."""
        rules = list(self.rules)
        if name in self.called:
            rules[self.called.index(name)] = rule
        else:
            rules.append(rule)
        spec = JobSpec.from_document({**self.document, "alerts": rules})
        after = orjson.loads(orjson.dumps(spec.document()))
        fields = differences(self.document, after)
        self.found.append(WatchChange(f"{what}-{name}", name, reason, after, fields))


def _with_limits_raised(rule: dict[str, Any]) -> dict[str, Any]:
    after = dict(rule)
    for kind, field in _LIMITS:
        about = after.get(kind)
        if isinstance(about, dict) and field in about:
            after[kind] = about | {field: _raised(about[field], field)}
        elif isinstance(about, int):
            after[kind] = _raised(about, kind)
    return after


def _raised(limit: Any, field: str) -> Any:
    """Half as much again, in its own form: a number, or a length of time."""
    if isinstance(limit, str):
        return f"{min(ceil(seconds_of(limit) * 1.5), WINDOW_SECONDS_MAX)}s"
    most = _MOST[field]
    more = limit * 1.5
    return min(ceil(more) if isinstance(limit, int) else more, most)


def _is_idle(one: Incident) -> bool:
    return one.is_by_itself and one.acknowledged_at is None


def _has(one: Incident, rule: str) -> bool:
    return any(member.rule == rule for member in one.members)
