"""The files that deliver the runner are what the linters of their kinds want."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.linters import FOLDER, lint, linter
from tests.support.tree import ROOT, relative

DEPLOY = ROOT / "deploy" / "runner"
WORKFLOW = ROOT / ".github" / "workflows" / "deploy.yml"
SCRIPTS = sorted([*DEPLOY.glob("*.sh"), ROOT / "deploy" / "linters.sh"])
YAML_RULES = (
    "{extends: default, rules: {line-length: {max: 120}, document-start: disable, "
    "truthy: {check-keys: false}, comments: {min-spaces-from-content: 1}}}"
)


def _workflow() -> dict[Any, Any]:
    read: dict[Any, Any] = yaml.safe_load(WORKFLOW.read_text())
    return read


def _steps(job: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = _workflow()["jobs"][job]["steps"]
    return found


def _runs() -> Iterator[tuple[str, str]]:
    for name, job in _workflow()["jobs"].items():
        for step in job["steps"]:
            if "run" in step:
                yield f"{name}: {step['name']}", step["run"]


def test_the_dockerfile_pleases_hadolint() -> None:
    lint("hadolint", DEPLOY / "Dockerfile")


def test_trivy_finds_nothing_to_mend_in_the_delivery_files() -> None:
    said = lint(
        "trivy", "config", "--skip-check-update", "--quiet", "--format", "json", "--exit-code", "1",
        DEPLOY,
    )  # fmt: skip
    scanned = [each["Target"] for each in json.loads(said)["Results"]]
    assert scanned == ["Dockerfile"]


def test_trivy_finds_what_is_wrong(tmp_path: Path) -> None:
    worse = (DEPLOY / "Dockerfile").read_text().replace("USER 1000:1000", "USER root")
    (tmp_path / "Dockerfile").write_text(worse)
    with pytest.raises(AssertionError, match="DS-0002"):
        lint("trivy", "config", "--skip-check-update", "--quiet", "--exit-code", "1", tmp_path)


@pytest.mark.parametrize("script", SCRIPTS, ids=relative)
def test_a_script_pleases_shellcheck(script: Path) -> None:
    lint("shellcheck", "--shell=sh", script)


def test_what_the_workflow_runs_pleases_shellcheck() -> None:
    runs = list(_runs())
    assert len(runs) >= 6
    for _, text in runs:
        lint("shellcheck", "--shell=bash", "-", text=f"set -eo pipefail\n{text}")


@pytest.mark.parametrize("path", [WORKFLOW, DEPLOY / "alerts.yaml"], ids=relative)
def test_yaml_is_well_formed(path: Path) -> None:
    lint("yamllint", "--strict", "-d", YAML_RULES, path)


def test_the_workflow_is_one() -> None:
    lint("check-jsonschema", "--builtin-schema", "vendor.github-workflows", WORKFLOW)


def test_zizmor_finds_no_hole_in_the_workflow() -> None:
    lint("zizmor", "--offline", "--no-progress", "--persona=pedantic", WORKFLOW)


def test_the_workflow_gives_no_secret_to_a_command_line() -> None:
    """An expression in a `run` is pasted into the script before a shell reads it."""
    assert [name for name, text in _runs() if "${{" in text] == []


def test_the_workflow_does_what_the_architecture_says() -> None:
    read = _workflow()
    assert read[True] == {"push": {"branches": ["main"]}, "workflow_dispatch": None}  # `on`
    assert read["permissions"] == {}
    assert read["jobs"]["deploy"]["needs"] == ["test", "build"]
    text = WORKFLOW.read_text()
    for secret in ("GCP_SA_KEY", "GCP_PROJECT_ID", "PORT", "ENDPOINTS"):
        assert f"secrets.{secret}" in text
    ran = [step.get("run", "") for step in _steps("deploy")]
    assert "docker push" in "".join(ran)
    assert "sh deploy/runner/deploy.sh" in ran[-1]
    scanned = " ".join(str(step.get("with", {}).get("path", "")) for step in _steps("build"))
    assert {"trivy.json", "trivy.sarif", "trivy.txt"} <= {
        Path(each).name for each in scanned.split()
    }


def test_every_action_is_pinned_to_a_commit() -> None:
    used = re.findall(r"uses: (\S+)( # v\d+\.\d+\.\d+)?", WORKFLOW.read_text())
    assert len(used) >= 10
    assert [name for name, tag in used if not tag or not re.search(r"@[0-9a-f]{40}$", name)] == []


def test_what_stands_in_the_secrets_example_is_what_the_workflow_asks_for() -> None:
    asked = set(re.findall(r"\b(?:secrets|vars)\.([A-Z_]+)", WORKFLOW.read_text()))
    example = (ROOT / ".github" / "secrets.example").read_text()
    assert set(re.findall(r"^#?\s?([A-Z_]+)=", example, re.M)) == asked


def test_alert_policies_are_what_cloud_monitoring_takes() -> None:
    linter("python")
    program = """
import sys, yaml
from google.cloud.monitoring_v3.types import AlertPolicy
from google.protobuf.json_format import ParseDict
for each in yaml.safe_load_all(open(sys.argv[1])):
    if each is None:
        continue
    policy = AlertPolicy.pb()()
    ParseDict(each, policy)
    assert 1 <= len(policy.conditions) <= 6, policy.display_name
    assert len(policy.documentation.content) <= 8192
    for condition in policy.conditions:
        kind = condition.WhichOneof("condition")
        if kind == "condition_absent":
            assert 120 <= condition.condition_absent.duration.seconds <= 84600
        if kind == "condition_matched_log":
            assert len(policy.conditions) == 1
            assert policy.alert_strategy.notification_rate_limit.period.seconds
            continue
        for aggregation in getattr(condition, kind).aggregations:
            assert 60 <= aggregation.alignment_period.seconds <= 90000
    print(policy.display_name, *[c.WhichOneof("condition") for c in policy.conditions])
"""
    said = lint("python", "-W", "ignore", "-c", program, DEPLOY / "alerts.yaml").splitlines()
    assert len(said) == 5
    kinds = {line.split()[-1] for line in said}
    assert kinds == {"condition_threshold", "condition_absent", "condition_matched_log"}


def test_the_linters_are_those_of_the_lock() -> None:
    if not FOLDER.exists():
        pytest.skip("no linter is installed: run `make linters`")
    installed = lint(
        "python", "-m", "pip", "list", "--format=freeze", "--disable-pip-version-check"
    )
    lock = (ROOT / "deploy" / "linters.lock").read_text()
    pins = dict(re.findall(r"^([a-z0-9-]+)==(\S+)", lock, re.M))
    there = {
        name.lower().replace("_", "-").replace(".", "-"): version
        for name, _, version in (line.partition("==") for line in installed.splitlines())
    }
    assert {name: there.get(name) for name in pins} == pins
