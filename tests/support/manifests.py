"""Manifests for tests: a good one, and ways to change it."""

from __future__ import annotations

import copy
import json
from typing import Any

from runyard.model.errors import Fault, InvalidSpec
from runyard.model.job import JobSpec
from runyard.model.manifest import Loaded, Source, load

Json = dict[str, Any]
Step = str | int

#: The manifest of the design page: every part of a job, in the YAML that people write.
DESIGN = """\
# yaml-language-server: $schema=./runyard.schema.json
project: shop
defaults: {regions: [us-central1], labels: {team: data}}
jobs:
  nightly-report:
    template:                      # Cloud Run v2 ExecutionTemplate
      taskCount: 12
      parallelism: 4
      template:                    # Cloud Run v2 TaskTemplate
        maxRetries: 1
        timeout: 900s
        serviceAccount: nightly-report
        containers:
          - image: us-central1-docker.pkg.dev/shop/jobs/report:1.4.0
            args: [--month, "$CLOUD_RUN_TASK_INDEX"]
            env:
              - {name: DB_URL, valueSource: {secretKeyRef: {secret: report-db, version: latest}}}
            resources: {limits: {cpu: "1", memory: 512Mi}}
    retry: {attempts: 3, backoff: {initial: 10s, factor: 2, max: 10m, jitter: full}}
    concurrency: {limit: 1, on_conflict: queue}
    deadline: 2h
    needs: {egress: ["db.internal:5432"], buckets: [{name: reports, access: write}]}
environments:
  prod: {provider: gcp, googleProject: shop-prod, approvals: 1}
"""


def make_job(**beside: Any) -> Json:
    """A job with one container that says nothing it need not, and raises no warning."""
    container = {"image": "example/report:1", "command": ["report"]}
    task = {"containers": [container], "serviceAccount": "nightly-report"}
    return {"template": {"template": task}, **beside}


def make_text(*jobs: Json, **top: Any) -> str:
    """A manifest of `jobs`, named job-0, job-1, ..., as JSON."""
    named = {f"job-{number}": job for number, job in enumerate(jobs)}
    return json.dumps({"project": "shop", "jobs": named, **top})


def changed(data: Json, path: tuple[Step, ...], value: Any) -> Json:
    """A copy of `data` with `value` at `path`; mappings on the way are made."""
    made = copy.deepcopy(data)
    here: Any = made
    for step in path[:-1]:
        here = here[step] if isinstance(step, int) else here.setdefault(step, {})
    here[path[-1]] = value
    return made


def read_job(job: Json) -> JobSpec:
    """The one job of a manifest that holds `job`."""
    return load_texts(make_text(job)).jobs[0]


def load_texts(*texts: str, **how: Any) -> Loaded:
    """What `texts` load as, named 0.yaml, 1.yaml, ..."""
    return load([Source(f"{number}.yaml", text) for number, text in enumerate(texts)], **how)


def faults_of(*texts: str, **how: Any) -> list[Fault]:
    """The faults of `texts`; none when they load."""
    try:
        load_texts(*texts, **how)
    except InvalidSpec as fault:
        return list(fault.faults)
    return []


def warnings_of(job: Json, **how: Any) -> list[Fault]:
    """The warnings of a manifest that holds `job`."""
    return list(load_texts(make_text(job), **how).warnings)
