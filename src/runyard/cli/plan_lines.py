"""A plan, or the difference of two revisions, as people read it: coloured on a terminal only."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from importlib import import_module
from typing import Any

from runyard.cli import output
from runyard.cli.output import printable
from runyard.flow.schedule.words import shown

Document = Mapping[str, Any]
ACTIONS = ("create", "update", "delete", "unchanged")
SHOWN_MAX = 160  #: characters of a value
_DECISIONS = {
    None: "is taken back, since nobody decided: --drift {field}=adopt|revert|ignore",
    "revert": "is taken back",
    "adopt": "becomes ours: put it into the manifest too",
    "ignore": "stays as it is",
}


def show(plan: Document) -> None:
    """The whole plan; what does not change is only counted."""
    lines([line for job in plan["jobs"] if job["action"] != "unchanged" for line in _job(job)])
    counts = Counter(job["action"] for job in plan["jobs"])
    output.line(
        ", ".join(f"{counts[action]} to {action}" for action in ACTIONS[:3]) + _same(counts)
    )
    for one in plan["headroom"]:
        if one["is_passed"] or one["used"] != one["after"]:
            words = " and that is too many" if one["is_passed"] else ""
            output.line(
                f"{one['name']} in {one['where']}: {one['used']}, then {one['after']} of "
                f"{one['limit']}{words}"
            )
    if plan["has_changes"]:
        sure = "" if plan["is_safe"] else "; what is marked ! has to be confirmed"
        output.line(f"apply exactly this: runyard apply --plan {plan['token']}{sure}")


def _same(counts: Counter[str]) -> str:
    return f", {counts['unchanged']} unchanged" if counts["unchanged"] else ""


def lines(found: Iterable[str]) -> None:
    """Prints lines; the first characters of each say its colour on a terminal."""
    if sys.stdout.isatty():
        # By name, as commands are: a pipe and `--json` do not wait for Rich.
        import_module("runyard.cli.terminal").changes(list(found))
        return
    for line in found:
        output.line(line)


def _job(job: Document) -> Iterator[str]:
    base, new = job["base_revision"], job["revision"]
    revisions = f", revision {base} -> {new}" if base and new != base else ""
    where = f" in {', '.join(job['regions'])}" if job["regions"] else ""
    yield f"{_SIGNS[job['action']]} {job['name']} {job['action']}{revisions}{where}"
    told = {f"triggers[{one['name']}]" for one in job["triggers"]}
    yield from (
        f"    {line}" for line in changed(f for f in job["fields"] if f["path"] not in told)
    )
    for trigger in job["triggers"]:
        yield from _trigger(trigger)
    for region in job["missing"]:
        yield f"    + {region}: it is gone there, and is put back"
    for drift in job["drift"]:
        yield f"    {_drift(job['name'], drift)}"
    for why in job["unsafe"]:
        yield f"    ! {printable(why)}"
    if job["estimate"]:
        yield f"      {_estimate(job['estimate'])}"


def _trigger(trigger: Document) -> Iterator[str]:
    """What a trigger does from now on; none where it stays as it is."""
    if trigger["action"] == "unchanged":
        return
    yield f"    {_SIGNS[trigger['action']]} trigger {trigger['name']}: {printable(trigger['says'])}"
    for at in trigger["instants"]:
        yield f"        {shown(datetime.fromisoformat(at['local']))}  {at['utc']}"
    for words in trigger["words"]:
        yield f"        {printable(words)}"


_SIGNS = {"create": "+", "update": "~", "delete": "-"}


def changed(fields: Iterable[Document]) -> Iterator[str]:
    """Each field that changes, with what it was and what it is."""
    for field in fields:
        path, before, after = printable(field["path"]), field["before"], field["after"]
        if before is None:
            yield f"+ {path}: {value(after)}"
        elif after is None:
            yield f"- {path}: {value(before)}"
        else:
            yield f"~ {path}: {value(before)} -> {value(after)}"


def value(found: Any) -> str:
    """A value on one line, shortened."""
    text = found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)
    shown = printable(text)
    return shown if len(shown) <= SHOWN_MAX else f"{shown[: SHOWN_MAX - 1]}…"


def _drift(job: str, drift: Document) -> str:
    path = printable(drift["path"])
    becomes = _DECISIONS[drift["verdict"]].format(field=f"{job}.{path}")
    live = "nothing" if drift["live"] is None else value(drift["live"])
    applied = "nothing" if drift["applied"] is None else value(drift["applied"])
    return f"? {path} is {live} in {drift['region']}, and was applied as {applied}: it {becomes}"


def _estimate(cost: Document) -> str:
    launches = f"at most {cost['launches_max']} launches a run"
    why = cost["why_unknown"]
    if cost["run_cost"] is None:
        return f"{launches}; its price is unknown: {why}"
    count = cost["runs_measured"]
    run = f"{cost['run_cost']} a run (the middle of {count})"
    month = f"{cost['month_cost']} a month" if cost["month_cost"] else f"a month: unknown, {why}"
    return f"{launches}; {run}; {month}"
