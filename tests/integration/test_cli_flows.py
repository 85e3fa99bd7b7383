"""What people do with the command line, against a server that answers by the contract (a fake)."""

from __future__ import annotations

import base64
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from runyard.model.ids import stamped
from tests.support.command_line import CommandLine
from tests.support.fake_server import (
    FakeServer,
    a_job,
    a_run,
    an_entry,
    an_outcome,
    error,
    serving,
)


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[FakeServer]:
    with serving(tmp_path) as server:
        yield server


@pytest.fixture
def runyard(tmp_path: Path, fake: FakeServer) -> CommandLine:
    return CommandLine(tmp_path)


def test_run_sends_every_override_and_prints_the_id(runyard: CommandLine, fake: FakeServer) -> None:
    words = "run report --arg --month --arg 3 --env A=1 --env B=x=y --tasks 4 --timeout 30s"
    more = "--region europe-west1 --priority 5 -l team=data --key mine"
    done = runyard(*words.split(), *more.split())
    assert done.status == 0
    assert done.out == f"{fake.runs[0]['id']}\n"
    assert "runyard logs -f" in done.err
    (asked,) = fake.asked("POST", "/runs")
    assert asked.body == {
        "job": "report",
        "region": "europe-west1",
        "priority": 5,
        "labels": {"team": "data"},
        "idempotency_key": "mine",
        "overrides": {
            "args": ["--month", "3"],
            "env": {"A": "1", "B": "x=y"},
            "task_count": 4,
            "timeout": "30s",
        },
    }


def test_a_plain_run_leaves_everything_to_the_job(runyard: CommandLine, fake: FakeServer) -> None:
    assert runyard("run", "report", "--json").document() == {"runs": fake.runs}
    runyard("run", "report")
    first, second = (asked.body for asked in fake.asked("POST", "/runs"))
    assert set(first) == {"job", "idempotency_key"}
    assert first["idempotency_key"] != second["idempotency_key"]


def test_no_arguments_at_all_can_be_asked_for(runyard: CommandLine, fake: FakeServer) -> None:
    runyard("run", "report", "--args-json", "[]")
    (asked,) = fake.asked("POST", "/runs")
    assert asked.body["overrides"] == {"args": []}


def test_runs_are_listed_with_their_age(runyard: CommandLine, fake: FakeServer) -> None:
    fake.runs = [
        a_run(
            id="run_" + "1" * 26,
            state="succeeded",
            task_count=12,
            attempt=2,
            attempts_max=3,
            duration_seconds=72.4,
            cost="$0.0021",
            outcome=an_outcome(task_count=12, succeeded_count=11, failed_count=1),
        )
    ]
    runyard.environ["TZ"] = "UTC"
    heading, row = runyard.process("runs").out.splitlines()
    assert heading.split()[:5] == ["RUN", "JOB", "REGION", "STATE", "TASKS"]
    assert row.split()[:6] == [
        "run_" + "1" * 26,
        "report",
        "us-central1",
        "succeeded",
        "11/12",
        "2/3",
    ]
    assert row.endswith("1m 12s  $0.0021")
    assert "(1m ago)" in runyard("runs").out


def test_runs_pages_until_the_limit_and_says_that_there_is_more(
    runyard: CommandLine, fake: FakeServer
) -> None:
    fake.runs = [
        a_run(id=f"run_{number:026d}", requested_at=f"2026-01-01T00:00:{number % 60:02d}Z")
        for number in range(2500)
    ]
    limited = runyard("runs", "--limit", "1200", "--json").document()
    assert len(limited["runs"]) == 1200
    assert limited["next_page_token"]
    assert "there are more" in runyard("runs").err
    everything = runyard("runs", "--all", "--json").document()
    assert {run["id"] for run in everything["runs"]} == {run["id"] for run in fake.runs}
    assert everything["next_page_token"] == ""


def test_filters_reach_the_server(runyard: CommandLine, fake: FakeServer) -> None:
    words = "runs --state dead --state running --job report --region r1 -l a=b --since 2h"
    assert runyard(*words.split(), "--until", "2025-12-31T00:00:00Z", "--sort", "-cost").status == 0
    (asked,) = fake.asked("GET", "/runs")
    assert asked.query == {
        "state": ["dead", "running"],
        "job": ["report"],
        "region": ["r1"],
        "label": ["a=b"],
        "since": ["2025-12-31T22:01:00.000Z"],
        "until": ["2025-12-31T00:00:00Z"],
        "sort": ["-cost"],
        "page_size": ["50"],
    }


