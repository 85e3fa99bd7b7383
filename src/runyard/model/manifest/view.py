"""A job's data as rules see it: as written, perhaps with wrong types, which they pass over."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from runyard.model.cloudrun.template import CONTAINERS_MAX
from runyard.model.manifest.report import Part
from runyard.model.validation import Path
from runyard.model.zones import ANY_ZONE, ZoneBook

Data = Mapping[str, Any]

EXECUTION: Path = ("template",)
TASK: Path = ("template", "template")


@dataclass(frozen=True, slots=True)
class JobView:
    """The data of one job and where its faults go. Paths begin at the job."""

    data: Data
    part: Part
    zones: ZoneBook = ANY_ZONE

    @property
    def execution(self) -> Data:
        """Cloud Run's ExecutionTemplate."""
        return mapping(self.data, "template")

    @property
    def task(self) -> Data:
        """Cloud Run's TaskTemplate."""
        return mapping(self.execution, "template")

    def containers(self) -> Iterator[tuple[Path, Data]]:
        """Every container with its path, but none beyond the tenth: that is a fault already."""
        return islice(items(self.task, "containers", TASK), CONTAINERS_MAX)

    def volumes(self) -> Iterator[tuple[Path, Data]]:
        """Every volume with its path."""
        return items(self.task, "volumes", TASK)

    def fault(self, path: Path, expected: str, hint: str = "", *, about_key: bool = False) -> None:
        """The value at `path` (or its key) is wrong."""
        self.part.fault(path, expected, hint, about_key=about_key)

    def warn(self, path: Path, expected: str, hint: str = "") -> None:
        """The value at `path` is allowed and yet may surprise."""
        self.part.warn(path, expected, hint)

    def near(self, word: str, choices: Iterable[str]) -> str:
        """The hint that names the choice nearest to `word`."""
        return self.part.near(word, choices)

    def line_of(self, path: Path) -> int:
        """The line in the file where `path` stands."""
        return self.part.place_of(path).line


def mapping(data: Data, key: str) -> Data:
    """The mapping under `key`, or an empty one."""
    value = data.get(key)
    return value if isinstance(value, Mapping) else {}


def items(data: Data, key: str, path: Path = ()) -> Iterator[tuple[Path, Data]]:
    """Every mapping in the list under `key`, with its path below `path`."""
    value = data.get(key)
    for number, item in enumerate(value if isinstance(value, list) else ()):
        if isinstance(item, Mapping):
            yield (*path, key, number), item


def texts(data: Data, key: str) -> Iterator[tuple[int, str]]:
    """Every text in the list under `key`, with its number."""
    value = data.get(key)
    for number, item in enumerate(value if isinstance(value, list) else ()):
        if isinstance(item, str):
            yield number, item


def text(data: Data, key: str, default: str = "") -> str:
    """The text under `key`, or `default`."""
    value = data.get(key)
    return value if isinstance(value, str) else default


def whole(data: Data, key: str, default: int) -> int:
    """The whole number under `key`, or `default`."""
    value = data.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) else default
