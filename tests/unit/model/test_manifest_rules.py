"""Every rule by its table: a change to a good job, and where the fault or warning stands."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.manifests import (
    Step,
    changed,
    faults_of,
    load_texts,
    make_job,
    make_text,
    warnings_of,
)
from tests.support.rule_cases import (
    EXECUTION,
    FAULTS,
    FINE,
    FIRST,
    KEY,
    LIMITS,
    TASK,
    WARNINGS,
    Case,
    mounted,
)


def named(cases: list[Case]) -> list[str]:
    return [f"{number}-{case[2]}" for number, case in enumerate(cases)]


@pytest.mark.parametrize(("path", "value", "where", "words"), FAULTS, ids=named(FAULTS))
def test_a_rule_is_held(path: tuple[Step, ...], value: Any, where: str, words: str) -> None:
    faults = faults_of(make_text(changed(make_job(), path, value)))
    found = [(fault.path.removeprefix("jobs.job-0."), fault.expected) for fault in faults]
    hits = [
        expected for place, expected in found if place.replace("'", "") == where.replace("'", "")
    ]
    assert hits, found
    assert any(words in expected for expected in hits), hits
    assert all(fault.file and fault.line and fault.column for fault in faults)
    assert len(found) == 1, found


@pytest.mark.parametrize(("path", "value", "where", "words"), WARNINGS, ids=named(WARNINGS))
def test_what_may_surprise_is_warned_of(
    path: tuple[Step, ...], value: Any, where: str, words: str
) -> None:
    job = changed(make_job(), path, value)
    if "connector" in where:
        job = changed(job, (*TASK, "vpcAccess"), {"connector": f"{KEY}connectors/office"})
    [warning] = warnings_of(job)
    assert warning.path == f"jobs.job-0.{where}"
    assert words in warning.expected
    assert (warning.file, warning.line > 0, warning.column > 0) == ("0.yaml", True, True)


@pytest.mark.parametrize(("path", "value"), FINE)
def test_what_cloud_run_allows_is_allowed(path: tuple[Step, ...], value: Any) -> None:
    assert warnings_of(changed(make_job(), path, value)) == []


@pytest.mark.parametrize(
    ("path", "value", "hint"),
    [
        ((*EXECUTION, "task_count"), 1, "did you mean 'taskCount'?"),
        (("prio",), 1, "did you mean 'priority'?"),
        ((*LIMITS, "cpu"), 1, 'write it in quotes: "1"'),
        ((*TASK, "timeout"), 900, "write 900s for seconds"),
        (("deadline",), "60", "write 60s for seconds"),
        ((*EXECUTION, "taskCount"), "3", "write it without quotes"),
        ((*EXECUTION, "delayExecution"), "yes", "YAML 1.2 knows only true and false"),
        (("placement",), "every", ""),
        (("placement",), 3, ""),
        ((*EXECUTION, "taskCount"), "three", ""),
        (("labels",), {"Team": "a"}, "write 'team'"),
        (LIMITS, {"cpu": "1", "memory": "6Gi"}, "6Gi goes with 2 CPU"),
        (LIMITS, {"cpu": "4", "memory": "100Gi"}, "write 16Gi"),
        (LIMITS, {"cpu": "4", "memory": "1Mi"}, "write 2Gi"),
        (TASK, mounted({"name": "dta", "mountPath": "/a"}, volumes=[
            {"name": "data", "emptyDir": {}}]), "did you mean 'data'?"),
    ],
)  # fmt: skip
def test_a_fault_says_what_to_do(path: tuple[Step, ...], value: Any, hint: str) -> None:
    [fault] = faults_of(make_text(changed(make_job(), path, value)))
    assert fault.hint.startswith(hint)
    assert bool(fault.hint) == bool(hint)


def test_all_faults_come_at_once_and_in_order() -> None:
    text = """\
project: shop
jobs:
  Bad:
    priority: 99
    template:
      taskCount: zero
      parallelism: 5
      template:
        maxRetries: 3.5
        containers:
          - imge: a
            env: [{name: A}, {name: A}]
            resources: {limits: {cpu: 3}}
          - image: A
            volumeMounts: [{name: x, mountPath: y}]
  good: {template: {template: {timeout: 5, containers: [{image: a, name: null}]}}}
"""
    faults = faults_of(text)
    assert [(fault.line, fault.column, fault.path.rpartition(".")[2]) for fault in faults] == [
        (3, 3, "Bad"), (4, 15, "priority"), (6, 18, "taskCount"), (7, 20, "parallelism"),
        (9, 21, "maxRetries"), (11, 13, "image"), (11, 13, "imge"), (12, 37, "name"),
        (13, 39, "cpu"), (14, 20, "image"), (15, 35, "name"), (15, 49, "mountPath"),
        (16, 41, "timeout"), (16, 74, "name"),
    ]  # fmt: skip


def test_the_value_of_a_variable_is_never_shown() -> None:
    secret = "hunter2"
    jobs = [
        changed(make_job(), (*FIRST, "env"), [{"name": "A", "value": value}])
        for value in (12345678, secret * 9000, [secret], "\x07" + secret)
    ]
    text = make_text(*jobs) + "\n"
    plain = "project: a\njobs: {a: {template: {template: {containers: [{env: [{value: 0123}]}]}}}}"
    for faults in (faults_of(text), faults_of(plain)):
        assert faults
        for fault in faults:
            assert not any(word in str(fault) for word in (secret, "12345678", "0123"))


def test_a_job_that_is_wrong_does_not_hide_the_next() -> None:
    faults = faults_of(make_text(make_job(priority=99), make_job(priority=-99)))
    assert [fault.path for fault in faults] == ["jobs.job-0.priority", "jobs.job-1.priority"]


def test_many_faults_are_counted_and_not_all_shown() -> None:
    text = make_text(*[make_job(priority=99)] * 1500)
    assert len(faults_of(text)) == 1000


def test_labels_of_defaults_and_jobs_are_checked_together() -> None:
    job = make_job(labels={f"a{n}": "" for n in range(40)})
    text = make_text(job, defaults={"labels": {f"b{n}": "" for n in range(40)}})
    [fault] = faults_of(text)
    assert fault.expected == "at most 64 labels"
    assert load_texts(make_text(job)).warnings == ()


@pytest.mark.parametrize(
    ("path", "value", "where"),
    [
        (("regions",), [None], "regions[0]"),
        ((*FIRST, "args"), ["a", None], "template.template.containers[0].args[1]"),
        ((*FIRST, "env"), [{"name": None}], "template.template.containers[0].env[0].name"),
        ((*TASK, "containers"), [None], "template.template.containers[0]"),
        (TASK, None, "template.template"),
        (("labels",), None, "labels"),
    ],
)
def test_what_is_empty_is_told_once(path: tuple[Step, ...], value: Any, where: str) -> None:
    faults = faults_of(make_text(changed(make_job(), path, value)))
    assert [(fault.path, fault.value, fault.expected) for fault in faults] == [
        (f"jobs.job-0.{where}", "null", "a value")
    ]


def test_a_volume_has_a_name() -> None:
    faults = faults_of(make_text(changed(make_job(), (*TASK, "volumes"), [{"emptyDir": {}}])))
    assert [(fault.path.rpartition(".")[2], fault.expected) for fault in faults] == [
        ("name", "a value, which is required")
    ]
