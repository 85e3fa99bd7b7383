"""The files of a debug bundle."""

from __future__ import annotations

import json
from typing import Any

from runyard.flow.bundling import VERSION, Story, bundle
from runyard.flow.redacting import REDACTED

RUN: dict[str, Any] = {
    "id": "run_2",
    "project": "shop",
    "environment": "local",
    "region": "us-central1",
    "job": "report",
    "revision": 2,
    "state": "dead",
    "reason": "it failed",
    "attempt": 1,
    "attempts_max": 3,
    "requested_by": "ann",
    "requested_at": "2026-11-01T12:00:00Z",
    "started_at": "2026-11-01T12:00:01Z",
    "ended_at": "2026-11-01T12:00:09Z",
    "duration_seconds": 8.0,
    "trigger": "manual",
    "cost": "$0.0011",
    "overrides": {"env": {"EXTRA": "hunter2"}, "args": ["--password", "hunter2"]},
}


def spec(**env: Any) -> dict[str, Any]:
    variables = [
        {"name": name, **(one if isinstance(one, dict) else {"value": one})}
        for name, one in env.items()
    ]
    return {"template": {"template": {"containers": [{"image": "i", "env": variables}]}}}


SECRET = {"valueSource": {"secretKeyRef": {"secret": "db", "version": "1"}}}


def story(**said: Any) -> Story:
    usual: dict[str, Any] = {
        "run": RUN,
        "attempts": [{"number": 1, "started_at": "a", "ended_at": "b", "outcome": {}}],
        "history": [{"kind": "requested"}],
        "sentences": ["It was asked for.", "It died with password=hunter2."],
        "spec": spec(A="hunter2", B=SECRET),
        "versions": {"runyard": "1"},
    }
    return Story(**usual | said)


def entry(text: str, severity: str = "") -> dict[str, Any]:
    return {
        "at": "2026-11-01T12:00:08Z",
        "task": 0,
        "attempt": 0,
        "stream": "stderr",
        "severity": severity,
        "text": text,
    }


def test_a_bundle_has_no_value_of_a_variable_and_nothing_that_looks_like_a_secret() -> None:
    logs = {1: [entry("hello"), entry("token=hunter2", "ERROR"), entry("```")]}
    delivery = {"headers": {"x-api-token": "token: hunter2"}}
    files = bundle(story(logs=logs, spec_before=spec(A="x"), before=RUN, delivery=delivery))
    assert "hunter2" not in json.dumps(files)
    assert set(files) == {
        "README.md",
        "run.json",
        "attempts.json",
        "history.json",
        "inputs.json",
        "environment.json",
        "timings.json",
        "versions.json",
        "spec.json",
        "spec-changes.json",
        "logs/attempt-1.log",
    }
    assert files["environment.json"] == [
        {"name": "A", "from": "the job"},
        {"name": "B", "from": "secret db"},
        {"name": "EXTRA", "from": "this run"},
    ]
    assert files["logs/attempt-1.log"] == (
        "2026-11-01T12:00:08Z task 0.0 stderr: hello\n"
        f"2026-11-01T12:00:08Z task 0.0 stderr ERROR: token={REDACTED}\n"
        "2026-11-01T12:00:08Z task 0.0 stderr: ```\n"
    )
    assert files["versions.json"] == {"runyard": "1", "bundle": VERSION}


def test_what_changed_since_the_last_success_names_variables_only() -> None:
    before = spec(A="1", C="2", D={"value": "x"})
    after = spec(A="3", B=SECRET, D=SECRET)
    after["timeout"] = "9s"
    files = bundle(story(spec=after, spec_before=before, before=RUN | {"id": "run_1"}))
    changes: Any = files["spec-changes.json"]
    path = "template.template.containers[0].env"
    by_field = {one["field"]: (one["before"], one["after"]) for one in changes}
    assert by_field[f"{path}[A].value"] == (REDACTED, REDACTED)
    assert by_field[f"{path}[B]"] == (None, {"name": "B", **SECRET})
    assert by_field[f"{path}[C]"] == ({"name": "C", "value": REDACTED}, None)
    assert by_field[f"{path}[D].value"] == (REDACTED, None)
    assert by_field["timeout"] == (None, "9s")
    readme: Any = files["README.md"]
    assert f"- `{path}[A].value`: '{REDACTED}' -> '{REDACTED}'" in readme
    assert "- last success before: run_1, revision 2" in readme


def test_what_changed_hides_what_the_spec_hides() -> None:
    before, after = spec(A="1"), spec(A="1")
    for one, secret in ((before, "hunter1"), (after, "hunter2")):
        container = one["template"]["template"]["containers"][0]
        container["args"] = ["--password", secret, f"--url=amqp://me:{secret}@mq", "--fast"]
    files = bundle(story(spec=after, spec_before=before, before=RUN))
    assert "hunter" not in json.dumps(files)
    shown = ["--password", REDACTED, f"--url=amqp://{REDACTED}@mq", "--fast"]
    where = "template.template.containers[0].args"
    assert files["spec-changes.json"] == [{"field": where, "before": shown, "after": shown}]


