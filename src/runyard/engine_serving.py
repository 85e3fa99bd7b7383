"""An engine alone: the loops without a face, beside servers and other engines on one database.

What watches over it may ask at a port of its own how it is, and what it measures: it counts what it
decides, which no server sees.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import asdict, dataclass, field
from typing import Any

from starlette.types import ASGIApp

from runyard import __version__
from runyard.api.health import make_health_app
from runyard.api.measured import reading
from runyard.api.rest.status import late_loops
from runyard.api.server import HttpServer
from runyard.api.services import LoopState, RegionState
from runyard.api.streams import Streams
from runyard.cloud_wiring import clock
from runyard.config import Config
from runyard.exporting import exporting
from runyard.gate.door import Committed, Gate, GateSettings
from runyard.log_watching import reading_logs
from runyard.measures import measuring
from runyard.model.errors import ServerUnavailable
from runyard.premises import listening_socket
from runyard.presence import Me, at_post, pulsing
from runyard.process import Told, on_stop, settle_memory
from runyard.telemetry.metrics import Metrics
from runyard.telemetry.recorder import Recorder
from runyard.wiring import House, Rows, api_settings, open_house, open_rows, sign_in

LOOPS = ("due", "outbox", "watch")  #: without these nothing goes on


async def serve_engine(config: Config, told: Told, health_port: int | None) -> None:
    """Work until a signal says to stop, also while it stands by."""
    work = asyncio.create_task(_work(config, told, health_port), name="engine")
    on_stop(work.cancel)
    with suppress(asyncio.CancelledError):
        await work


async def _work(config: Config, told: Told, health_port: int | None) -> None:
    me, metrics = Me.of("engine", config), Metrics(__version__)
    async with AsyncExitStack() as stack:
        rows = await stack.enter_async_context(open_rows(config, me.name))
        health = Health(config, rows, metrics)
        if health_port is not None:
            app = health.app(me.name)
            await stack.enter_async_context(_answering(config, app, health_port, told))
        await stack.enter_async_context(pulsing(config, rows, me))
        await stack.enter_async_context(at_post(config, rows, me, told.say))
        house, _ = await stack.enter_async_context(measured_house(config, rows, me, metrics))
        health.house = house
        me.settle(lambda: about(house))
        settle_memory()
        told.say(f"{me.name} is at work (ctrl-c stops it)")
        await asyncio.Event().wait()


@asynccontextmanager
async def measured_house(
    config: Config, rows: Rows, me: Me, metrics: Metrics
) -> AsyncIterator[tuple[House, Recorder]]:
    """Cloud and engine, at work for as long as the block lasts, and who keeps what is measured of
    them; `metrics` count it too."""
    async with measuring(config, rows, me.name) as measures:

        def committed(done: Committed) -> None:
            metrics.observe(done.facts)
            measures.observe(done.facts)

        async with open_house(config, rows, me.name, committed, measures) as house:
            viewer = house.hands.viewer
            async with (
                exporting(config, rows, measures, viewer),
                reading_logs(rows, measures, viewer, metrics.own),
            ):
                yield house, measures


@dataclass(slots=True)
class Health:
    """How an engine is; without a house it stands by."""

    config: Config
    rows: Rows
    metrics: Metrics
    house: House | None = field(default=None, init=False)

    def app(self, name: str) -> ASGIApp:
        """What answers for the process `name`."""
        rows = self.rows
        gate = Gate(rows.database, rows.store, GateSettings(by=name, tells=True))
        return make_health_app(self.look, self.text, sign_in(self.config, rows, gate), clock)

    async def look(self) -> str:
        """`standby` or `working`. Raises ServerUnavailable for an engine that does not keep up,
        StoreError when the database does not answer."""
        await self.rows.database.read(lambda tx: tx.fetch("SELECT 1"))
        if self.house is None:
            return "standby"
        settings = api_settings(self.config, loops=LOOPS)
        late = late_loops(self._loops(), settings.silence_max, clock())
        if late:
            raise ServerUnavailable(f"these loops have not looked lately: {', '.join(late)}")
        return "working"

    async def text(self) -> bytes:
        """What it measures, for Prometheus. Raises StoreError when the database does not answer."""
        found = await reading(self.rows.database, self.rows.store, self._loops(), clock())
        return self.metrics.text(found)

    def _loops(self) -> Sequence[LoopState]:
        return () if self.house is None else self.house.engine.health()


@asynccontextmanager
async def _answering(config: Config, app: ASGIApp, port: int, told: Told) -> AsyncIterator[None]:
    """`app` is served for as long as the block lasts."""
    with listening_socket(config.host, port) as listening:
        server = HttpServer(app, listening, Streams(), grace_seconds=0)
        task = asyncio.create_task(server.run(), name="health")
        told.say(f"its health is told at {server.url}/ready")
        try:
            yield
        finally:
            server.stop()
            await task


def about(house: House) -> Mapping[str, Any]:
    """What others may want to know of an engine at work."""
    return {
        "regions": [asdict(one) for one in house_regions(house)],
        "abilities": asdict(house.cloud.spawner.abilities),
    }


def house_regions(house: House) -> list[RegionState]:
    """The regions of the cloud here."""
    return [
        RegionState(
            use.region.name,
            use.region.vcpu_milli / 1000,
            use.region.memory_bytes,
            use.running_tasks,
        )
        for use in house.cloud.run.regions
    ]
