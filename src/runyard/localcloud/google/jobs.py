"""google.cloud.run.v2.Jobs: create, get, list, update, delete, run."""

from __future__ import annotations

from runyard.localcloud.cloudrun.blueprint import blueprint
from runyard.localcloud.cloudrun.jobs import JobDraft, check_etag
from runyard.localcloud.cloudrun.overriding import overridden
from runyard.localcloud.cloudrun.resources import Execution, Job, RunOverrides, RunRequest
from runyard.localcloud.google.face import Face, Method, Methods
from runyard.localcloud.google.job_shapes import draft_of, job_message
from runyard.localcloud.google.messages import message
from runyard.localcloud.google.names import read_name
from runyard.localcloud.google.operations import About
from runyard.localcloud.google.overrides import overrides_of
from runyard.localcloud.google.paging import page_size, place_of, token
from runyard.localcloud.google.requests import (
    Changing,
    CreateJob,
    Listing,
    Named,
    NewName,
    RunJob,
    UpdateJob,
)
from runyard.localcloud.google.shapes import EXECUTION, JOB, JsonMap, said
from runyard.model.errors import NotFound, Refused

_REMOVED_AT_ONCE = 1000  #: executions of a deleted job that are looked up together


async def create_job(face: Face, asked: CreateJob) -> JsonMap:
    """Jobs.CreateJob."""
    place = read_name(asked.parent, "parent")
    draft = draft_of(read_name(f"{asked.parent}/jobs/{asked.job_id}", "parent"), asked.job)
    face.cloud.region(place.region)
    job = await face.cloud.administration.create(draft, pretend=asked.validate_only)
    return await _made(face, job)


async def update_job(face: Face, asked: UpdateJob) -> JsonMap:
    """Jobs.UpdateJob."""
    name = read_name(asked.name, "job.name")
    if asked.allow_missing:
        message(NewName, {"jobId": name.job}, {})
    draft: JobDraft = draft_of(name, asked.job)
    job = await face.cloud.administration.update(
        draft, allow_missing=asked.allow_missing, pretend=asked.validate_only
    )
    return await _made(face, job)


async def _made(face: Face, job: Job) -> JsonMap:
    """The operation of a job that was made or changed: it is done when the job is ready."""
    return face.operations.done(read_name(_place(job), "").place, JOB, await _message(face, job))


async def get_job(face: Face, asked: Named) -> JsonMap:
    """Jobs.GetJob."""
    name = read_name(asked.name, "name")
    job = await face.cloud.jobs.get(name.project, name.region, name.job)
    return await _message(face, job)


async def list_jobs(face: Face, asked: Listing) -> JsonMap:
    """Jobs.ListJobs, by name."""
    place, size = read_name(asked.parent, "parent"), page_size(asked)
    after = (place_of(asked, [str]) or [""])[0]
    found = await face.cloud.administration.page(
        place.project, place.region, after, size + 1, deleted=asked.show_deleted
    )
    more = token(asked, [found[size - 1].name]) if len(found) > size else ""
    messages = [await _message(face, job) for job in found[:size]]
    return said({"jobs": messages, "nextPageToken": more})


async def delete_job(face: Face, asked: Changing) -> JsonMap:
    """Jobs.DeleteJob. Its executions go too, but those that somebody holds by a key."""
    name = read_name(asked.name, "name")
    key = (name.project, name.region, name.job)
    job = await face.cloud.administration.delete(key, asked.etag, pretend=asked.validate_only)
    if not asked.validate_only:
        executions = await face.cloud.executions_page(key, None, _REMOVED_AT_ONCE)
        face.removal.begin(one for one in executions if not one.request_key)
    return await _made(face, job)


async def run_job(face: Face, asked: RunJob) -> JsonMap:
    """Jobs.RunJob: what the job is now, with the overrides that Google's knows."""
    name, overrides = read_name(asked.name, "name"), overrides_of(asked.overrides)
    if asked.validate_only:
        job = await face.cloud.jobs.get(name.project, name.region, name.job)
        check_etag(job, asked.etag)
        return face.operations.done(name.place, EXECUTION, _draft(job, overrides))
    begun = await face.cloud.run_job(
        RunRequest(name.project, name.region, name.job, overrides=overrides, etag=asked.etag)
    )
    if not isinstance(begun, Execution):  # only a key can be withdrawn, and there is none
        raise Refused("the request was withdrawn")
    return face.operations.about(About.RUN, begun)


def _draft(job: Job, overrides: RunOverrides) -> JsonMap:
    """The Execution that would be made. Raises InvalidSpec when it cannot be."""
    template = overridden(job.template, overrides)
    plan = blueprint(template)
    return said({
        "job": job.name,
        "taskCount": plan.task_count,
        "parallelism": plan.parallelism or plan.task_count,
        "template": template["template"],
    })  # fmt: skip


def _place(job: Job) -> str:
    return f"projects/{job.project}/locations/{job.region}"


async def _message(face: Face, job: Job) -> JsonMap:
    latest: Execution | None = None
    if job.latest_created_execution:
        try:
            latest = await face.cloud.execution(job.latest_created_execution)
        except NotFound:
            latest = None  # pruned, or deleted
    return job_message(job, latest, face.cloud.jobs.conditions(job))


_JOBS, _JOB = "/v2/{parent=projects/*/locations/*}/jobs", "projects/*/locations/*/jobs/*"
_SERVICE = "google.cloud.run.v2.Jobs"

METHODS: Methods = (
    Method(f"{_SERVICE}/CreateJob", "POST", _JOBS, CreateJob, create_job, body="job"),
    Method(f"{_SERVICE}/ListJobs", "GET", _JOBS, Listing, list_jobs),
    Method(f"{_SERVICE}/RunJob", "POST", f"/v2/{{name={_JOB}}}:run", RunJob, run_job, body="*"),
    Method(f"{_SERVICE}/GetJob", "GET", f"/v2/{{name={_JOB}}}", Named, get_job),
    Method(
        f"{_SERVICE}/UpdateJob", "PATCH", f"/v2/{{job.name={_JOB}}}", UpdateJob, update_job,
        body="job",
    ),
    Method(f"{_SERVICE}/DeleteJob", "DELETE", f"/v2/{{name={_JOB}}}", Changing, delete_job),
)  # fmt: skip