README = """\
# run_2

report in local, us-central1: **dead**

- project: shop
- revision: 2
- reason: it failed
- class: network
- evidence: task 0 wrote: refused; all say so
- attempts: 1 of 3
- asked for: by ann (manual) at 2026-11-01T12:00:00Z
- ended: 2026-11-01T12:00:09Z
- last success before: run_1, revision 1
- cost: $0.0011

## What happened

- It was asked for.
- It died with password=[redacted]

## What changed since the last success

- `timeout`: None -> '9s'

## Last lines

```text
bye '''
```

## Files

- `run.json`: the run
- `attempts.json`: each attempt, with its class and evidence
- `history.json`: every decision on the run, in order
- `inputs.json`: what asked for it, and what was changed for it
- `environment.json`: names of variables and where their values are from
- `spec.json`: the job at the run's revision
- `spec-changes.json`: what changed in the job since the last success
- `timings.json`: when, how long, and how long it takes otherwise
- `versions.json`: what ran it
- `dead_letter.json`: its dead letter, if it is dead
- `logs/`: the last lines of each attempt

Values of variables are in none of them. Values of secrets were taken out of logs of the \
machine that Runyard is on as they were written, and not of those at Google; what looks \
like one was taken out of both.
"""
LETTER = {"failure_class": "network", "evidence": ["task 0 wrote: refused", "all say so"]}


def test_the_readme_says_what_there_is() -> None:
    changed = spec(A="x") | {"timeout": "9s"}
    before = RUN | {"id": "run_1", "revision": 1}
    logs = {2: [entry("bye ```")], 1: [entry("not the last")]}
    whole = story(spec=changed, spec_before=spec(A="x"), before=before, letter=LETTER, logs=logs)
    assert bundle(whole)["README.md"] == README


def section(title: str, **said: Any) -> str:
    """What the README says below a title; empty: it does not have it."""
    readme: Any = bundle(story(**said))["README.md"]
    return str(readme).partition(f"\n## {title}\n\n")[2].partition("\n\n")[0]


def test_the_readme_says_when_there_is_nothing_to_compare_with() -> None:
    title = "What changed since the last success"
    lost = "A revision is not kept any more: see `spec.json` for what there is."
    same = spec(A="x")
    assert section(title) == "No run of the job that is kept succeeded before this one."
    assert section(title, before=RUN, spec=None) == lost
    assert section(title, before=RUN, spec_before=same, spec=None) == lost
    assert section(title, before=RUN, spec=same) == lost
    assert section(title, before=RUN, spec=same, spec_before=same) == (
        "Nothing in the job: run_2 succeeded with the same."
    )


def test_the_readme_leaves_out_what_there_is_not() -> None:
    readme: Any = bundle(story(run=RUN | {"reason": "", "cost": None}, sentences=()))["README.md"]
    for absent in ("reason:", "cost:", "class:", "evidence:", "last success before:"):
        assert f"- {absent}" not in readme
    assert "## What happened" not in readme
    assert "## Last lines" not in readme


def test_the_readme_has_the_last_twenty_lines_of_the_last_attempt() -> None:
    lines = [f"line {number}" for number in range(1, 22)]
    shown = section("Last lines", logs={1: [entry("before")], 2: [entry(one) for one in lines]})
    assert shown == "\n".join(["```text", *lines[1:], "```"])


def test_what_is_not_kept_has_no_file() -> None:
    files = bundle(story(spec=None, before=RUN, spec_before=spec(A="x")))
    assert files.keys().isdisjoint({"spec.json", "dead_letter.json"})
    assert files["spec-changes.json"] == []


def test_spec_and_dead_letter_are_files_of_the_bundle() -> None:
    files = bundle(story(letter=LETTER))
    assert files["spec.json"] == spec(A={"value": REDACTED}, B=SECRET)
    assert files["dead_letter.json"] == LETTER


def test_inputs_are_what_asked_for_the_run_and_what_was_changed_for_it() -> None:
    asked = {"triggered_by": "nightly", "replays": "run_0", "labels": {"team": "data"}}
    files = bundle(story(run=RUN | asked, delivery={"id": "dlv_1"}))
    assert files["inputs.json"] == asked | {
        "trigger": "manual",
        "requested_by": "ann",
        "requested_at": "2026-11-01T12:00:00Z",
        "overrides": {"env": {"EXTRA": REDACTED}, "args": ["--password", REDACTED]},
        "delivery": {"id": "dlv_1"},
    }


def test_timings_compare_with_other_runs() -> None:
    deadline = {"deadline_at": "2026-11-01T13:00:00Z"}
    before = RUN | {"id": "run_1", "revision": 1}
    usual = bundle(story(run=RUN | deadline, before=before, durations=(1.0, 2.0, 9.0)))
    took = {
        "requested_at": "2026-11-01T12:00:00Z",
        "started_at": "2026-11-01T12:00:01Z",
        "ended_at": "2026-11-01T12:00:09Z",
        "duration_seconds": 8.0,
    }
    assert usual["timings.json"] == took | deadline | {
        "attempts": [{"number": 1, "started_at": "a", "ended_at": "b"}],
        "last_success": took | {"id": "run_1", "revision": 1, "deadline_at": None},
        "median_seconds_of_successes": 2.0,
        "successes_counted": 3,
    }
    first: Any = bundle(story())["timings.json"]
    assert (first["median_seconds_of_successes"], first["last_success"]) == (None, None)


def test_a_bundle_says_which_logs_could_not_be_read() -> None:
    files = bundle(story(logs={1: [], 2: [entry("hello")]}, unread={1: "no role, token=hunter2"}))
    words = "not all of its log could be read: no role, "
    assert str(files["logs/attempt-1.log"]).startswith(f"# {words}")
    assert str(files["logs/attempt-2.log"]).startswith("2026-11-01T12:00:08Z task 0.0 stderr: ")
    readme = str(files["README.md"])
    assert f"## What is missing\n\n- attempt 1: {words}" in readme
    assert "hunter2" not in json.dumps(files)
    assert "missing" not in str(bundle(story())["README.md"])
