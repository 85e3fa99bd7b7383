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


def test_the_readme_says_what_there_is() -> None:
    letter = {"failure_class": "network", "evidence": ["task 0 wrote: refused", "all say so"]}
    readme: Any = bundle(story(letter=letter))["README.md"]
    assert readme.startswith("# run_2\n\nreport in local, us-central1: **dead**\n")
    assert "- class: network" in readme
    assert "- evidence: task 0 wrote: refused; all say so" in readme
    assert "- It was asked for." in readme
    assert "No run of the job that is kept succeeded before this one." in readme
    assert "## Last lines" not in readme
    same: Any = bundle(story(before=RUN | {"id": "run_1"}, spec_before=spec(A="hunter2", B=SECRET)))
    assert "Nothing in the job: run_1 succeeded with the same." in same["README.md"]
    lost: Any = bundle(story(before=RUN, spec=None))
    assert "A revision is not kept any more" in lost["README.md"]
    assert "spec.json" not in lost
    lined: Any = bundle(story(logs={1: [], 2: [entry("bye ```")]}))["README.md"]
    assert "```text\nbye '''\n```" in lined


def test_timings_compare_with_other_runs() -> None:
    timings: Any = bundle(story(before=RUN, durations=(1.0, 2.0, 9.0)))["timings.json"]
    assert timings["median_seconds_of_successes"] == 2.0
    assert timings["successes_counted"] == 3
    assert timings["last_success"]["duration_seconds"] == 8.0
    assert timings["attempts"] == [{"number": 1, "started_at": "a", "ended_at": "b"}]
    assert (bundle(story())["timings.json"])["median_seconds_of_successes"] is None  # type: ignore[call-overload,index]
