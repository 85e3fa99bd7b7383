"""What every method of Google's API works with, and the shape of a method."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from runyard.localcloud.cloudrun.cloud import CloudRun
from runyard.localcloud.google.operations import Operations
from runyard.localcloud.google.removing import Removal
from runyard.localcloud.google.shapes import JsonMap
from runyard.localcloud.google.watching import Watch
from runyard.model.strict import Message

M = TypeVar("M", bound=Message)
_VARIABLE = re.compile(r"\{(?:\w+\.)?(\w+)=([^}]+)\}")  # of {job.name=…} the last word


@dataclass(frozen=True, slots=True)
class Face:
    """The cloud, and what its Google face keeps of it."""

    cloud: CloudRun
    watch: Watch
    removal: Removal
    operations: Operations


@dataclass(frozen=True, slots=True)
class Method(Generic[M]):
    """One method: Google's whole name of it, its HTTP rule (google.api.http), and what answers.

    `body` is the field of the request that the HTTP body is; `*` all of it, empty none.
    """

    name: str
    verb: str
    path: str
    request: type[M]
    answer: Callable[[Face, M], Awaitable[JsonMap]]
    body: str = ""

    def pattern(self) -> re.Pattern[str]:
        """What the paths of it look like; groups are the fields they say."""
        text, at = "", 0
        for found in _VARIABLE.finditer(self.path):
            steps = re.escape(found[2]).replace(r"\*", "[^/]+")
            text += re.escape(self.path[at : found.start()]) + f"(?P<{found[1]}>{steps})"
            at = found.end()
        return re.compile(text + re.escape(self.path[at:]))


Methods = Sequence[Method[Any]]
