"""Jobs as Google writes them become jobs of a manifest; nothing is lost in silence."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from google.cloud import run_v2
from hypothesis import given
from hypothesis import strategies as st

from runyard.flow.importing import Imported, jobs_in
from runyard.model.errors import Fault, InvalidSpec
from runyard.model.job import JobSpec
from runyard.model.manifest import Source, load
from tests.support.manifests import DESIGN

KEY = "projects/p/locations/l/keyRings/r/cryptoKeys/k"
V1: dict[str, Any] = {
    "apiVersion": "run.googleapis.com/v1",
    "kind": "Job",
    "metadata": {
        "name": "nightly-report",
        "namespace": "shop-prod",
        "labels": {"team": "data", "cloud.googleapis.com/location": "europe-west1"},
        "annotations": {
            "run.googleapis.com/creator": "ann@example.com",
            "run.googleapis.com/binary-authorization": "default",
            "owner": "ann",
        },
    },
    "spec": {
        "template": {
            "metadata": {
                "labels": {"run.googleapis.com/satisfiesPzs": "true", "kind": "nightly"},
                "annotations": {
                    "run.googleapis.com/execution-environment": "gen2",
                    "run.googleapis.com/cloudsql-instances": "shop:europe-west1:db",
                    "run.googleapis.com/network-interfaces": '[{"network":"n","tags":["t"]}]',
                    "run.googleapis.com/vpc-access-egress": "all-traffic",
                    "run.googleapis.com/encryption-key": KEY,
                    "run.googleapis.com/secrets": "far:projects/123/secrets/far-away",
                    "run.googleapis.com/container-dependencies": '{"main":["side"]}',
                    "run.googleapis.com/new-thing": "yes",
                    "run.googleapis.com/client-name": "gcloud",
                },
            },
            "spec": {
                "parallelism": 3,
                "taskCount": 12,
                "template": {
                    "spec": {
                        "maxRetries": 0,
                        "timeoutSeconds": "900",
                        "serviceAccountName": "report@shop-prod.iam.gserviceaccount.com",
                        "containers": [
                            {
                                "name": "main",
                                "image": "europe-docker.pkg.dev/shop/jobs/report:1",
                                "args": ["--month", "1"],
                                "env": [
                                    {"name": "LEVEL", "value": "info"},
                                    {
                                        "name": "DB",
                                        "valueFrom": {"secretKeyRef": {"name": "db", "key": "3"}},
                                    },
                                    {
                                        "name": "FAR",
                                        "valueFrom": {
                                            "secretKeyRef": {"name": "far", "key": "latest"}
                                        },
                                    },
                                ],
                                "resources": {
                                    "limits": {"cpu": "1000m", "memory": "1Gi"},
                                    "requests": {"cpu": "1"},
                                },
                                "volumeMounts": [{"name": "data", "mountPath": "/data"}],
                                "imagePullPolicy": "Always",
                            },
                            {"name": "side", "image": "europe-docker.pkg.dev/shop/jobs/side:1"},
                        ],
                        "volumes": [
                            {
                                "name": "data",
                                "csi": {
                                    "driver": "gcsfuse.run.googleapis.com",
                                    "readOnly": True,
                                    "volumeAttributes": {
                                        "bucketName": "reports",
                                        "mountOptions": "uid=1,gid=2",
                                    },
                                },
                            },
                            {
                                "name": "keys",
                                "secret": {
                                    "secretName": "keys",
                                    "items": [{"key": "latest", "path": "key.pem"}],
                                },
                            },
                            {"name": "tmp", "emptyDir": {"medium": "Memory", "sizeLimit": "64Mi"}},
                            {"name": "old", "hostPath": {"path": "/"}},
                        ],
                    }
                },
            },
        }
    },
    "status": {"observedGeneration": 3},
}


def only(document: Any) -> Imported:
    (job,) = jobs_in(document)
    return job


def test_v1_becomes_v2_with_what_annotations_say() -> None:
    job = only(V1)
    assert (job.name, job.project) == ("nightly-report", "shop-prod")
    assert job.body["regions"] == ["europe-west1"]
    assert job.body["labels"] == {"team": "data"}
    assert job.body["annotations"] == {"owner": "ann"}
    execution = job.body["template"]
    assert (execution["taskCount"], execution["parallelism"]) == (12, 3)
    assert execution["labels"] == {"kind": "nightly"}
    task = execution["template"]
    assert (task["maxRetries"], task["timeout"]) == (0, "900s")
    assert task["serviceAccount"] == "report@shop-prod.iam.gserviceaccount.com"
    assert task["executionEnvironment"] == "EXECUTION_ENVIRONMENT_GEN2"
    assert task["encryptionKey"].endswith("cryptoKeys/k")
    assert task["vpcAccess"] == {
        "egress": "ALL_TRAFFIC", "networkInterfaces": [{"network": "n", "tags": ["t"]}],
    }  # fmt: skip
    main, side = task["containers"]
    assert main["env"] == [
        {"name": "LEVEL", "value": "info"},
        {"name": "DB", "valueSource": {"secretKeyRef": {"secret": "db", "version": "3"}}},
        {
            "name": "FAR",
            "valueSource": {
                "secretKeyRef": {"secret": "projects/123/secrets/far-away", "version": "latest"}
            },
        },
    ]
    assert main["resources"]["limits"] == {"cpu": "1000m", "memory": "1Gi"}
    assert main["dependsOn"] == ["side"]
    mounts = [(mount["name"], mount["mountPath"]) for mount in main["volumeMounts"]]
    assert mounts == [("data", "/data"), ("cloudsql", "/cloudsql")]
    assert side["volumeMounts"] == [{"name": "cloudsql", "mountPath": "/cloudsql"}]
    volumes = {volume.pop("name"): volume for volume in task["volumes"]}
    assert volumes["data"]["gcs"] == {
        "bucket": "reports", "readOnly": True, "mountOptions": ["uid=1", "gid=2"],
    }  # fmt: skip
    assert volumes["keys"]["secret"]["items"] == [{"path": "key.pem", "version": "latest"}]
    assert volumes["tmp"] == {"emptyDir": {"medium": "MEMORY", "sizeLimit": "64Mi"}}
    assert volumes["cloudsql"] == {"cloudSqlInstance": {"instances": ["shop:europe-west1:db"]}}


def test_what_is_not_carried_over_is_told() -> None:
    told = {note.path: note.why for note in only(V1).notes}
    assert set(told) == {
        "metadata.annotations.'run.googleapis.com/binary-authorization'",
        "labels.'run.googleapis.com/satisfiesPzs'",
        "template.annotations.'run.googleapis.com/new-thing'",
        "containers[main].imagePullPolicy",
        "containers[main].resources.requests",
        "volumes[old].hostPath",
    }


def test_another_volume_driver_is_told() -> None:
    spec = {"containers": [{"image": "a/b:1"}], "volumes": [{"name": "x", "csi": {"driver": "y"}}]}
    document = {
        "apiVersion": "run.googleapis.com/v1", "kind": "Job", "metadata": {"name": "a"},
        "spec": {"template": {"metadata": {"annotations": {
            "run.googleapis.com/vpc-access-connector": "projects/p/locations/l/connectors/c",
            "run.googleapis.com/network-interfaces": "not json",
        }}, "spec": {"template": {"spec": spec}}}},
    }  # fmt: skip
    job = only(document)
    told = {note.path: note.why for note in job.notes}
    assert told["volumes[x].csi"] == "only gcsfuse.run.googleapis.com is known"
    assert told["regions"].startswith("it does not say where it is")
    assert job.body["template"]["template"]["vpcAccess"]["connector"].endswith("connectors/c")


DESIGN_SPEC = load([Source("a.yaml", DESIGN)]).jobs[0]


def v2(spec: JobSpec) -> dict[str, Any]:
    """A job as the API answers it."""
    return {
        "name": f"projects/shop/locations/us-central1/jobs/{spec.name}",
        "uid": "x",
        "etag": '"e"',
        "createTime": datetime(2026, 1, 1, tzinfo=UTC),
        "launchStage": "GA",
        "conditions": [{"type": "Ready"}],
        "labels": dict(spec.labels),
        "template": spec.template_document() | {"client": "gcloud", "clientVersion": "528"},
    }


def test_v2_makes_the_same_job_again() -> None:
    job = only(v2(DESIGN_SPEC))
    assert job.notes == ()
    assert (job.name, job.project) == (DESIGN_SPEC.name, "shop")
    text = json.dumps({"project": "shop", "jobs": {job.name: job.body}})
    (again,) = load([Source("b.json", text)]).jobs
    assert again.template == DESIGN_SPEC.template
    assert (again.labels, again.regions) == (DESIGN_SPEC.labels, ("us-central1",))


def test_what_googles_library_writes_comes_back_to_it_unchanged() -> None:
    ours = json.dumps({"name": "x", "template": DESIGN_SPEC.template_document()})
    message = run_v2.Job.from_json(ours)
    written = json.loads(
        run_v2.Job.to_json(
            message, always_print_fields_with_no_presence=False, use_integers_for_enums=False
        )
    )
    written["name"] = "projects/shop/locations/us-central1/jobs/nightly-report"
    again = only(written).body["template"]
    assert run_v2.ExecutionTemplate.from_json(json.dumps(again)) == message.template


def test_v2_tells_what_it_does_not_know() -> None:
    document = v2(DESIGN_SPEC) | {"binaryAuthorization": {"useDefault": True}, "unheard": 1}
    document["template"]["template"]["containers"][0]["novelty"] = {"a": 1}
    told = {note.path: note.why for note in only(document).notes}
    assert told == {
        "binaryAuthorization": "it is not part of a job here; the environment's policy decides",
        "unheard": "it is not known here",
        "template.template.containers[0].novelty": "it is not known here",
    }


def test_what_is_wrong_is_kept_to_be_mended() -> None:
    document = v2(DESIGN_SPEC)
    document["template"]["taskCount"] = 0
    job = only(document)
    (note,) = job.notes
    assert (note.path, note.why) == (
        "template.taskCount", "mend this: expected a whole number from 1 to 10000",
    )  # fmt: skip
    assert job.body["template"]["taskCount"] == 0


def test_a_number_is_no_project_and_lists_have_many() -> None:
    numbered = json.loads(json.dumps(V1))
    numbered["metadata"]["namespace"] = "123456"
    found = jobs_in({"items": [numbered, V1]}) + jobs_in({"jobs": [v2(DESIGN_SPEC)]})
    assert [job.project for job in found] == ["", "shop-prod", "shop"]
    assert len(jobs_in([[V1], V1])) == 2
    assert found[0].notes == found[1].notes  # a manifest says its project once, for all its jobs
    assert list(found[1].body) == ["labels", "annotations", "regions", "template"]
    bare = only(v2(DESIGN_SPEC) | {"name": "report"})
    assert (bare.name, bare.project) == ("report", "")
    assert "regions" not in bare.body
    assert [(note.path, note.why) for note in bare.notes] == [
        ("regions", "it does not say where it is: name its regions")
    ]


@pytest.mark.parametrize(
    ("document", "seen"),
    [
        (3, "3"),
        ({"kind": "Service", "apiVersion": "serving.knative.dev/v1"}, "kind 'Service'"),
        ({"name": "x"}, "no name or no template"),
        ({"template": {}}, "no name or no template"),
        ({"name": 3, "template": {}}, "no name or no template"),
        ({3: "x"}, "something that JSON does not have"),
        ({"name": {1, 2}, "template": {}}, "something that JSON does not have"),
        ({"name": b"x", "template": {}}, "something that JSON does not have"),
    ],
)
def test_what_is_no_job_is_refused_with_what_it_is(document: Any, seen: str) -> None:
    with pytest.raises(InvalidSpec, match="this is no Cloud Run job") as caught:
        jobs_in(document)
    expected = "a Cloud Run job: v1 (kind: Job), v2 (name and template), or a list of them"
    assert caught.value.faults == (Fault("document", seen, expected),)


def test_a_document_has_room_for_so_many_values_in_so_many_levels() -> None:
    assert jobs_in([[] for _ in range(100_000)]) == []
    with pytest.raises(InvalidSpec) as caught:
        jobs_in([[] for _ in range(100_001)])
    assert caught.value.message == "a document of more than 100000 values is no job"
    with pytest.raises(InvalidSpec, match="more than 100000 values"):
        jobs_in([[[]] for _ in range(50_001)])  # on all levels together
    deep: Any = []
    for _ in range(59):
        deep = [deep]
    assert jobs_in(deep) == []
    with pytest.raises(InvalidSpec) as caught:
        jobs_in([deep])
    assert caught.value.message == "a document of more than 60 levels is no job"


def test_a_document_that_grows_by_aliases_is_refused() -> None:
    bomb: Any = "x"
    for _ in range(40):
        bomb = [bomb, bomb]
    with pytest.raises(InvalidSpec, match="values"):
        jobs_in({"name": "x", "template": bomb})
    deep: Any = "x"
    for _ in range(70):
        deep = [deep]
    with pytest.raises(InvalidSpec, match="levels"):
        jobs_in({"name": "x", "template": deep})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=10,
)


@given(
    st.sampled_from(["metadata", "spec", "spec.template", "spec.template.metadata.annotations",
                     "spec.template.spec.template.spec", "metadata.labels"]),
    JSON,
)  # fmt: skip
def test_whatever_stands_in_a_job_is_read_or_refused(path: str, value: Any) -> None:
    document = json.loads(json.dumps(V1))
    here = document
    *way, last = path.split(".")
    for step in way:
        here = here[step]
    here[last] = value
    with suppress(InvalidSpec):
        assert [job.name for job in jobs_in(document)]
