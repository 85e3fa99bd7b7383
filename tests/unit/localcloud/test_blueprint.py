"""What a template asks of a task, and what overrides change."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from runyard.localcloud.cloudrun.blueprint import SecretMount, SecretRef, blueprint
from runyard.localcloud.cloudrun.fidelity import differences
from runyard.localcloud.cloudrun.orders import env_fault, redactions, task_order
from runyard.localcloud.cloudrun.overriding import overridden
from runyard.localcloud.cloudrun.resources import (
    ContainerOverride,
    Region,
    RunOverrides,
    Task,
    TaskState,
)
from runyard.localcloud.spawner.port import Abilities
from runyard.model.errors import InvalidSpec
from runyard.model.quantities import GIB, MIB
from tests.support.cloud import HERE, make_template
from tests.support.executions import make_execution
from tests.support.fake_spawner import ABILITIES


def every_folder(path: str) -> bool:
    """A machine that has every folder."""
    return path.startswith("/")


def test_unset_fields_have_the_defaults_of_cloud_run() -> None:
    plan = blueprint({"template": {"containers": [{"image": "i", "command": ["run"]}]}})
    assert (plan.task_count, plan.parallelism, plan.max_retries) == (1, 0, 3)
    assert (plan.timeout_seconds, plan.vcpu_milli, plan.memory_bytes) == (600, 1000, 512 * MIB)


def test_everything_wrong_is_told_at_once() -> None:
    template = make_template(
        tasks=0, parallelism=-1, retries=11, timeout="forever", cpu="many", memory="lots",
        env=[{"name": "PORT", "value": "1"}, {"name": "A=B", "value": "1"}], command=[],
    )  # fmt: skip
    with pytest.raises(InvalidSpec) as caught:
        blueprint(template)
    paths = {fault.path for fault in caught.value.faults}
    assert paths == {
        "parallelism", "maxRetries", "template.timeout", "resources.limits.cpu",
        "resources.limits.memory", "template.containers[0].env[0].name",
        "template.containers[0].env[1].name", "template.containers[0].command",
    }  # fmt: skip


@pytest.mark.parametrize("timeout", ["0s", "604801s"])
def test_a_timeout_out_of_range(timeout: str) -> None:
    with pytest.raises(InvalidSpec, match="at most 168h"):
        blueprint(make_template(timeout=timeout))


def test_volumes_become_files_and_folders() -> None:
    plan = blueprint(
        make_template(
            volumes=[
                {"name": "all", "secret": {"secret": "projects/p/secrets/db"}},
                {
                    "name": "some",
                    "secret": {
                        "secret": "tls",
                        "defaultMode": 0o777,
                        "items": [
                            {"path": "key.pem", "version": "3", "mode": 0o640},
                            {"path": "sub/cert.pem"},
                        ],
                    },
                },
                {"name": "scratch", "emptyDir": {"sizeLimit": "1Gi"}},
                {"name": "bucket", "gcs": {"bucket": "b"}},
            ],
            mounts=[
                {"name": "all", "mountPath": "/secrets"},
                {"name": "some", "mountPath": "/tls"},
                {"name": "scratch", "mountPath": "/scratch"},
                {"name": "bucket", "mountPath": "/data"},
            ],
        )
    )
    assert plan.secret_files == (
        SecretMount("/secrets/db", SecretRef("projects/p/secrets/db", "latest"), 0o444),
        SecretMount("/tls/key.pem", SecretRef("tls", "3"), 0o440),
        SecretMount("/tls/sub/cert.pem", SecretRef("tls", "latest"), 0o555),
    )
    assert plan.empty_folders == ("/scratch",)


def test_overrides_replace_arguments_merge_variables_and_leave_the_job_alone() -> None:
    template = make_template(
        "python", env=[{"name": "A", "value": "1"}, {"name": "B", "value": "2"}], args=["old"]
    )
    before = repr(template)
    made = overridden(
        template,
        RunOverrides((ContainerOverride(args=("new",), env=(("B", "3"), ("C", "4"))),), 7, 2.5),
    )
    plan = blueprint(made)
    assert plan.argv == ("python", "new")
    assert dict(plan.env) == {"A": "1", "B": "3", "C": "4"}
    assert (plan.task_count, plan.timeout_seconds) == (7, 2.5)
    assert repr(template) == before


def test_a_file_that_a_run_brings_is_one_of_the_files_of_its_tasks() -> None:
    template = make_template("python") | {"annotations": {"a": "b"}}
    made = overridden(template, RunOverrides(file=("/input/event.json", '{"ü": 1}')))
    assert made["annotations"]["a"] == "b"
    assert template["annotations"] == {"a": "b"}
    plan = blueprint(made)
    assert plan.input_file == ("/input/event.json", '{"ü": 1}')
    assert blueprint(template).input_file is None
    order = task_order(
        replace(make_execution(), blueprint=plan), Task(0, TaskState.RUNNING), {},
        log_path="/logs/x", search_path="/bin", working_folder="", log_bytes_max=9,
    )  # fmt: skip
    (file,) = order.files
    assert (file.path, file.content, file.mode) == (
        "/input/event.json", '{"ü": 1}'.encode(), 0o444,
    )  # fmt: skip
    assert order.env["RUNYARD_INPUT"] == "/input/event.json"


def test_arguments_can_be_cleared_but_not_also_given() -> None:
    template = make_template("python", args=["old"])
    cleared = overridden(template, RunOverrides((ContainerOverride(clear_args=True),)))
    assert blueprint(cleared).argv == ("python",)
    both = ContainerOverride(args=("x",), clear_args=True)
    with pytest.raises(InvalidSpec, match="clearArgs"):
        overridden(template, RunOverrides((both,)))
    with pytest.raises(InvalidSpec, match="side"):
        overridden(template, RunOverrides((ContainerOverride(name="side"),)))


@pytest.mark.parametrize(
    ("command", "args", "told"),
    [
        (["python", "x.py"], ["--month", "$CLOUD_RUN_TASK_INDEX"], True),
        (["python", "x.py"], ["${MODE}"], True),
        (["python", "x.py"], ["$(MODE)"], True),
        (["python", "x.py"], ["costs 5$", "$UNKNOWN"], False),
        (["/bin/sh", "-c"], ["echo $CLOUD_RUN_TASK_INDEX"], False),
    ],
)
def test_references_that_nobody_expands_are_told(
    command: list[str], args: list[str], told: bool
) -> None:
    env = [{"name": "MODE", "value": "x"}]
    plan = blueprint(make_template(*command, env=env, args=args))
    assert plan.argv == (*command, *args)
    found = list(differences(plan, HERE, ABILITIES, every_folder))
    assert any("is passed on as it stands" in each for each in found) is told


def test_a_region_too_small_is_told() -> None:
    plan = blueprint(make_template(cpu="4", memory="1Gi"))
    assert list(differences(plan, Region("r", 4000, GIB), ABILITIES, every_folder)) == []
    (told,) = differences(plan, Region("r", 2000, GIB), ABILITIES, every_folder)
    assert "4 vCPU" in told
    assert "runs alone" in told


def test_a_working_folder_that_is_not_here_is_told() -> None:
    plan = blueprint(make_template(workingDir="/app"))
    assert list(differences(plan, HERE, ABILITIES, every_folder)) == []
    (told,) = differences(plan, HERE, ABILITIES, lambda path: False)
    assert told.startswith("workingDir /app is not a folder of this machine")


def test_a_memory_limit_that_nobody_enforces_is_told() -> None:
    weak = Abilities("", "no control groups here", "", "", "nobody")
    (told,) = differences(blueprint(make_template()), HERE, weak, every_folder)
    assert told == "the memory limit of 512 MiB is not enforced here (no control groups here)"


def make_order(values: dict[SecretRef, bytes], **how: Any) -> Any:
    return task_order(
        make_execution(**how), Task(3, TaskState.RUNNING, attempt=1), values,
        log_path="/logs/x", search_path="/bin", working_folder="", log_bytes_max=9,
    )  # fmt: skip


def test_an_order_has_the_contract_even_against_the_users_path() -> None:
    order = make_order({}, env=[{"name": "PATH", "value": "/mine"}], tasks=5)
    assert order.key == "report-aaaaa-task3/1"
    assert order.env["PATH"] == "/mine"
    assert order.env["CLOUD_RUN_TASK_ATTEMPT"] == "1"
    assert (order.task, order.attempt, order.log_bytes_max) == (3, 1, 9)


def test_secrets_of_two_versions_are_both_redacted_and_never_shown() -> None:
    env = [
        {"name": name, "valueSource": {"secretKeyRef": {"secret": "db", "version": name[-1]}}}
        for name in ("V1", "V2")
    ]
    plan = blueprint(make_template(env=env))
    values = {SecretRef("db", "1"): b"one", SecretRef("db", "2"): b"two"}
    assert redactions(plan, values) == (("db", "one"), ("db", "two"))
    assert "one" not in repr(make_order(values, env=env).redactions[:0])


@pytest.mark.parametrize("value", [b"\xff\xfe", b"a\0b"])
def test_a_secret_that_cannot_be_a_variable_is_told_without_its_value(value: bytes) -> None:
    env = [{"name": "A", "valueSource": {"secretKeyRef": {"secret": "bin"}}}]
    fault = env_fault(blueprint(make_template(env=env)), {SecretRef("bin", "latest"): value})
    assert "bin:latest" in fault
    assert "Mount it as a file" in fault