def test_expressions_reach_the_server(runyard: CommandLine, fake: FakeServer) -> None:
    text = "labels.team = data AND NOT name = night*"
    assert runyard("jobs", "--filter", text, "--sort", "-revision").status == 0
    (asked,) = fake.asked("GET", "/jobs")
    assert (asked.query["filter"], asked.query["sort"]) == ([text], ["-revision"])
    assert runyard("runs", "--filter", "-state=dead").status == 0
    (asked,) = fake.asked("GET", "/runs")
    assert asked.query["filter"] == ["-state=dead"]


def test_a_run_is_found_by_the_beginning_of_its_id(runyard: CommandLine, fake: FakeServer) -> None:
    first = datetime(2026, 1, 1, tzinfo=UTC)  # ids run_01kdvdna..., and run_01kdvdq4... later
    early = stamped("run", first, 7)
    late = stamped("run", first + timedelta(minutes=1), 7)
    fake.runs = [
        a_run(id=early, requested_at="2026-01-01T00:00:00.000Z"),
        a_run(id=late, requested_at="2026-01-01T00:01:00.000Z", job="other"),
    ]
    assert runyard("runs", "get", early[:12], "--json").document()["id"] == early
    assert runyard("runs", "get", late[4:12].upper(), "--json").document()["id"] == late
    assert runyard("runs", "get", "@last", "--json").document()["id"] == late
    both = runyard("runs", "get", early[:10])
    assert both.status == 64
    assert early in both.err
    assert late in both.err
    assert runyard("runs", "get", "run_7").status == 66
    assert runyard("runs", "get", "what?").status == 64


def test_one_run_is_shown_with_its_failures(runyard: CommandLine, fake: FakeServer) -> None:
    failure = {"index": 3, "attempts": 2, "message": "it failed", "exit_code": 7}
    run = a_run(
        state="dead",
        reason="out of attempts",
        overrides={"args": ["--month", "3"], "env": {"A": "1"}, "task_count": 4, "timeout": "30s"},
        outcome=an_outcome(ending="failed", task_count=4, failed_count=1, failures=[failure]),
    )
    attempt = {
        "number": 1,
        "handle": "executions/x",
        "started_at": "2026-01-01T00:00:00Z",
        "ended_at": None,
        "outcome": None,
        "charge": None,
    }
    fake.replies["GET", f"/runs/{run['id']}"] = (200, run | {"attempts": [attempt]})
    shown = runyard("runs", "get", run["id"])
    assert "reason:     out of attempts" in shown.out
    changed = '--args-json ["--month", "3"], --env A=1, --tasks 4, --timeout 30s'
    assert f"overrides:  {changed}" in shown.out
    assert "task 3: it failed (exit code 7, tried 2 times)" in shown.out
    assert "executions/x" in shown.out


def test_a_stored_log_is_paged_to_its_end(runyard: CommandLine, fake: FakeServer) -> None:
    run = a_run()
    fake.runs = [run]
    fake.logs[run["id"]] = [an_entry(number, f"line {number}", task=3) for number in range(1, 2502)]
    fake.logs[run["id"]][7]["attempt"] = 1
    lines = runyard("logs", "@last").out.splitlines()
    assert len(lines) == 2501
    assert lines[0] == "[3] line 1"
    assert lines[7] == "[3.1] line 8"
    assert runyard("logs", "@last", "--json").lines() == fake.logs[run["id"]]


def test_cancel_and_explain(runyard: CommandLine, fake: FakeServer) -> None:
    fake.runs = [a_run()]
    identity = fake.runs[0]["id"]
    assert runyard("cancel", "@last", "--reason", "wrong month").out == f"{identity} is stopping\n"
    (asked,) = fake.asked("POST", f"/runs/{identity}:cancel")
    assert asked.body == {"reason": "wrong month"}
    told = runyard("explain", "@last").out.splitlines()
    assert told == ["It was asked for by hand.", "It succeeded."]


def test_jobs_are_listed_and_shown(runyard: CommandLine, fake: FakeServer) -> None:
    fake.jobs = [a_job()]
    _, row = runyard("jobs").out.splitlines()
    assert row.split()[:6] == ["report", "local", "3", "us-central1", "primary", "36"]
    shown = runyard("jobs", "get", "report").out
    assert "launches max:  36 a run" in shown
    assert shown.endswith("template:\n  taskCount: 12\n")
    assert runyard("jobs", "get", "report", "--json").document() == fake.jobs[0]
    assert runyard("jobs", "get", "none").status == 66


