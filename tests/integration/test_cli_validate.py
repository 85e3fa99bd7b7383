"""`runyard validate` and `schema`: offline, all faults at once, each with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.command_line import CommandLine

GOOD = """\
project: shop
jobs:
  report:
    template:
      taskCount: 12
      template:
        maxRetries: 1
        containers:
          - image: report
            command: [python, -c, "print(1)"]
"""


@pytest.fixture
def runyard(tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path / "state")


def test_a_good_manifest_shows_what_a_run_can_cause(runyard: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "runyard.yaml"
    file.write_text(GOOD)
    done = runyard("validate", str(file))
    assert done.status == 0
    row = done.out.splitlines()[1].split()
    assert row == ["report", "local", "valid", "us-central1", "24"]
    (job,) = runyard("validate", str(file), "--json").document()["jobs"]
    assert job == {
        "project": "shop",
        "environment": "local",
        "name": "report",
        "revision": 0,
        "change": "",
        "launches_max": 24,
        "regions": ["us-central1"],
    }


def test_every_fault_is_shown_with_its_line(runyard: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "runyard.yaml"
    file.write_text(
        GOOD.replace("taskCount: 12", "taskCont: 12").replace("maxRetries: 1", "maxRetries: 11")
    )
    done = runyard("validate", str(file))
    assert (done.status, done.out) == (64, "")
    lines = done.err.splitlines()
    typo = next(number for number, line in enumerate(lines) if "taskCont" in line)
    assert lines[typo].startswith(f"{file}:5:7: jobs.report.template.taskCont:")
    assert "did you mean 'taskCount'?" in lines[typo]
    assert lines[typo + 1 : typo + 3] == ["  5 |       taskCont: 12", "    |       ^"]
    assert f"{file}:7:21: " in done.err


def test_with_json_the_faults_are_details(runyard: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "runyard.yaml"
    file.write_text("project: shop\njobs: 3\n")
    done = runyard("validate", str(file), "--json")
    assert done.status == 64
    assert '"path": "jobs"' in done.err
    assert '"line": 2' in done.err


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"a: \xff", "UTF-8"),
        (b"a: [", "line"),
        (b"x" * (1024 * 1024 + 1), "too long"),
        (b"[" * 100_000, "error:"),
        (b"a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\n", "error:"),
        (b"", "empty"),
    ],
    ids=["not utf-8", "cut short", "long", "deep", "aliases", "empty"],
)
def test_what_is_no_manifest_is_told_so(
    content: bytes, told: str, runyard: CommandLine, tmp_path: Path
) -> None:
    file = tmp_path / "runyard.yaml"
    file.write_bytes(content)
    done = runyard("validate", str(file))
    assert done.status == 64
    assert "Traceback" not in done.err
    assert len(done.err) < 5000
    assert told in done.err or told == "line"


def test_what_is_not_there(runyard: CommandLine, tmp_path: Path) -> None:
    assert runyard("validate", str(tmp_path / "none.yaml")).status == 66
    (tmp_path / "empty").mkdir()
    assert "no file *.yaml" in runyard("validate", str(tmp_path / "empty")).err


def test_without_a_name_the_usual_ones_are_looked_for(
    runyard: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "there is no runyard.yaml" in runyard("validate").err
    (tmp_path / "runyard").mkdir()
    (tmp_path / "runyard" / "one.yaml").write_text(GOOD)
    assert runyard("validate").status == 0


def test_the_schema_is_one_for_editors(runyard: CommandLine) -> None:
    schema = runyard("schema").document()
    assert schema["$schema"].startswith("https://json-schema.org/")
    assert "jobs" in schema["properties"]
