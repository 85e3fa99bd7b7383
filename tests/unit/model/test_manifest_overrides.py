"""What an environment changes in a job, and an environment that is known already."""

from __future__ import annotations

from typing import Any

import pytest

from runyard.model.environment import Environment, ProviderName
from runyard.model.errors import InvalidSpec
from runyard.model.job import JobSpec
from runyard.model.manifest import Source, environments_in, load
from tests.support.manifests import faults_of, make_job, make_text

MANIFEST = """\
project: shop
defaults: {labels: {team: data}}
jobs:
  report:
    regions: [us-central1]
    template:
      taskCount: 4
      template:
        serviceAccount: report
        containers:
          - image: example/report:1
            command: [report]
            env: [{name: LEVEL, value: debug}, {name: MONTH, value: "1"}]
            resources: {limits: {cpu: "1", memory: 512Mi}}
environments:
  dev: {}
  prod:
    regions: [europe-west1]
    jobs:
      report:
        labels: {tier: gold}
        retry: {attempts: 3}
        regions: [us-east1]
        template:
          taskCount: 12
          template:
            containers:
              - env: [{name: LEVEL, value: error}, {name: NEW, value: x}]
                resources: {limits: {memory: 1Gi}}
"""


def job(text: str, environment: str, **more: Any) -> JobSpec:
    (found,) = load([Source("a.yaml", text)], environment=environment, **more).jobs
    return found


def env(spec: JobSpec) -> dict[str, str]:
    (container,) = spec.template.template.containers
    return {variable.name: variable.value for variable in container.env}


def test_an_environment_changes_what_it_says_and_nothing_else() -> None:
    here, there = job(MANIFEST, "dev"), job(MANIFEST, "prod")
    assert env(here) == {"LEVEL": "debug", "MONTH": "1"}
    assert env(there) == {"LEVEL": "error", "MONTH": "1", "NEW": "x"}
    assert (here.task_count, there.task_count) == (4, 12)
    assert there.labels == {"team": "data", "tier": "gold"}
    assert (there.regions, there.retry.attempts) == (("us-east1",), 3)
    (container,) = there.template.template.containers
    assert (container.image, container.command) == ("example/report:1", ("report",))
    assert (container.resources.limits.cpu, container.resources.limits.memory) == ("1", "1Gi")


@pytest.mark.parametrize(
    ("ours", "theirs", "merged"),
    [
        # by name
        (
            [{"name": "b", "image": "b:2"}],
            [{"name": "a", "image": "a:1"}, {"name": "b", "image": "b:1"}],
            [("a", "a:1"), ("b", "b:2")],
        ),
        # a new one goes to the end
        (
            [{"name": "c", "image": "c:1"}],
            [{"name": "a", "image": "a:1"}],
            [("a", "a:1"), ("c", "c:1")],
        ),
        # the only one needs no name
        ([{"image": "a:2"}], [{"name": "a", "image": "a:1"}], [("a", "a:2")]),
        ([{"name": "a", "image": "a:2"}], [{"image": "a:1"}], [("a", "a:2")]),
        # what cannot be told apart is replaced
        (
            [{"image": "c:1"}],
            [{"name": "a", "image": "a:1"}, {"name": "b", "image": "b:1"}],
            [(None, "c:1")],
        ),
        (
            [{"name": "c", "image": "c:1"}, {"name": "d", "image": "d:1"}],
            [{"image": "a:1"}],
            [("c", "c:1"), ("d", "d:1")],
        ),
    ],
)
def test_things_with_names_are_merged_by_name(
    ours: list[Any], theirs: list[Any], merged: list[Any]
) -> None:
    def under(containers: list[Any]) -> dict[str, Any]:
        return {"template": {"template": {"containers": containers}}}

    text = make_text(under(theirs), environments={"prod": {"jobs": {"job-0": under(ours)}}})
    found = job(text, "prod").template.template.containers
    assert [(one.name, one.image) for one in found] == merged


def test_other_lists_are_replaced() -> None:
    base = make_job()
    base["template"]["template"]["containers"][0]["args"] = ["a", "b"]
    change = {"template": {"template": {"containers": [{"args": ["c"]}]}}}
    text = make_text(base, environments={"prod": {"jobs": {"job-0": change}}})
    assert job(text, "prod").template.template.containers[0].args == ("c",)


