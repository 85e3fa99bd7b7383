"""The debug bundle of a final run: all that is known of it, as files that people and programs read.
Pure: the facts are documents as the API answers them; no file has a value of a variable."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from runyard.flow import redacting
from runyard.flow.differences import Steps, differences

VERSION = 1  #: of the bundle's form
Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Story:
    """What a bundle is made of. `spec` is the job's document at the run's revision (None: it is not
    kept), `before` the last run that succeeded before it, `spec_before` the document of that one.
    `logs` are the last entries by attempt; `unread` says why not all of these could be read, where
    it is so. `durations` are seconds of runs that succeeded lately.
    """

    run: Document
    attempts: Sequence[Document]
    history: Sequence[Document]
    sentences: Sequence[str]
    spec: Document | None
    versions: Document
    before: Document | None = None
    spec_before: Document | None = None
    letter: Document | None = None
    delivery: Document | None = None
    logs: Mapping[int, Sequence[Document]] = field(default_factory=dict)
    unread: Mapping[int, str] = field(default_factory=dict)
    durations: Sequence[float] = ()


def bundle(story: Story) -> dict[str, str | Document | Sequence[Any]]:
    """The bundle's files by name: texts, and documents that are to be written as JSON."""
    files: dict[str, Any] = {
        "run.json": story.run,
        "attempts.json": list(story.attempts),
        "history.json": list(story.history),
        "inputs.json": _inputs(story),
        "environment.json": _environment(story),
        "timings.json": _timings(story),
        "versions.json": dict(story.versions) | {"bundle": VERSION},
    }
    if story.spec is not None:
        files["spec.json"] = story.spec
    if story.letter is not None:
        files["dead_letter.json"] = story.letter
    files = {name: redacting.document(one) for name, one in files.items()}
    changes = _changes(story)
    files["spec-changes.json"] = redacting.document(changes)
    for number, entries in story.logs.items():
        files[f"logs/attempt-{number}.log"] = "".join(_lines(entries, story.unread.get(number)))
    return {"README.md": "\n".join(_readme(story, changes)) + "\n"} | files


def _inputs(story: Story) -> Document:
    run = story.run
    names = ("trigger", "triggered_by", "requested_by", "requested_at", "replays", "labels")
    said = {name: run.get(name) for name in names}
    return said | {"overrides": run["overrides"], "delivery": story.delivery}


def _environment(story: Story) -> list[Document]:
    """The names of all variables, and where each one's value is from; never the value."""
    found: dict[str, str] = {}
    for container in _containers(story.spec):
        for one in container.get("env") or ():
            secret = ((one.get("valueSource") or {}).get("secretKeyRef") or {}).get("secret")
            found[one["name"]] = f"secret {secret}" if secret else "the job"
    env = story.run["overrides"].get("env") or {}
    found |= dict.fromkeys(env, "this run")
    return [{"name": name, "from": found[name]} for name in sorted(found)]


def _containers(spec: Document | None) -> Sequence[Document]:
    template = ((spec or {}).get("template") or {}).get("template") or {}
    found: Sequence[Document] = template.get("containers") or ()
    return found


def _changes(story: Story) -> list[dict[str, Any]]:
    """What differs between the spec of the last success and this one; of variables only that they
    do."""
    if story.spec is None or story.spec_before is None:
        return []
    return [
        {
            "field": one.path,
            "before": _shown(one.steps, one.before),
            "after": _shown(one.steps, one.after),
        }
        for one in differences(story.spec_before, story.spec)
    ]


def _shown(steps: Steps, value: Any) -> Any:
    """A field's value as the field is shown within its document: without values of variables, and
    without what follows `--password` in arguments."""
    if value is None:
        return None
    if "env" in steps[:-1]:
        return redacting.document({"env": [value]})["env"][0]
    field = next(step for step in reversed(steps) if isinstance(step, str))
    return redacting.document({field: value})[field]


