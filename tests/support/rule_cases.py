"""The rules of a manifest as tables: a change to a good job, and what is said of it where."""

from __future__ import annotations

from typing import Any

from tests.support.manifests import Json, Step

EXECUTION: tuple[Step, ...] = ("template",)
TASK: tuple[Step, ...] = ("template", "template")
FIRST: tuple[Step, ...] = (*TASK, "containers", 0)
LIMITS: tuple[Step, ...] = (*FIRST, "resources", "limits")
KEY = "projects/shop/locations/us-central1/"

Case = tuple[tuple[Step, ...], Any, str, str]


def container(**beside: Any) -> Json:
    return {"image": "example/helper:1", **beside}


def mounted(*mounts: Json, volumes: list[Json] | None = None) -> Json:
    """A task whose one container has `mounts` of `volumes` (a and b by default)."""
    two = [{"name": name, "emptyDir": {}} for name in "ab"]
    return {
        "serviceAccount": "reporter",
        "volumes": two if volumes is None else volumes,
        "containers": [container(volumeMounts=list(mounts))],
    }


def task(*containers: Json, **beside: Any) -> Json:
    return {"serviceAccount": "reporter", "containers": list(containers), **beside}


def probe(kind: str = "startupProbe", **fields: Any) -> Json:
    return container(**{kind: {"tcpSocket": {}, **fields}})


def limits(cpu: str, memory: str, gpu: str = "") -> Json:
    found = {"cpu": cpu, "memory": memory} | ({"nvidia.com/gpu": gpu} if gpu else {})
    return container(resources={"limits": found})


SECRET = {"name": "s", "secret": {"secret": "keeper"}}
SQL = {"name": "q", "cloudSqlInstance": {"instances": ["shop:us-central1:db"]}}
LONG = "a" * 64

