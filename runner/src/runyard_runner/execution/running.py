"""What is going on now, so that it can be ended when the process has to end."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from runyard_runner.execution.run import Execution
from runyard_runner.faults import Unavailable
from runyard_runner.telemetry.meters import Meters

_REASON = "cut off: the service is stopping"


class Running:
    """The executions of this process. After `stop` nothing new begins."""

    def __init__(self, meters: Meters, grace_seconds: float) -> None:
        self._meters = meters
        self._grace_seconds = grace_seconds
        self._executions: set[Execution] = set()
        self.stopping = False

    @contextmanager
    def one_more(self, execution: Execution) -> Iterator[None]:
        """Keep `execution` in mind while it runs. Raises Unavailable."""
        if self.stopping:
            raise Unavailable("The service is stopping.", hint="Try again in a moment.")
        self._executions.add(execution)
        self._meters.running += 1
        try:
            yield
        finally:
            self._executions.discard(execution)
            self._meters.running -= 1

    def stop(self) -> None:
        """Let what runs go on for the grace, then cut it off; it still answers."""
        if not self.stopping:
            self.stopping = True
            asyncio.get_running_loop().call_later(self._grace_seconds, self.cut)

    def cut(self) -> None:
        """Cut off what runs."""
        for execution in list(self._executions):
            execution.cut(_REASON)