def _timings(story: Story) -> Document:
    run = story.run
    names = ("requested_at", "started_at", "ended_at", "deadline_at", "duration_seconds")
    attempts = [
        {name: one.get(name) for name in ("number", "started_at", "ended_at")}
        for one in story.attempts
    ]
    return {name: run.get(name) for name in names} | {
        "attempts": attempts,
        "last_success": story.before
        and {name: story.before.get(name) for name in ("id", "revision", *names)},
        "median_seconds_of_successes": median(story.durations) if story.durations else None,
        "successes_counted": len(story.durations),
    }


def _lines(entries: Sequence[Document], why: str | None) -> Iterator[str]:
    if why is not None:
        yield f"# {_UNREAD}: {redacting.text(why)}\n"
    for one in entries:
        where = f"{one['at']} task {one['task']}.{one['attempt']} {one['stream']}"
        severity = f" {one['severity']}" if one.get("severity") else ""
        yield f"{where}{severity}: {redacting.text(str(one['text']))}\n"


def _readme(story: Story, changes: Sequence[Document]) -> Iterator[str]:
    run, letter = story.run, story.letter
    yield f"# {run['id']}"
    yield ""
    yield f"{run['job']} in {run['environment']}, {run['region']}: **{run['state']}**"
    yield ""
    rows = {
        "project": run["project"],
        "revision": run["revision"],
        "reason": run["reason"],
        "class": letter and letter["failure_class"],
        "evidence": letter and "; ".join(letter["evidence"]),
        "attempts": f"{run['attempt']} of {run['attempts_max']}",
        "asked for": f"by {run['requested_by']} ({run['trigger']}) at {run['requested_at']}",
        "ended": run["ended_at"],
        "last success before": story.before
        and f"{story.before['id']}, revision {story.before['revision']}",
        "cost": run["cost"],
    }
    for name, value in rows.items():
        if value not in (None, ""):
            yield f"- {name}: {redacting.text(str(value))}"
    yield from _section("What happened", (f"- {line}" for line in story.sentences))
    yield from _section("What changed since the last success", _change_lines(story, changes))
    yield from _section("Last lines", _last_lines(story))
    yield from _section(
        "What is missing",
        (f"- attempt {number}: {_UNREAD}: {why}" for number, why in story.unread.items()),
    )
    yield from _section("Files", (f"- `{name}`: {words}" for name, words in _FILES.items()))
    yield ""
    yield (
        "Values of variables are in none of them. Values of secrets were taken out of logs of the "
        "machine that Runyard is on as they were written, and not of those at Google; what looks "
        "like one was taken out of both."
    )


def _section(title: str, lines: Iterator[str]) -> Iterator[str]:
    found = list(lines)
    if found:
        yield from ("", f"## {title}", "")
        yield from (redacting.text(line) for line in found)


def _change_lines(story: Story, changes: Sequence[Document]) -> Iterator[str]:
    if story.before is None:
        yield "No run of the job that is kept succeeded before this one."
    elif story.spec is None or story.spec_before is None:
        yield "A revision is not kept any more: see `spec.json` for what there is."
    elif not changes:
        yield f"Nothing in the job: {story.before['id']} succeeded with the same."
    for one in changes:
        yield f"- `{one['field']}`: {one.get('before')!r} -> {one.get('after')!r}"


def _last_lines(story: Story) -> Iterator[str]:
    entries = story.logs[max(story.logs)] if story.logs else ()
    if entries:
        yield "```text"
        yield from (str(one["text"]).replace("```", "'''") for one in entries[-20:])
        yield "```"


_UNREAD = "not all of its log could be read"
_FILES = {
    "run.json": "the run",
    "attempts.json": "each attempt, with its class and evidence",
    "history.json": "every decision on the run, in order",
    "inputs.json": "what asked for it, and what was changed for it",
    "environment.json": "names of variables and where their values are from",
    "spec.json": "the job at the run's revision",
    "spec-changes.json": "what changed in the job since the last success",
    "timings.json": "when, how long, and how long it takes otherwise",
    "versions.json": "what ran it",
    "dead_letter.json": "its dead letter, if it is dead",
    "logs/": "the last lines of each attempt",
}