@pytest.mark.parametrize(
    ("body", "path", "words"),
    [
        ({"jobs": {"job-9": {}}}, "environments.prod.jobs.job-9", "a job of the manifest: job-0"),
        ({"jobs": 3}, "environments.prod.jobs", "a mapping of jobs"),
        ({"jobs": {"job-0": 3}}, "environments.prod.jobs.job-0", "a mapping of what is different"),
    ],
)
def test_an_override_is_of_a_job(body: Any, path: str, words: str) -> None:
    (fault,) = faults_of(make_text(make_job(), environments={"prod": body}))
    assert fault.path == path
    assert fault.expected.startswith(words)
    assert fault.line == 1


def test_a_fault_of_an_override_points_at_it() -> None:
    text = MANIFEST.replace("taskCount: 12", "taskCount: 0")
    (fault,) = faults_of(text, environment="prod")
    assert (fault.path, fault.line) == ("jobs.report.template.taskCount", 25)
    assert faults_of(text, environment="dev") == []


def test_what_the_manifest_does_not_say_is_known() -> None:
    text = make_text(make_job())
    known = {"shop": Environment(regions=("us-east1",)), "bank": Environment()}
    assert job(text, "prod", known=known).regions == ("us-east1",)
    own = make_text(make_job(), environments={"prod": {"regions": ["us-west1"]}})
    assert job(own, "prod", known=known).regions == ("us-west1",)
    other = make_text(make_job(), environments={"dev": {}})
    assert job(other, "prod", known=known).regions == ("us-east1",)
    with pytest.raises(InvalidSpec):
        job(other, "prod")


def test_a_machine_counts_only_where_the_environment_is_on_it() -> None:
    gcp = Environment(provider=ProviderName.GCP, googleProject="shop-prod", regions=("us-east1",))
    text = make_text(make_job())
    assert job(text, "prod", known={"shop": gcp}, regions=["us-west1"]).regions == ("us-east1",)
    here = {"shop": Environment(regions=("us-east1",))}
    with pytest.raises(InvalidSpec) as raised:
        job(text, "prod", known=here, regions=["us-west1"])
    assert "the regions that this environment has" in raised.value.faults[0].expected


@pytest.mark.parametrize(
    "trigger",
    [{"event": {"topic": "orders"}}, {"after": {"job": "other"}}],
)
def test_no_file_is_brought_to_runs_at_google(trigger: dict[str, Any]) -> None:
    mapped = trigger | {"map": {"file": {"path": "/input/a.json", "from": "body"}}}
    text = make_text(make_job(triggers=[{"schedule": "@daily"}, mapped]))
    gcp = Environment(provider=ProviderName.GCP, googleProject="shop-prod", regions=("us-east1",))
    with pytest.raises(InvalidSpec) as raised:
        job(text, "prod", known={"shop": gcp})
    (fault,) = raised.value.faults
    assert fault.path == "jobs.job-0.triggers[1].map.file"
    assert fault.expected == "args or env: a run at gcp cannot be brought a file"
    assert job(text, "prod", known={"shop": Environment()}).triggers
    plain = make_text(make_job(triggers=[trigger]))
    assert job(plain, "prod", known={"shop": gcp}).triggers


def test_environments_are_read_without_jobs() -> None:
    text = "project: shop\nenvironments: {prod: {approvals: 2}, dev: {}}"
    found = environments_in([Source("a.yaml", text)])
    assert (found.project, found.jobs) == ("shop", ())
    assert found.environments == {"prod": Environment(approvals=2), "dev": Environment()}
    assert set(environments_in([Source("a.yaml", MANIFEST)]).environments) == {"dev", "prod"}


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("project: shop", ["environments"]),
        ("environments: {dev: {}}", ["project"]),
        ("project: shop\nenvironments: {dev: {approvals: x}}", ["environments.dev.approvals"]),
        ("project: [", ["manifest"]),
    ],
)
def test_environments_have_faults_too(text: str, paths: list[str]) -> None:
    with pytest.raises(InvalidSpec) as raised:
        environments_in([Source("a.yaml", text)])
    assert [fault.path for fault in raised.value.faults] == paths


def test_no_files_have_no_environments() -> None:
    with pytest.raises(InvalidSpec):
        environments_in([])