FAULTS: list[Case] = [
    # labels and annotations
    (("labels",), {f"k{n}": "" for n in range(65)}, "labels", "at most 64 labels"),
    (("labels",), {"Team": "a"}, "labels.Team", "a label's key"),
    (("labels",), {LONG: "a"}, f"labels.{LONG}", "a label's key"),
    (("labels",), {"1a": "a"}, "labels.1a", "a label's key"),
    (("labels",), {"a.b": "a"}, "labels.'a.b'", "a label's key"),
    (("labels",), {"a": "A"}, "labels.a", "a label's value"),
    (("labels",), {"a": LONG}, "labels.a", "a label's value"),
    (("labels",), {"a": "b c"}, "labels.a", "a label's value"),
    (("labels",), {"a": 1}, "labels.a", "a text"),
    ((*EXECUTION, "labels"), {"A": ""}, "template.labels.A", "a label's key"),
    (("labels",), {"run.googleapis.com/job": "a"}, "labels.'run.googleapis.com/job'", "outside"),
    (("annotations",), {"x.serving.knative.dev/a": ""}, "annotations.'x.serving.knative.dev/a'",
     "outside"),
    (("annotations",), {"a b": ""}, "annotations.'a b'", "an annotation's key"),
    (("annotations",), {f"x/{LONG}": ""}, f"annotations.'x/{LONG[:57]}…'", "an annotation's key"),
    (("annotations",), {"a": "x" * 262144}, "annotations", "262144 bytes"),
    (("annotations",), {"a": 1}, "annotations.a", "a text"),
    # regions and placement
    (("regions",), [], "regions", "a list of at least 1"),
    (("regions",), ["us-east1", "us-east1"], "regions[1]", "each region once"),
    (("regions",), ["US"], "regions[0]", "a region such as us-central1"),
    (("regions",), "us-east1", "regions", "a list"),
    (("placement",), "al", "placement", "one of primary, all"),
    # the run
    (("priority",), 11, "priority", "from -10 to 10"),
    (("priority",), 1.5, "priority", "a whole number"),
    (("deadline",), "0s", "deadline", "from 1s to 8784h"),
    (("deadline",), 60, "deadline", "a duration"),
    (("deadline",), "60", "deadline", "a duration"),
    (("deadline",), True, "deadline", "a text"),
    (("retry",), {"attempts": 0}, "retry.attempts", "from 1 to 100"),
    (("retry",), {"attempt": 1}, "retry.attempt", "one of attempts, backoff, on_timeout"),
    (("retry",), {"on_timeout": {"attempts": 2}}, "retry.on_timeout.attempts", "at most retry"),
    (("retry",), {"backoff": {"initial": "11m"}}, "retry.backoff.initial", "not shorter than"),
    (("retry",), {"backoff": {"max": "1s"}}, "retry.backoff.max", "not shorter than initial"),
    (("retry",), {"backoff": {"initial": "x"}}, "retry.backoff.initial", "a duration"),
    (("retry",), {"backoff": {"factor": 0.5}}, "retry.backoff.factor", "a number from 1 to 10"),
    (("retry",), {"backoff": {"jitter": "Full"}}, "retry.backoff.jitter", "one of none, equal"),
    (("concurrency",), {"limit": -1}, "concurrency.limit", "from 0 to 1000"),
    (("concurrency",), {"on_conflict": "cancel-older"}, "concurrency.on_conflict", "one of queue"),
    # needs
    (("needs",), {"egress": ["db.internal"]}, "needs.egress[0]", "host:port"),
    (("needs",), {"egress": ["db:0"]}, "needs.egress[0]", "host:port"),
    (("needs",), {"egress": ["db:65536"]}, "needs.egress[0]", "host:port"),
    (("needs",), {"egress": ["https://db:1"]}, "needs.egress[0]", "host:port"),
    (("needs",), {"secrets": ["a b"]}, "needs.secrets[0]", "a secret's name"),
    (("needs",), {"buckets": [{"name": "B"}]}, "needs.buckets[0].name", "a bucket's name"),
    (("needs",), {"buckets": [{"name": "abc", "access": "rw"}]}, "needs.buckets[0].access",
     "one of read, write"),
    (("needs",), {"topics": [{"name": "google"}]}, "needs.topics[0].name", "a topic's name"),
    (("needs",), {"roles": ["owner"]}, "needs.roles[0]", "an IAM role"),
    # tasks
    ((*EXECUTION, "taskCount"), 0, "template.taskCount", "from 1 to 10000"),
    ((*EXECUTION, "taskCount"), 10_001, "template.taskCount", "from 1 to 10000"),
    ((*EXECUTION, "taskCount"), "3", "template.taskCount", "a whole number"),
    ((*EXECUTION, "parallelism"), 2, "template.parallelism", "at most taskCount, which is 1"),
    ((*EXECUTION, "parallelism"), -1, "template.parallelism", "from 0 to 10000"),
    ((*TASK, "timeout"), "169h", "template.template.timeout", "from 1s to 168h"),
    ((*TASK, "timeout"), "0.5s", "template.template.timeout", "from 1s to 168h"),
    ((*TASK, "maxRetries"), 11, "template.template.maxRetries", "from 0 to 10"),
    ((*TASK, "serviceAccount"), "a", "template.template.serviceAccount", "a service account"),
    ((*TASK, "serviceAccount"), "a@example.com", "template.template.serviceAccount", "email"),
    ((*TASK, "encryptionKey"), "key", "template.template.encryptionKey", "cryptoKeys"),
    ((*TASK, "executionEnvironment"), "GEN2", "template.template.executionEnvironment", "one of"),
    # containers
    (TASK, task(), "template.template.containers", "a list of 1 to 10"),
    (TASK, task(*[limits("250m", "512Mi")] * 11),
     "template.template.containers", "a list of 1 to 10"),
    (TASK, task({}), "template.template.containers[0].image", "required"),
    (TASK, task("a"), "template.template.containers[0]", "a mapping"),  # type: ignore[arg-type]
    ((*FIRST, "image"), "example/Report", "template.template.containers[0].image", "an image"),
    ((*FIRST, "image"), "a b", "template.template.containers[0].image", "an image reference"),
    ((*FIRST, "image"), "a:", "template.template.containers[0].image", "an image reference"),
    ((*FIRST, "image"), "a@sha256:12", "template.template.containers[0].image", "an image"),
    ((*FIRST, "image"), "a" * 513, "template.template.containers[0].image", "an image reference"),
    ((*FIRST, "command"), "report", "template.template.containers[0].command", "a list"),
    ((*FIRST, "args"), [1], "template.template.containers[0].args[0]", "a text"),
    ((*FIRST, "name"), "Main", "template.template.containers[0].name", "a container name"),
    (TASK, task(container(name="a"), container(name="a")),
     "template.template.containers[1].name", "each container's name once"),
    ((*FIRST, "dependsOn"), ["b"], "template.template.containers[0].dependsOn[0]", "with a name"),
    (TASK, task(container(name="aa"), container(name="b", dependsOn=["a"])),
     "template.template.containers[1].dependsOn[0]", "another container: one of aa, b"),
    (TASK, task(container(name="a", dependsOn=["a"])),
     "template.template.containers[0].dependsOn", "without a circle"),
    ((*FIRST, "ports"), [{"containerPort": 1}, {"containerPort": 2}],
     "template.template.containers[0].ports", "at most one port"),
    ((*FIRST, "ports"), [{"containerPort": 65536}],
     "template.template.containers[0].ports[0].containerPort", "from 1 to 65535"),
    # environment variables
    ((*FIRST, "env"), [{"name": "1A"}], "template.template.containers[0].env[0].name", "the name"),
    ((*FIRST, "env"), [{"name": "A=B"}], "template.template.containers[0].env[0].name", "the name"),
    ((*FIRST, "env"), [{"name": "PORT"}],
     "template.template.containers[0].env[0].name", "does not set itself"),
    ((*FIRST, "env"), [{"name": "CLOUD_RUN_TASK_INDEX"}],
     "template.template.containers[0].env[0].name", "does not set itself"),
    ((*FIRST, "env"), [{"name": "X_GOOGLE_A"}],
     "template.template.containers[0].env[0].name", "does not set itself"),
    ((*FIRST, "env"), [{"name": "A"}, {"name": "A"}],
     "template.template.containers[0].env[1].name", "each variable once"),
    ((*FIRST, "env"), [{"name": f"A{n}"} for n in range(1001)],
     "template.template.containers[0].env", "at most 1000 variables"),
    ((*FIRST, "env"), [{"name": "A", "value": "é" * 16385}],
     "template.template.containers[0].env[0].value", "at most 32768 bytes, not 32770"),
    ((*FIRST, "env"), [{"name": "A", "value": 1}],
     "template.template.containers[0].env[0].value", "a text"),
    ((*FIRST, "env"),
     [{"name": "A", "value": "", "valueSource": {"secretKeyRef": {"secret": "s"}}}],
     "template.template.containers[0].env[0].valueSource", "not both"),
    ((*FIRST, "env"), [{"name": "A", "valueSource": {}}],
     "template.template.containers[0].env[0].valueSource", "secretKeyRef"),
    ((*FIRST, "env"), [{"name": "A", "valueSource": {"secretKeyRef": {"secret": "a/b"}}}],
     "template.template.containers[0].env[0].valueSource.secretKeyRef.secret", "a secret's name"),
    ((*FIRST, "env"),
     [{"name": "A", "valueSource": {"secretKeyRef": {"secret": "s", "version": "NEW"}}}],
     "template.template.containers[0].env[0].valueSource.secretKeyRef.version", "latest"),
    ((*FIRST, "env"),
     [{"name": "A", "valueSource": {"secretKeyRef": {"secret": "s", "version": "0"}}}],
     "template.template.containers[0].env[0].valueSource.secretKeyRef.version", "latest"),
    # resources
    ((*LIMITS, "cpu"), "3", "template.template.containers[0].resources.limits.cpu", "1, 2, 4, 6"),
    ((*LIMITS, "cpu"), "500m", "template.template.containers[0].resources.limits.cpu", "one of"),
    ((*LIMITS, "cpu"), 1, "template.template.containers[0].resources.limits.cpu", "a text"),
    ((*LIMITS, "cpu"), "x", "template.template.containers[0].resources.limits.cpu", "CPUs such"),
    ((*LIMITS, "memory"), "5Gi", "template.template.containers[0].resources.limits.memory",
     "128Mi to 4Gi of memory with 1 CPU"),
    ((*LIMITS, "memory"), "64Mi", "template.template.containers[0].resources.limits.memory",
     "128Mi to 4Gi"),
    ((*LIMITS, "memory"), "1", "template.template.containers[0].resources.limits.memory", "128Mi"),
    ((*LIMITS, "memory"), "64Gi", "template.template.containers[0].resources.limits.memory", "4Gi"),
    ((*LIMITS, "memory"), "lots", "template.template.containers[0].resources.limits.memory",
     "an amount of memory"),
    ((*LIMITS, "disk"), "1Gi", "template.template.containers[0].resources.limits.disk", "cpu"),
    (TASK, task(limits("4", "1Gi")), "template.template.containers[0].resources.limits.memory",
     "2Gi to 16Gi of memory with 4 CPU"),
    (TASK, task(limits("4", "4Gi"), limits("6", "4Gi")), "template.template.containers",
     "1 to 8 CPUs together, not 10"),
    (TASK, task(limits("250m", "1Gi"), limits("0.5", "1Gi")), "template.template.containers",
     "1 to 8 CPUs together, not 0.75"),
    (TASK, task(limits("1", "4Gi"), limits("1", "5Gi")), "template.template.containers",
     "128Mi to 8Gi of memory together with 2 CPU"),
    (TASK, task(limits("4", "16Gi", "1")),
     "template.template.containers[0].resources.limits.nvidia.com/gpu", "nodeSelector"),
    (TASK, task(limits("2", "8Gi", "1"), nodeSelector={"accelerator": "nvidia-l4"}),
     "template.template.containers[0].resources.limits.nvidia.com/gpu", "at least 4 CPUs and 8Gi"),
    (TASK, task(limits("4", "16Gi", "2"), nodeSelector={"accelerator": "nvidia-l4"}),
     "template.template.containers[0].resources.limits.nvidia.com/gpu", "1"),
    (TASK, task(*[limits("4", "16Gi", "1")] * 2, nodeSelector={"accelerator": "nvidia-l4"}),
     "template.template.containers[1].resources.limits.nvidia.com/gpu", "one GPU in all"),
    (TASK, task(container(), nodeSelector={"accelerator": "nvidia-l4"}),
     "template.template.nodeSelector.accelerator", "a container with the limit"),
    (TASK, task(limits("4", "16Gi", "1"), nodeSelector={"accelerator": "nvidia-l4"}, timeout="2h"),
     "template.template.timeout", "at most 1h for a task with a GPU"),
    # volumes and mounts
    (TASK, mounted({"name": "a", "mountPath": "/a"}, volumes=[SECRET | {"name": "a"}] * 2),
     "template.template.volumes[1].name", "each volume's name once"),
    (TASK, mounted(volumes=[{"name": "a"}]), "template.template.volumes[0]", "one of secret"),
    (TASK, mounted(volumes=[{"name": "a", "emptyDir": {}, "gcs": {"bucket": "abc"}}]),
     "template.template.volumes[0].gcs", "it is emptyDir already"),
    (TASK, mounted({"name": "c", "mountPath": "/a"}),
     "template.template.containers[0].volumeMounts[0].name", "a volume of the task: one of a, b"),
    (TASK, mounted({"name": "c", "mountPath": "/a"}, volumes=[]),
     "template.template.containers[0].volumeMounts[0].name", "a volume of the task"),
    (TASK, mounted({"name": "a", "mountPath": "/a:b"}),
     "template.template.containers[0].volumeMounts[0].mountPath", "without a colon"),
    (TASK, mounted({"name": "a", "mountPath": "a"}),
     "template.template.containers[0].volumeMounts[0].mountPath", "an absolute path"),
    (TASK, mounted({"name": "a"}),
     "template.template.containers[0].volumeMounts[0].mountPath", "required"),
    (TASK, mounted({"name": "a", "mountPath": "/a"}, {"name": "b", "mountPath": "//a/"}),
     "template.template.containers[0].volumeMounts[1].mountPath", "each path once"),
    (TASK, mounted({"name": "a", "mountPath": "/a"}, {"name": "b", "mountPath": "/a/b"}),
     "template.template.containers[0].volumeMounts[1].mountPath", "not within another mount"),
    (TASK, mounted({"name": "a", "mountPath": "/a/b"}, {"name": "b", "mountPath": "/a"}),
     "template.template.containers[0].volumeMounts[1].mountPath", "not within another mount"),
    (TASK, mounted({"name": "a", "mountPath": "/proc/1"}),
     "template.template.containers[0].volumeMounts[0].mountPath", "outside /dev, /proc, /sys"),
    (TASK, mounted({"name": "a", "mountPath": "/x/.."}),
     "template.template.containers[0].volumeMounts[0].mountPath", "a path other than /"),
    (TASK, mounted({"name": "a", "mountPath": "/a", "subPath": "../b"}),
     "template.template.containers[0].volumeMounts[0].subPath", "a relative path"),
    (TASK, mounted({"name": "s", "mountPath": "/s", "subPath": "b"}, volumes=[SECRET]),
     "template.template.containers[0].volumeMounts[0].subPath", "no subPath"),
    (TASK, mounted({"name": "q", "mountPath": "/sql"}, volumes=[SQL]),
     "template.template.containers[0].volumeMounts[0].mountPath", "/cloudsql, or nothing"),
    (TASK, mounted(volumes=[SQL | {"cloudSqlInstance": {"instances": ["db"]}}]),
     "template.template.volumes[0].cloudSqlInstance.instances[0]", "PROJECT:REGION:INSTANCE"),
    (TASK, mounted(volumes=[
        {"name": "s", "secret": {"secret": "k", "items": [{"path": "a"}, {"path": "./a"}]}}]),
     "template.template.volumes[0].secret.items[1].path", "each path once"),
    (TASK, mounted(volumes=[{"name": "s", "secret": {"secret": "k", "items": [{"path": "/a"}]}}]),
     "template.template.volumes[0].secret.items[0].path", "a relative path"),
    (TASK, mounted(volumes=[{"name": "s", "secret": {"secret": "k", "defaultMode": 512}}]),
     "template.template.volumes[0].secret.defaultMode", "from 0 to 511"),
    (TASK, mounted(volumes=[{"name": "a", "emptyDir": {"medium": "memory"}}]),
     "template.template.volumes[0].emptyDir.medium", "one of MEDIUM_UNSPECIFIED, MEMORY, DISK"),
    # probes
    (TASK, task(container(startupProbe={})), "template.template.containers[0].startupProbe",
     "one of httpGet, tcpSocket, grpc"),
    (TASK, task(probe(grpc={})), "template.template.containers[0].startupProbe.grpc",
     "it is tcpSocket already"),
    (TASK, task(probe(timeoutSeconds=11)),
     "template.template.containers[0].startupProbe.timeoutSeconds", "not above periodSeconds (10)"),
    (TASK, task(probe(periodSeconds=0)),
     "template.template.containers[0].startupProbe.periodSeconds", "from 1 to 3600"),
    (TASK, task(probe(initialDelaySeconds=241)),
     "template.template.containers[0].startupProbe.initialDelaySeconds", "at most 240"),
    (TASK, task(probe(periodSeconds=241)),
     "template.template.containers[0].startupProbe.periodSeconds", "at most 240"),
    (TASK, task(probe(periodSeconds=81)),
     "template.template.containers[0].startupProbe.periodSeconds", "at most 240, not 243"),
    (TASK, task(probe(failureThreshold=25)),
     "template.template.containers[0].startupProbe.failureThreshold", "at most 240, not 250"),
    # network
    ((*TASK, "vpcAccess"), {}, "template.template.vpcAccess", "a connector or one network"),
    ((*TASK, "vpcAccess"), {"networkInterfaces": [{}]},
     "template.template.vpcAccess.networkInterfaces[0]", "network or subnetwork"),
    ((*TASK, "vpcAccess"), {"networkInterfaces": [{"network": "a"}, {"network": "b"}]},
     "template.template.vpcAccess.networkInterfaces[1]", "one network interface"),
    ((*TASK, "vpcAccess"),
     {"connector": f"{KEY}connectors/office", "networkInterfaces": [{"network": "a"}]},
     "template.template.vpcAccess.networkInterfaces", "not both"),
    ((*TASK, "vpcAccess"), {"connector": "office"}, "template.template.vpcAccess.connector",
     "projects/PROJECT/locations/LOCATION/connectors/CONNECTOR"),
    ((*TASK, "vpcAccess"), {"networkInterfaces": [{"network": "a"}], "egress": "all-traffic"},
     "template.template.vpcAccess.egress", "one of VPC_EGRESS_UNSPECIFIED, ALL_TRAFFIC"),
    ((*TASK, "vpcAccess"), "default", "template.template.vpcAccess", "a mapping"),
    # names that do not exist
    ((*EXECUTION, "task_count"), 1, "template.task_count", "taskCount"),
    ((*FIRST, "enviroment"), 1, "template.template.containers[0].enviroment", "env"),
    (("template",), [], "template", "a mapping"),
    ((*FIRST, "startupProbe"), "tcp", "template.template.containers[0].startupProbe", "a mapping"),
    ((*FIRST, "env"), [{"name": "A", "valueSource": "s"}],
     "template.template.containers[0].env[0].valueSource", "a mapping"),
]  # fmt: skip