def test_apply_shows_what_changed(runyard: CommandLine, fake: FakeServer, tmp_path: Path) -> None:
    folder = tmp_path / "manifests"
    (folder / "deep").mkdir(parents=True)
    (folder / "b.yaml").write_text("b")
    (folder / "deep" / "a.yml").write_text("a")
    (folder / "notes.txt").write_text("no manifest")
    job = {
        "project": "shop",
        "environment": "dev",
        "name": "report",
        "revision": 2,
        "change": "updated",
        "launches_max": 9,
        "regions": ["us-central1"],
    }
    fake.replies["POST", "/jobs:apply"] = (200, {"jobs": [job], "warnings": []})
    done = runyard("apply", str(folder), "--environment", "dev")
    assert done.out.splitlines()[1].split() == ["report", "dev", "updated", "2", "us-central1", "9"]
    (asked,) = fake.asked("POST", "/jobs:apply")
    assert asked.body == {
        "environment": "dev",
        "wait_seconds": 0,
        "files": [
            {"name": str(folder / "b.yaml"), "text": "b"},
            {"name": str(folder / "deep" / "a.yml"), "text": "a"},
        ],
    }


def test_a_secret_comes_from_stdin_or_a_file_and_is_never_shown(
    runyard: CommandLine, fake: FakeServer, tmp_path: Path
) -> None:
    done = runyard.process("secrets", "create", "report-db", stdin=b"pass\xffword\n")
    assert done.out == "report-db version 1\n"
    assert "ends with a newline" in done.err
    value = tmp_path / "value"
    value.write_bytes(b"renewed")
    again = runyard("secrets", "add-version", "report-db", "--from-file", str(value), "--json")
    assert again.document() == {"name": "report-db", "version": 2}
    assert [base64.b64decode(one) for one in fake.secrets["report-db"]] == [
        b"pass\xffword\n",
        b"renewed",
    ]
    assert runyard("secrets", "list", "--json").document() == {
        "secrets": [{"name": "report-db", "version": 2}]
    }


def test_secrets_are_neither_overwritten_nor_made_by_a_slip(
    runyard: CommandLine, fake: FakeServer
) -> None:
    fake.secrets["there"] = ["eA=="]
    assert runyard.process("secrets", "create", "there", stdin=b"x").status == 73
    assert runyard.process("secrets", "add-version", "their", stdin=b"x").status == 66
    assert runyard.process("secrets", "add-version", "there", stdin=b"").status == 64
    assert runyard.process("secrets", "add-version", "there", stdin=b"x" * 65537).status == 64
    assert fake.secrets == {"there": ["eA=="]}


def test_status_in_words_and_in_json(runyard: CommandLine, fake: FakeServer) -> None:
    shown = runyard("status").out
    assert f"server:        {fake.url}" in shown
    assert "runs:          2 running" in shown
    assert "8 GiB" in shown
    told = runyard("status", "--json").document()
    assert told["url"] == fake.url
    assert told["loops"]["due"]["errors"] == 0


def test_config_shows_values_with_their_sources(runyard: CommandLine) -> None:
    runyard.environ["RUNYARD_PORT"] = "9000"
    rows = runyard("config", "--json").document()["settings"]
    port = next(row for row in rows if row["name"] == "port")
    assert port["value"] == "9000"
    assert "RUNYARD_PORT" in runyard("config").out
    assert "port the server listens at" in runyard("config", "--explain").out


def test_doctor_takes_the_abilities_from_the_server(runyard: CommandLine) -> None:
    checks = {one["name"]: one for one in runyard("doctor", "--json").document()["checks"]}
    assert checks["control groups"]["result"] == "warn"
    assert checks["control groups"]["found"] == "none: a fake has none"
    assert checks["memory limits"]["found"] == "held by rlimit"
    assert checks["files in memory"]["found"] == "/dev/shm"
    assert checks["write-ahead log"]["result"] == "ok"
    assert checks["server"]["found"] == "answers, version fake"
    logs = checks["google logs"]
    assert (logs["result"], logs["found"]) == ("warn", "of shop-prod cannot be read")
    assert logs["advice"] == "no role; give it"


def test_doctor_fails_where_the_state_folder_is_no_folder(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    done = CommandLine(file)("doctor")
    assert done.status == 65
    assert "RUNYARD_STATE_FOLDER" in done.out


def test_doctor_leaves_nothing_behind(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    done = CommandLine(tmp_path)("doctor")
    assert f"chmod 700 {tmp_path}" in done.out
    assert list(tmp_path.iterdir()) == []
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755


def test_an_answer_lost_on_a_kept_connection_is_asked_for_again(
    runyard: CommandLine, fake: FakeServer
) -> None:
    fake.replies["GET", "/runs"] = error(409, "ABORTED", "somebody was first")
    assert runyard("runs").status == 75


def test_version(runyard: CommandLine, fake: FakeServer) -> None:
    assert runyard("version").out.startswith("runyard ")
    assert set(runyard("version", "--json").document()) == {"version", "python"}
    assert fake.requests == []
