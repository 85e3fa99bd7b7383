"""Many files, defaults, environments: what they make together, and what must not meet."""

from __future__ import annotations

import pytest

from runyard.model.errors import Fault
from runyard.model.manifest import Environment
from runyard.model.manifest.merge import NAMES_MAX
from tests.support.manifests import (
    DESIGN,
    changed,
    faults_of,
    load_texts,
    make_job,
    make_text,
    warnings_of,
)

IMAGE = "{template: {template: {containers: [{image: a/b}], serviceAccount: reporter}}}"


def places(faults: list[Fault]) -> list[tuple[str, str, int, int]]:
    return [(fault.path, fault.file, fault.line, fault.column) for fault in faults]


def test_the_manifest_of_the_design_loads() -> None:
    loaded = load_texts(DESIGN)
    [job] = loaded.jobs
    assert (job.project, job.name, job.labels) == ("shop", "nightly-report", {"team": "data"})
    assert job.launches_max == 3 * 2 * 12
    assert loaded.environments["prod"].google_project == "shop-prod"
    assert [fault.path[-7:] for fault in loaded.warnings] == ["args[1]"]


def test_files_make_one_manifest() -> None:
    loaded = load_texts(
        f"project: shop\ndefaults: {{labels: {{team: data}}}}\njobs: {{a: {IMAGE}}}",
        f"jobs: {{b: {IMAGE}}}",
        f"project: shop\njobs: {{c: {IMAGE}}}\nenvironments: {{dev: {{}}}}",
    )
    assert [(job.name, job.labels) for job in loaded.jobs] == [
        (name, {"team": "data"}) for name in "abc"
    ]
    assert loaded.environments == {"dev": Environment()}


def test_what_two_files_say_differently_names_both_places() -> None:
    faults = faults_of(
        f"project: shop\ndefaults: {{}}\njobs: {{a: {IMAGE}}}\nenvironments: {{dev: {{}}}}",
        f"project: ship\ndefaults: {{}}\njobs: {{a: {IMAGE}}}\nenvironments: {{dev: {{}}}}",
    )
    assert places(faults) == [
        ("project", "1.yaml", 1, 10),
        ("defaults", "1.yaml", 2, 1),
        ("jobs.a", "1.yaml", 3, 8),
        ("environments.dev", "1.yaml", 4, 16),
    ]
    assert [where in fault.expected for fault, where in zip(
        faults, ["0.yaml:1:10", "0.yaml:2:1", "0.yaml:3:8", "0.yaml:4:16"], strict=True
    )] == [True] * 4  # fmt: skip


@pytest.mark.parametrize(
    ("text", "path", "words"),
    [
        (f"jobs: {{a: {IMAGE}}}", "project", "required"),
        ("project: shop", "jobs", "at least one job"),
        ("project: shop\njobs: {}", "jobs", "at least one job"),
        ("project: shop\njobs:", "jobs", "a value"),
        ("project: shop\njobs: {a: }", "jobs.a", "a value"),
        ("project: shop\njobs: {a: 3}", "jobs.a", "a mapping with template"),
        ("project: shop\njobs: [a]", "jobs", "a mapping of names to jobs"),
        (f"project: Shop\njobs: {{a: {IMAGE}}}", "project", "a project name"),
        (f"project: 3\njobs: {{a: {IMAGE}}}", "project", "a text"),
        (f"project: [a]\njobs: {{a: {IMAGE}}}", "project", "a text"),
        (f"project: 03\njobs: {{a: {IMAGE}}}", "project", "without a leading zero"),
        (f"project: \njobs: {{a: {IMAGE}}}", "project", "a value"),
        (f"project: a\ndefaults: 3\njobs: {{a: {IMAGE}}}", "defaults", "a mapping"),
        (f"project: a\ndefaults:\njobs: {{a: {IMAGE}}}", "defaults", "a value"),
        (f"project: a\ndefaults: {{label: 3}}\njobs: {{a: {IMAGE}}}", "defaults.label", "labels"),
        (f"project: a\njob: 1\njobs: {{a: {IMAGE}}}", "job", "one of project, defaults, jobs"),
        ("- a", "manifest", "a mapping with project and jobs"),
    ],
)
def test_a_manifest_has_a_form(text: str, path: str, words: str) -> None:
    faults = [fault for fault in faults_of(text) if fault.path == path]
    assert len(faults) == 1
    assert words in faults[0].expected


def test_a_file_that_is_no_mapping_is_not_asked_for_jobs() -> None:
    assert [fault.path for fault in faults_of("a: [")] == ["manifest"]


def test_the_number_of_jobs_is_bounded() -> None:
    names = ", ".join(f"a{number}: *a" for number in range(NAMES_MAX))
    text = f"project: shop\nx-a: &a {IMAGE}\njobs: {{{names}, b: *a}}"
    [fault] = [fault for fault in faults_of(text) if "at most" in fault.expected]
    assert (fault.path, fault.expected) == ("jobs.b", f"at most {NAMES_MAX} jobs in a manifest")


def test_keys_for_aliases_and_editors_are_free() -> None:
    text = f"$schema: x\nx-a: &a {IMAGE}\nproject: shop\njobs: {{a: *a, b: *a}}"
    first, second = load_texts(text).jobs
    assert first.template == second.template