WARNINGS: list[Case] = [
    (("regions",), ["us-centrl1"], "regions[0]", "known to have"),
    (("deadline",), "60s", "deadline", "not shorter than one task's timeout, 600s"),
    (TASK, {"containers": [container()]}, "template.template.serviceAccount", "default one"),
    ((*TASK, "executionEnvironment"), "EXECUTION_ENVIRONMENT_GEN1",
     "template.template.executionEnvironment", "GEN2"),
    ((*EXECUTION, "taskCount"), 10_000, "template.taskCount", "one run can cause 40000"),
    (EXECUTION, {"taskCount": 9000, "template": task(container(), maxRetries=1)},
     "template.template.maxRetries", "1 attempts x 2 tries x 9000 tasks"),
    ((*FIRST, "ports"), [{"containerPort": 80}], "template.template.containers[0].ports",
     "serves no requests"),
    ((*FIRST, "args"), ["a", "${MONTH}"], "template.template.containers[0].args[1]", "no shell"),
    ((*FIRST, "args"), ["$(MONTH)"], "template.template.containers[0].args[0]", "no shell"),
    ((*FIRST, "baseImageUri"), "x", "template.template.containers[0].baseImageUri", "services"),
    ((*FIRST, "buildInfo"), {}, "template.template.containers[0].buildInfo", "only Cloud Run"),
    ((*LIMITS, "memory"), "256Mi", "template.template.containers[0].resources.limits.memory",
     "at least 512Mi"),
    (TASK, task(limits("4", "16Gi", "1"), nodeSelector={"accelerator": "nvidia-l5"}),
     "template.template.nodeSelector.accelerator", "one of nvidia-l4"),
    (TASK, mounted({"name": "a", "mountPath": "/a"}), "template.template.volumes[1].name",
     "some container mounts"),
    (TASK, task(probe("livenessProbe", periodSeconds=300)),
     "template.template.containers[0].livenessProbe", "no other probe for jobs"),
    (("regions",), ["us-east1"], "template.template.vpcAccess.connector", "this one is in"),
]  # fmt: skip

