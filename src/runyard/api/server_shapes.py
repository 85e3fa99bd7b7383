"""The shapes of what the server says about itself."""

from __future__ import annotations

from datetime import datetime

from runyard.api.people_shapes import ExceptionShape
from runyard.api.shapes import Document, Shape


class WordShape(Shape):
    """One word about the server."""

    status: str


class ReadyShape(Shape):
    """The server takes requests; `engines` carry out what is asked for."""

    status: str
    engines: int


class RegionShape(Shape):
    """A region of the provider."""

    name: str
    vcpu: float
    memory_bytes: int
    running_tasks: int


class LoopShape(Shape):
    """A loop of the engine."""

    last_tick_at: datetime | None
    ticks: int
    errors: int
    last_error: str


class ProcessShape(Shape):
    """A process that works on the same database. `kind` is `up`, `server` or `engine`; an engine
    that stands by is not `working`; `alive`: it has given a sign of life lately."""

    name: str
    kind: str
    place: str
    version: str
    working: bool
    alive: bool
    silent_seconds: float


class StatusShape(Shape):
    """How the server is. `runs` counts them by state."""

    version: str
    started_at: datetime
    state_folder: str
    environment: str
    runs: dict[str, int]
    regions: list[RegionShape]
    abilities: Document
    exceptions: list[ExceptionShape]
    loops: dict[str, LoopShape]
    processes: list[ProcessShape]
