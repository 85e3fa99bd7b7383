"""google.cloud.run.v2.Tasks: get and list."""

from __future__ import annotations

from runyard.localcloud.google.executions import find
from runyard.localcloud.google.face import Face, Method, Methods
from runyard.localcloud.google.names import ANY, Name, read_name, task_index, wrong
from runyard.localcloud.google.paging import page_size, place_of, token
from runyard.localcloud.google.requests import Listing, Named
from runyard.localcloud.google.shapes import JsonMap, said, task_message
from runyard.model.errors import NotFound


async def get_task(face: Face, asked: Named) -> JsonMap:
    """Tasks.GetTask."""
    name = read_name(asked.name, "name")
    execution, index = await find(face, name), task_index(name)
    count = execution.blueprint.task_count
    if index is None or index >= count:
        raise NotFound(f"there is no task {name.task}: execution {execution.name} has {count}")
    found = await face.cloud.tasks(execution.name, index, 1)
    return task_message(execution, found[0])


async def list_tasks(face: Face, asked: Listing) -> JsonMap:
    """Tasks.ListTasks, by index."""
    name = _one_execution(asked)
    size, first = page_size(asked), (place_of(asked, [int]) or [0])[0]
    execution = await find(face, name)
    found = await face.cloud.tasks(execution.name, first, size)
    more = first + size < execution.blueprint.task_count
    messages = [task_message(execution, task) for task in found]
    return said({"tasks": messages, "nextPageToken": token(asked, [first + size]) if more else ""})


def _one_execution(asked: Listing) -> Name:
    name = read_name(asked.parent, "parent")
    if name.execution == ANY:
        raise wrong("parent", asked.parent[:200], "one execution", "list the executions first")
    return name


_LIST = "/v2/{parent=projects/*/locations/*/jobs/*/executions/*}/tasks"
_ONE = "/v2/{name=projects/*/locations/*/jobs/*/executions/*/tasks/*}"
_SERVICE = "google.cloud.run.v2.Tasks"

METHODS: Methods = (
    Method(f"{_SERVICE}/ListTasks", "GET", _LIST, Listing, list_tasks),
    Method(f"{_SERVICE}/GetTask", "GET", _ONE, Named, get_task),
)
