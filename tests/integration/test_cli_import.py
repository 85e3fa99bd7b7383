"""`runyard import`: files in, a manifest out, without a server."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runyard.model.manifest import Source, load
from tests.support.command_line import CommandLine

JOB = {
    "name": "projects/shop/locations/us-central1/jobs/report",
    "template": {
        "taskCount": 2,
        "template": {"containers": [{"image": "example/report:1", "odd\x1bone": 1}]},
    },
}


@pytest.fixture
def runyard(tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path)


def written(folder: Path, text: str, name: str = "job.yaml") -> str:
    file = folder / name
    file.write_text(text)
    return str(file)


def test_a_manifest_is_printed_that_can_be_loaded(runyard: CommandLine, tmp_path: Path) -> None:
    other = JOB | {"name": "other"}
    done = runyard(
        "import",
        written(tmp_path, json.dumps([JOB]), "a.json"),
        written(tmp_path, f"---\n{json.dumps(other)}\n---\n", "b.yaml"),
    )
    assert (done.status, done.err) == (0, "")
    assert "\x1b" not in done.out
    assert "  # template.template.containers[0].'odd\\x1bone': it is not known here" in done.out
    loaded = load([Source("a.yaml", done.out)])
    assert [(job.project, job.name, job.task_count) for job in loaded.jobs] == [
        ("shop", "report", 2), ("shop", "other", 2),
    ]  # fmt: skip


def test_json_has_the_manifest_and_the_notes(runyard: CommandLine, tmp_path: Path) -> None:
    file = written(tmp_path, json.dumps(JOB))
    found = runyard("import", file, "--project", "bank", "--json").document()
    assert found["manifest"]["project"] == "bank"
    assert found["manifest"]["jobs"]["report"]["regions"] == ["us-central1"]
    assert found["notes"][0]["job"] == "report"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: [", "cannot be read"),
        ("", "has no job"),
        ("kind: Service\napiVersion: serving.knative.dev/v1", "this is no Cloud Run job"),
        (json.dumps([JOB, JOB]), "a job is there twice"),
        ("just a text", "this is no Cloud Run job"),
        ("? {a: b}\n: c", "cannot be read"),
    ],
)
def test_what_is_no_job_is_refused_without_a_traceback(
    runyard: CommandLine, tmp_path: Path, text: str, words: str
) -> None:
    done = runyard("import", written(tmp_path, text))
    assert done.status == 64
    assert words in done.err
    assert "Traceback" not in done.err
    assert runyard("import", str(tmp_path / "nothing.yaml")).status == 66
