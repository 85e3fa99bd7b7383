"""google.cloud.run.v2.Executions: get, list, cancel, delete."""

from __future__ import annotations

from runyard.localcloud.cloudrun.resources import Execution
from runyard.localcloud.google.face import Face, Method, Methods
from runyard.localcloud.google.names import ANY, Name, read_name
from runyard.localcloud.google.operations import About
from runyard.localcloud.google.paging import page_size, place_of, token
from runyard.localcloud.google.requests import Changing, Listing, Named
from runyard.localcloud.google.shapes import (
    EXECUTION,
    JsonMap,
    execution_etag,
    execution_message,
    said,
)
from runyard.model.errors import NotFound, StaleEtag
from runyard.model.instants import from_micros, to_micros


async def find(face: Face, name: Name) -> Execution:
    """The execution called so, below the job that is named or (`-`) any. Raises NotFound."""
    try:
        found = await face.cloud.execution(name.execution)
    except NotFound:
        raise _none(name) from None
    place = (found.project, found.region, found.job if name.job != ANY else ANY)
    if place != (name.project, name.region, name.job):
        raise _none(name)
    return found


async def get_execution(face: Face, asked: Named) -> JsonMap:
    """Executions.GetExecution."""
    return execution_message(await find(face, read_name(asked.name, "name")))


async def list_executions(face: Face, asked: Listing) -> JsonMap:
    """Executions.ListExecutions, newest first; of every job of the region for the job `-`."""
    found, more = await page(face, asked, read_name(asked.parent, "parent"))
    return said({"executions": list(map(execution_message, found)), "nextPageToken": more})


async def page(face: Face, asked: Listing, name: Name) -> tuple[list[Execution], str]:
    """A page of executions and the token of the next one."""
    face.cloud.region(name.region)
    key = (name.project, name.region, "" if name.job == ANY else name.job)
    place, size = place_of(asked, [int, str]), page_size(asked)
    after = None if place is None else (from_micros(place[0]), place[1])
    found = await face.cloud.executions_page(key, after, size + 1)
    if len(found) <= size:
        return found, ""
    last = found[size - 1]
    return found[:size], token(asked, [to_micros(last.created_at), last.name])


async def cancel_execution(face: Face, asked: Changing) -> JsonMap:
    """Executions.CancelExecution."""
    found = await _to_change(face, asked)
    if asked.validate_only:
        return face.operations.done(_place(found), EXECUTION, execution_message(found))
    await face.cloud.cancel_execution(found.name)
    return face.operations.about(About.CANCEL, await face.cloud.execution(found.name))


async def delete_execution(face: Face, asked: Changing) -> JsonMap:
    """Executions.DeleteExecution. One that runs is cancelled first."""
    found = await _to_change(face, asked)
    if asked.validate_only:
        return face.operations.done(_place(found), EXECUTION, execution_message(found))
    face.removal.begin([found])
    if found.is_final:
        await face.removal.gone(found.name)
        return face.operations.done(_place(found), EXECUTION, execution_message(found))
    return face.operations.about(About.DELETE, found)


async def _to_change(face: Face, asked: Changing) -> Execution:
    found = await find(face, read_name(asked.name, "name"))
    if asked.etag and asked.etag != execution_etag(found):
        raise StaleEtag(
            f"execution {found.name} has another etag than {asked.etag[:80]}",
            hint="read the execution again, and send the etag that it has now",
        )
    return found


def _place(execution: Execution) -> str:
    return Name(execution.project, execution.region).place


def _none(name: Name) -> NotFound:
    return NotFound(
        f"there is no execution {name.execution} of job {name.job} in region {name.region} of "
        f"project {name.project}"
    )


_LIST = "/v2/{parent=projects/*/locations/*/jobs/*}/executions"
_ONE = "projects/*/locations/*/jobs/*/executions/*"
_SERVICE = "google.cloud.run.v2.Executions"

METHODS: Methods = (
    Method(f"{_SERVICE}/ListExecutions", "GET", _LIST, Listing, list_executions),
    Method(
        f"{_SERVICE}/CancelExecution", "POST", f"/v2/{{name={_ONE}}}:cancel", Changing,
        cancel_execution, body="*",
    ),
    Method(f"{_SERVICE}/GetExecution", "GET", f"/v2/{{name={_ONE}}}", Named, get_execution),
    Method(
        f"{_SERVICE}/DeleteExecution", "DELETE", f"/v2/{{name={_ONE}}}", Changing, delete_execution
    ),
)  # fmt: skip