def test_defaults_fill_in_what_a_job_does_not_say() -> None:
    job = changed(make_job(labels={"own": "1"}), ("template", "taskCount"), 2)
    defaults = {
        "labels": {"own": "0", "team": "data"},
        "regions": ["europe-west1"],
        "retry": {"attempts": 2, "backoff": {"max": "1m"}},
        "template": {
            "taskCount": 9,
            "parallelism": 1,
            "template": {"maxRetries": 0, "containers": [{"image": "other", "args": ["x"]}]},
        },
    }
    one = load_texts(make_text(job, defaults=defaults)).jobs[0]
    assert one.labels == {"own": "1", "team": "data"}
    assert one.regions == ("europe-west1",)
    assert (one.retry.attempts, one.retry.backoff.max) == (2, "60s")
    assert (one.template.task_count, one.template.parallelism) == (2, 1)
    assert one.template.template.max_retries == 0
    [container] = one.template.template.containers  # lists are taken whole
    assert (container.image, container.args) == ("example/report:1", ())


def test_a_fault_in_the_defaults_is_told_once_and_at_its_place() -> None:
    text = (
        "project: shop\n"
        "defaults: {template: {taskCount: 0}}\n"
        f"jobs:\n  a: {IMAGE}\n  b: {IMAGE}\n"
    )
    assert places(faults_of(text)) == [("jobs.a.template.taskCount", "0.yaml", 2, 34)]


def test_defaults_of_another_form_do_not_hide_the_fault() -> None:
    [fault] = faults_of(make_text(make_job(retry=3), defaults={"retry": {"attempts": 2}}))
    assert (fault.path, fault.expected) == ("jobs.job-0.retry", "a mapping")


@pytest.mark.parametrize("name", ["Nightly_Report", "9lives", "a" * 50, "-a", "a-", "", "ж"])
def test_a_job_has_a_name(name: str) -> None:
    text = f"project: shop\njobs:\n  '{name}': {IMAGE}"
    [fault] = faults_of(text)
    assert (fault.line, fault.column) == (3, 3)
    assert "a job name" in fault.expected


def test_the_hint_for_a_job_name_is_one() -> None:
    [fault] = faults_of(f"project: shop\njobs:\n  9 Nightly_Report!: {IMAGE}")
    assert fault.hint == "did you mean 'nightly-report'?"


@pytest.mark.parametrize("key", ["budget"])
def test_what_comes_later_is_refused_and_not_ignored(key: str) -> None:
    text = f"project: shop\njobs:\n  a:\n    {key}: [x]\n    template: {IMAGE[11:-1]}"
    [fault] = faults_of(text)
    assert (fault.path, fault.line, fault.column) == (f"jobs.a.{key}", 4, 5)
    assert "not supported yet" in fault.expected


@pytest.mark.parametrize("key", ["name", "project"])
def test_a_job_does_not_repeat_what_is_said_elsewhere(key: str) -> None:
    [fault] = faults_of(make_text(make_job(**{key: "other"})))
    assert (fault.path, fault.hint) == (f"jobs.job-0.{key}", "")
    assert "said by" in fault.expected


def test_an_environment_binds_regions() -> None:
    text = make_text(
        make_job(),
        make_job(regions=["asia-east1"]),
        defaults={"regions": ["us-east1"]},
        environments={"prod": {"regions": ["europe-west1"]}, "dev": {}},
    )
    assert [job.regions for job in load_texts(text, environment="prod").jobs] == [
        ("europe-west1",), ("asia-east1",),
    ]  # fmt: skip
    for name in ("dev", "local"):
        assert [job.regions for job in load_texts(text, environment=name).jobs] == [
            ("us-east1",), ("asia-east1",),
        ]  # fmt: skip


def test_a_job_that_names_no_region_has_the_first_there_is() -> None:
    text = make_text(make_job(), make_job(regions=["europe-west1"]))
    jobs = load_texts(text, regions=("asia-east1", "europe-west1")).jobs
    assert [job.regions for job in jobs] == [("asia-east1",), ("europe-west1",)]


def test_a_region_that_the_environment_lacks_is_refused() -> None:
    text = make_text(make_job(regions=["europe-west1", "europe-west4"]))
    [fault] = faults_of(text, regions=("europe-west1",))
    assert (fault.path, fault.value) == ("jobs.job-0.regions[1]", "'europe-west4'")
    assert "that this environment has" in fault.expected
    assert fault.line > 0


def test_an_environment_is_known() -> None:
    text = make_text(make_job(), environments={"prod": {}})
    [fault] = faults_of(text, environment="prd")
    assert (fault.path, fault.value) == ("environment", "'prd'")
    assert (fault.expected, fault.hint) == ("one of local, prod", "did you mean 'prod'?")
    assert faults_of(text, environment="local") == []
    assert faults_of(make_text(make_job()), environment="staging") == []
    [fault] = faults_of(make_text(make_job()), environment="St aging")
    assert "an environment name" in fault.expected


@pytest.mark.parametrize(
    ("name", "body", "path", "words"),
    [
        ("prod", {"provider": "gpc"}, "environments.prod.provider", "one of local, gcp"),
        ("prod", {"provider": "gcp"}, "environments.prod.googleProject", "requires"),
        ("prod", {"approvals": -1}, "environments.prod.approvals", "from 0 to 10"),
        ("prod", {"region": []}, "environments.prod.region", "regions"),
        ("prod", {"googleProject": "x"}, "environments.prod.googleProject", "project id"),
        ("prod", 3, "environments.prod", "a mapping"),
        ("Prod", {}, "environments.Prod", "an environment name"),
        ("local", {"provider": "gcp", "googleProject": "shop-prod"},
         "environments.local.provider", "this machine"),
    ],
)  # fmt: skip
def test_an_environment_has_a_form(name: str, body: object, path: str, words: str) -> None:
    [fault] = faults_of(make_text(make_job(), environments={name: body}))
    assert fault.path == path
    assert words in fault.expected


def test_a_good_job_raises_no_warning() -> None:
    assert warnings_of(make_job()) == []