FINE: list[tuple[tuple[Step, ...], Any]] = [
    (("labels",), {"team": "dåta_1-", "empty": ""}),
    (("annotations",), {"example.com/a": "Anything: ü", "b": ""}),
    (("regions",), ["us-central1", "europe-west12"]),
    (("deadline",), "8784h"),
    (("retry",), {"attempts": 3, "backoff": {"factor": 1.5}, "on_timeout": {"attempts": 3}}),
    (("needs",), {
        "egress": ["db:1", "[::1]:65535", "10.0.0.1:5432"], "secrets": ["projects/p/secrets/s"],
        "buckets": [{"name": "a-b.c"}], "topics": [{"name": "orders", "access": "subscribe"}],
        "roles": ["roles/run.invoker", "projects/shop/roles/mine"]}),
    (EXECUTION, {"taskCount": 2500, "parallelism": 2500, "template": task(container())}),
    ((*TASK, "timeout"), "168h"),
    ((*TASK, "serviceAccount"), "123-compute@developer.gserviceaccount.com"),
    ((*TASK, "encryptionKey"), f"{KEY}keyRings/r/cryptoKeys/k"),
    ((*FIRST, "image"), "localhost:5000/a/b__c:V1.2_x@sha256:" + "0" * 64),
    ((*FIRST, "image"), "python"),
    (TASK, task(container(name="a.b"), container(name="c", dependsOn=["a.b"]),
                container(dependsOn=["c"]))),
    (FIRST, container(command=["/bin/sh", "-c"], args=["$MONTH"])),
    ((*FIRST, "args"), ["--month=$MONTH", "$", "$1", "it's $5"]),
    ((*FIRST, "env"), [{"name": "_A.b-c", "value": "line\nline\ttab"}, {"name": "B"}]),
    (TASK, task(limits("8", "32Gi"))),
    (TASK, task(limits("6000m", "4Gi"))),
    (TASK, task(limits("250m", "2Gi"), limits("1", "3Gi"))),
    (TASK, task(limits("4", "16Gi", "1"), nodeSelector={"accelerator": "nvidia-l4"},
                timeout="1h")),
    (TASK, mounted({"name": "q"}, volumes=[SQL])),
    (TASK, mounted({"name": "q", "mountPath": "/cloudsql"}, volumes=[SQL])),
    (TASK, mounted({"name": "a", "mountPath": "/a"}, {"name": "b", "mountPath": "/ab"})),
    (TASK, mounted({"name": "a", "mountPath": "/a"}, volumes=[
        {"name": "a", "secret": {"secret": "k", "items": [{"path": "a/..b"}, {"path": "b/a"}]}}])),
    (TASK, task(container(), volumes=[{"name": "a", "emptyDir": {}}], sandboxes={"templates": [
        {"name": "s", "image": "a", "volumeMounts": [{"name": "a", "mountPath": "/a"}]}]})),
    (TASK, task(probe(periodSeconds=80, timeoutSeconds=80, initialDelaySeconds=240))),
    ((*TASK, "vpcAccess"), {"connector": f"{KEY}connectors/office"}),
    ((*TASK, "vpcAccess"), {"networkInterfaces": [{"subnetwork": "a", "tags": ["b"]}]}),
]  # fmt: skip
