"""Long-running operations (google.longrunning): what a change answers, and how it is waited for.

An operation about an execution says which one in its own name, so that it survives this process:
it is done when the execution is, or is gone. One that was done when it was answered is remembered
for a while, for callers who ask again.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from enum import StrEnum

from runyard.localcloud.cloudrun.cloud import CloudRun
from runyard.localcloud.cloudrun.names import uid
from runyard.localcloud.cloudrun.resources import Execution, ExecutionState
from runyard.localcloud.google.errors import number_of
from runyard.localcloud.google.names import Name
from runyard.localcloud.google.removing import Removal
from runyard.localcloud.google.shapes import EXECUTION, JsonMap, execution_message, of_type
from runyard.localcloud.google.watching import Watch
from runyard.model.errors import Code, NotFound

REMEMBERED_MAX = 1000  #: operations that were done at once
WAIT_SECONDS = 60.0  #: of WaitOperation, when no timeout is given; also the longest


class About(StrEnum):
    """What an operation does with an execution."""

    RUN = "run"
    CANCEL = "cancel"
    DELETE = "delete"


class Operations:
    """The operations at `cloud`. `chance(bits)` gives a random number of so many bits."""

    def __init__(
        self, cloud: CloudRun, watch: Watch, removal: Removal, chance: Callable[[int], int]
    ) -> None:
        self._cloud = cloud
        self._watch = watch
        self._removal = removal
        self._chance = chance
        self._remembered: OrderedDict[str, JsonMap] = OrderedDict()

    def done(self, place: str, kind: str, response: JsonMap) -> JsonMap:
        """A new operation that is done: its response is also its metadata."""
        name = f"{place}/operations/{uid(self._chance(128))}"
        made = {
            "name": name,
            "metadata": of_type(kind, response),
            "done": True,
            "response": of_type(kind, response),
        }
        self._remembered[name] = made
        while len(self._remembered) > REMEMBERED_MAX:
            self._remembered.popitem(last=False)
        return made

    def about(self, what: About, execution: Execution) -> JsonMap:
        """The operation that does `what` with an execution, as it is now."""
        place = Name(execution.project, execution.region).place
        message = of_type(EXECUTION, execution_message(execution))
        name = f"{place}/operations/{what}.{execution.name}"
        made: JsonMap = {"name": name, "metadata": message}
        if not execution.is_final or what is About.DELETE:
            return made
        if what is About.RUN and execution.state is ExecutionState.FAILED:
            status = {"code": number_of(Code.FAILED_PRECONDITION), "message": execution.message}
            return {**made, "done": True, "error": status}
        return {**made, "done": True, "response": message}

    async def get(self, name: str) -> JsonMap:
        """An operation as it is now. Raises NotFound."""
        if name in self._remembered:
            return self._remembered[name]
        place, what, execution = _read(name)
        try:
            found = await self._cloud.execution(execution)
        except NotFound:
            if what is not About.DELETE:
                raise _unknown(name) from None
            gone = of_type(EXECUTION, {"name": f"{place}/jobs/-/executions/{execution}"})
            return {"name": name, "metadata": gone, "done": True, "response": gone}
        if Name(found.project, found.region).place != place:
            raise _unknown(name)
        return self.about(what, found)

    async def wait(self, name: str, seconds: float) -> JsonMap:
        """An operation once it is done, or as it is after `seconds` (0: the longest wait)."""
        found = await self.get(name)
        if "done" in found:
            return found
        _, what, execution = _read(name)
        try:
            async with asyncio.timeout(min(seconds or WAIT_SECONDS, WAIT_SECONDS)):
                await self._watch.ended(execution)
                if what is About.DELETE:
                    await self._removal.gone(execution)
        except (TimeoutError, NotFound):
            pass
        return await self.get(name)


def _read(name: str) -> tuple[str, About, str]:
    """The place, what is done, and with which execution. Raises NotFound."""
    place, _, key = name.rpartition("/operations/")
    what, _, execution = key.partition(".")
    if what not in set(About) or not execution:
        raise _unknown(name)
    return place, About(what), execution


def _unknown(name: str) -> NotFound:
    return NotFound(
        f"there is no operation {name[:300]}",
        hint="operations that were done at once are remembered for a while only",
    )
