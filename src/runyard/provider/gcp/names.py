"""Names of Cloud Run's resources, made of ours and read again. Pure.

Source of the forms: Cloud Run Admin API v2, `projects/P/locations/L/jobs/J/executions/E`.
"""

from __future__ import annotations

import re
from hashlib import blake2b
from typing import NamedTuple

JOB_NAME_MAX = 49  #: characters of a job's name (discovery document: fewer than 50)
CLONE_OF = "runyard-clone-of"  #: the label of a clone: the job that it is one of
ATTEMPT = "RUNYARD_ATTEMPT"  #: the variable that tells an execution's attempt
_DIGEST_BYTES = 4  #: 8 hexadecimal digits
_EXECUTION = re.compile("(projects/[^/]+/locations/[^/]+/jobs/([^/]+))/executions/([^/]+)")


class ExecutionName(NamedTuple):
    """The parts of an execution's full name: its job's full name, both short names."""

    parent: str
    job: str
    short: str

    @property
    def google_project(self) -> str:
        """See `google_project_of`."""
        return google_project_of(self.parent)

    @property
    def location(self) -> str:
        """Its region."""
        return self.parent.split("/")[3]


def google_project_of(name: str) -> str:
    """Where a job or an execution of this full name is, and where its logs are."""
    return name.split("/")[1]


def location(google_project: str, region: str) -> str:
    """Where a project's jobs of a region are."""
    return f"projects/{google_project}/locations/{region}"


def job(google_project: str, region: str, name: str) -> str:
    """The full name of a job."""
    return f"{location(google_project, region)}/jobs/{name}"


def short(name: str) -> str:
    """The last part of a full name."""
    return name.rpartition("/")[2]


def beside(job_name: str, name: str) -> str:
    """The full name of another job, where the job `job_name` is."""
    return f"{job_name.rpartition('/')[0]}/{name}"


def execution(handle: str) -> ExecutionName | None:
    """The parts of an execution's full name; None when `handle` is no such name."""
    match = _EXECUTION.fullmatch(handle)
    return None if match is None else ExecutionName(match[1], match[2], match[3])


def clone(name: str, content: bytes) -> str:
    """The short name of the clone of job `name` that runs a template with this `content`.

    The same content makes the same name, so that making a clone can be repeated. What is cut off a
    long name is in the digest too.
    """
    digest = blake2b(name.encode() + b"\0" + content, digest_size=_DIGEST_BYTES).hexdigest()
    kept = name[: JOB_NAME_MAX - len(digest) - 1].rstrip("-")
    return f"{kept}-{digest}"
