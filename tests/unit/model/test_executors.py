"""What the process executor does not keep is said, with its place, and what happens instead."""

from __future__ import annotations

from typing import Any

import pytest

from runyard.model.executors import sentences, unenforced
from tests.support.manifests import Step, changed, load_texts, make_job, make_text, read_job
from tests.support.rule_cases import FIRST, KEY, SECRET, SQL, TASK, limits, mounted, task

MAIN = "template.template.containers[0]"
ALWAYS = {f"{MAIN}.image", "template.template.serviceAccount"}  #: of make_job


@pytest.mark.parametrize(
    ("path", "value", "where", "instead"),
    [
        ((*TASK, "vpcAccess"), {"networkInterfaces": [{"network": "a"}]},
         "template.template.vpcAccess", "traffic leaves by this machine's own network"),
        ((*TASK, "encryptionKey"), f"{KEY}keyRings/r/cryptoKeys/k",
         "template.template.encryptionKey", "nothing is encrypted"),
        ((*TASK, "executionEnvironment"), "EXECUTION_ENVIRONMENT_GEN2",
         "template.template.executionEnvironment", "this machine's own kernel"),
        (("template", "delayExecution"), True, "template.delayExecution", "starts at once"),
        ((*FIRST, "startupProbe"), {"grpc": {}}, f"{MAIN}.startupProbe", "nobody asks"),
        ((*FIRST, "ports"), [{"containerPort": 80}], f"{MAIN}.ports", "nothing is opened"),
        ((*FIRST, "resources"), {"cpuIdle": True}, f"{MAIN}.resources.cpuIdle", "never taken away"),
    ],
)  # fmt: skip
def test_a_part_is_not_kept(path: tuple[Step, ...], value: Any, where: str, instead: str) -> None:
    job = read_job(changed(make_job(), path, value))
    found = {fault.path.removeprefix("jobs.job-0."): fault.hint for fault in unenforced(job)}
    assert found.keys() == ALWAYS | {where}
    assert instead in found[where]


@pytest.mark.parametrize(
    ("body", "where", "instead"),
    [
        (task({"image": "a"}), f"{MAIN}.command", "entrypoint is not known"),
        (task({"image": "a"}, {"image": "b"}), "template.template.containers[1]", "not started"),
        (task(limits("4", "16Gi", "1"), nodeSelector={"accelerator": "nvidia-l4"}),
         f"{MAIN}.resources.limits.'nvidia.com/gpu'", "no GPU"),
        (mounted({"name": "q"}, volumes=[SQL]), f"{MAIN}.volumeMounts[0]", "no socket"),
        (mounted({"name": "s", "mountPath": "/s"}, volumes=[SECRET]), f"{MAIN}.volumeMounts[0]",
         "RUNYARD_MOUNT_ROOT"),
        (mounted({"name": "a", "mountPath": "/a"}), f"{MAIN}.volumeMounts[0]",
         "RUNYARD_MOUNT_ROOT"),
        (mounted({"name": "n", "mountPath": "/n"}, volumes=[
            {"name": "n", "nfs": {"server": "nas", "path": "/x"}}]),
         f"{MAIN}.volumeMounts[0]", "not mounted"),
    ],
)  # fmt: skip
def test_a_container_is_not_kept_whole(body: Any, where: str, instead: str) -> None:
    template = read_job({"template": {"template": body}}).template_document()
    found = {fault.path: fault.hint for fault in unenforced(template)}
    assert instead in found[where]


def test_a_job_and_its_template_say_the_same() -> None:
    job = read_job(make_job())
    assert [fault.hint for fault in unenforced(job)] == [
        fault.hint for fault in unenforced(job.template_document())
    ]
    assert unenforced(job)[0].path == "jobs.job-0.template.template.serviceAccount"


def test_another_executor_keeps_everything() -> None:
    assert unenforced(read_job(make_job()), "container") == ()
    assert sentences(read_job(make_job()), "gcp") == ()


def test_a_run_is_told_in_sentences() -> None:
    told = sentences(read_job(make_job()).template_document())
    assert told[0] == (
        "template.serviceAccount is not kept by the process executor: the task runs as a user "
        "of this machine, without an identity at Google"
    )


def test_data_of_any_form_raises_nothing() -> None:
    assert unenforced({"template": {"containers": "x"}}) == ()
    assert unenforced({"template": 3}) == ()


def test_a_manifest_loaded_for_an_executor_has_the_places() -> None:
    loaded = load_texts(make_text(make_job()).replace(', "jobs"', ',\n"jobs"'), executor="process")
    assert {(fault.path.removeprefix("jobs.job-0."), fault.line) for fault in loaded.warnings} == {
        (where, 2) for where in ALWAYS
    }
    assert all(fault.column > 1 for fault in loaded.warnings)
