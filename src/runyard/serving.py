"""The processes one may start: `up` is all in one, `server` the face alone, `engine` the loops
alone. Several of the last two share a database on a PostgreSQL server.

Order of coming up: the state folder, the database, the post at the cloud of this machine, cloud
and engine, then the face. Going down is the same backwards, and stops no task.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import resource
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from enum import StrEnum
from functools import partial
from typing import Any

import uvloop
from starlette.types import ASGIApp

from runyard import __version__
from runyard.api.app import make_app
from runyard.api.health import make_health_app
from runyard.api.protocol import Bounds
from runyard.api.rest.status import late_loops
from runyard.api.server import HttpServer
from runyard.api.services import ProcessState, RegionState
from runyard.api.streams import Streams
from runyard.cloud_wiring import clock, open_sights
from runyard.config import Config
from runyard.database.signals import Signals
from runyard.exporting import exporting
from runyard.gate.door import Committed, Gate, GateSettings
from runyard.gate.news import follow
from runyard.gate.people import FirstPrincipal
from runyard.google_serving import google_api
from runyard.google_wiring import open_hands
from runyard.log_watching import reading_logs
from runyard.measures import measuring
from runyard.model.errors import ConfigError, ServerUnavailable
from runyard.premises import announced, listening_socket, state_folder
from runyard.presence import Me, Neighbours, at_post, pulsing
from runyard.telemetry.metrics import Metrics
from runyard.wiring import (
    House,
    Parts,
    Rows,
    api_settings,
    move_in,
    open_house,
    open_rows,
    services,
)

LOGGER = logging.getLogger("runyard")

#: Open files that are not a client's connection: databases with their readers, logs that are being
#: read, the spawner. Measured: 35 at rest; 13 more while eight clients read logs; and up to 16 that
#: push messages.
FILES_KEPT = 72
GARBAGE_NEW, GARBAGE_YOUNG = 5_000, 20  #: see gc.set_threshold; a batch makes some thousands
FILES_MIN = 80
LOOPS = ("due", "outbox", "watch")  #: without these nothing goes on


class Role(StrEnum):
    """What a process is."""

    UP = "up"
    SERVER = "server"
    ENGINE = "engine"


@dataclass(frozen=True, slots=True)
class Told:
    """Who wants to hear how it goes: `ready` hears the URL, `say` a sentence."""

    ready: Callable[[str], None]
    say: Callable[[str], None]


def serve(
    config: Config, told: Told, *, role: Role = Role.UP, health_port: int | None = None
) -> int:
    """Serve until SIGTERM or SIGINT. Returns the exit status. `health_port` is an engine's.

    Raises PlatformError when it cannot come up.
    """
    settle_memory()
    logging.basicConfig(
        level=config.log_level.upper(),
        stream=sys.stderr,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    os.umask(0o077)  # whatever a server writes is for its user alone
    bounds = connection_bounds(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    several = bool(config.database_url)
    if role is not Role.UP and not several:
        raise ConfigError(
            f"`runyard {role}` shares a PostgreSQL database with other processes, and "
            "RUNYARD_DATABASE_URL names none",
            hint="name one, or use `runyard up`, which is server and engine in one process",
        )
    process = {
        Role.UP: partial(_up, config, bounds, told),
        Role.SERVER: partial(_server, config, bounds, told),
        Role.ENGINE: partial(_engine, config, told, health_port),
    }[role]
    with (
        state_folder(config.state_folder, shared=several),
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        runner.run(process())
    return 0


def connection_bounds(files_max: int) -> Bounds:
    """What clients may have of the `files_max` files that this process may open, so that it never
    wants one for its own work. Raises ConfigError when it cannot work with so few."""
    if files_max < FILES_MIN:
        raise ConfigError(
            f"this process may open {files_max} files, and needs at least {FILES_MIN}",
            hint="raise the limit: `ulimit -n 4096`",
        )
    usual = Bounds()
    return replace(usual, connections_max=min(usual.connections_max, files_max - FILES_KEPT))


def settle_memory() -> None:
    """What is here when all is up stays: the collector of cycles need not look at it again with
    every few hundred objects, which each batch of decisions makes. It works from here on, also
    where it rested during the imports."""
    gc.freeze()
    gc.enable()
    gc.set_threshold(GARBAGE_NEW, GARBAGE_YOUNG, GARBAGE_YOUNG)


# -- up ------------------------------------------------------------------------------------------
async def _up(config: Config, bounds: Bounds, told: Told) -> None:
    metrics, streams, me = Metrics(__version__), Streams(), Me.of("up", config)
    with listening_socket(config.host, config.port) as listening:
        async with AsyncExitStack() as stack:
            rows = await stack.enter_async_context(open_rows(config, me.name))
            if config.database_url:
                await stack.enter_async_context(pulsing(config, rows, me))
                await stack.enter_async_context(at_post(config, rows, me))
            measures = await stack.enter_async_context(measuring(config, rows, me.name))

            def committed(done: Committed) -> None:
                metrics.observe(done.facts)
                measures.observe(done.facts)

            opening = open_house(config, rows, me.name, committed, measures)
            house = await stack.enter_async_context(opening)
            viewer = house.hands.viewer
            await stack.enter_async_context(exporting(config, rows, measures, viewer))
            await stack.enter_async_context(reading_logs(rows, measures, viewer, metrics.own))
            await house.engine.gate.ask(FirstPrincipal(clock()))
            me.settle(lambda: _about(house))
            google = await stack.enter_async_context(google_api(config, house.cloud, told.say))
            parts = house_parts(house, _others(config, rows, me), google)
            made = services(parts, metrics, measures, streams)
            server = HttpServer(
                make_app(made),
                listening,
                streams,
                grace_seconds=config.shutdown_grace_seconds,
                bounds=bounds,
            )
            settle_memory()
            await _run(config, server, me, told)


def house_parts(
    house: House, processes: Callable[[], Awaitable[Sequence[ProcessState]]], google: str = ""
) -> Parts:
    """What the API of a process with an engine is made with; `google`: where its cloud answers as
    Google's."""

    async def regions() -> list[RegionState]:
        return house_regions(house)

    return Parts(
        config=house.config,
        rows=Rows(house.database, house.store),
        gate=house.engine.gate,
        sights=house.cloud.sights,
        hands=house.hands,
        signals=house.signals,
        at_work=LOOPS,
        loops=house.engine.health,
        regions=regions,
        abilities=lambda: asdict(house.cloud.spawner.abilities) | {"google_api": google},
        processes=processes,
    )


def _others(config: Config, rows: Rows, me: Me) -> Callable[[], Any]:
    """Who says which processes there are: the database, or this one alone."""
    if config.database_url:
        return Neighbours(rows, _lease(config)).processes

    async def alone() -> list[ProcessState]:
        return [me.state()]

    return alone


def _about(house: House) -> Mapping[str, Any]:
    """What others may want to know of an engine at work."""
    return {
        "regions": [asdict(one) for one in house_regions(house)],
        "abilities": asdict(house.cloud.spawner.abilities),
    }


async def _run(config: Config, server: HttpServer, me: Me, told: Told) -> None:
    """Serve until a signal says to stop."""
    _on_stop(server.stop)
    with announced(config.state_folder, server.url, clock()) as announce:
        me.beats.append(announce)  # whoever stood there may have gone

        def ready() -> None:
            announce()
            LOGGER.info("serving at %s", server.url)
            told.ready(server.url)

        await server.run(ready)
        me.beats.clear()


def _on_stop(stop: Callable[[], object]) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)


def _lease(config: Config) -> timedelta:
    return timedelta(seconds=config.engine_lease_seconds)


# -- server --------------------------------------------------------------------------------------
async def _server(config: Config, bounds: Bounds, told: Told) -> None:
    metrics, streams, me = Metrics(__version__), Streams(), Me.of("server", config)
    signals, cloud_folder = Signals(), config.state_folder / "cloud"

    with listening_socket(config.host, config.port) as listening:
        async with (
            open_rows(config, me.name) as rows,
            measuring(config, rows, me.name) as measures,
            open_sights(config, cloud_folder) as sights,
            open_hands(config, rows.database, rows.store, sights) as hands,
        ):

            def committed(done: Committed) -> None:
                signals.send(done.topics())
                metrics.observe(done.facts)
                measures.observe(done.facts)

            await move_in(rows, sights)
            settings = GateSettings(region_runs_max=config.region_runs_max, by=me.name, tells=True)
            neighbours = Neighbours(rows, _lease(config))
            gate = Gate(rows.database, rows.store, settings, committed)
            await gate.ask(FirstPrincipal(clock()))
            parts = Parts(
                config=config,
                rows=rows,
                gate=gate,
                sights=sights,
                hands=hands,
                signals=signals,
                at_work=(),
                loops=lambda: (),
                regions=neighbours.regions,
                abilities=neighbours.abilities,
                processes=neighbours.processes,
            )
            made = services(parts, metrics, measures, streams)
            server = HttpServer(
                make_app(made),
                listening,
                streams,
                grace_seconds=config.shutdown_grace_seconds,
                bounds=bounds,
            )
            me.settle(lambda: {"url": server.url})
            async with (
                pulsing(config, rows, me),
                _following(rows, signals),
                exporting(config, rows, measures, hands.viewer),
            ):
                await _run(config, server, me, told)


@asynccontextmanager
async def _following(rows: Rows, signals: Signals) -> AsyncIterator[None]:
    """What other processes do is signalled here for as long as the block lasts."""
    task = asyncio.create_task(follow(rows.database, signals), name="follow")
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


# -- engine --------------------------------------------------------------------------------------
async def _engine(config: Config, told: Told, health_port: int | None) -> None:
    """Work until a signal says to stop, also while it stands by."""
    work = asyncio.create_task(_work(config, told, health_port), name="engine")
    _on_stop(work.cancel)
    with suppress(asyncio.CancelledError):
        await work


async def _work(config: Config, told: Told, health_port: int | None) -> None:
    me = Me.of("engine", config)
    async with AsyncExitStack() as stack:
        rows = await stack.enter_async_context(open_rows(config, me.name))
        health = Health(rows)
        if health_port is not None:
            app = make_health_app(health.look)
            await stack.enter_async_context(_answering(config, app, health_port, told))
        await stack.enter_async_context(pulsing(config, rows, me))
        await stack.enter_async_context(at_post(config, rows, me, told.say))
        measures = await stack.enter_async_context(measuring(config, rows, me.name))

        def committed(done: Committed) -> None:
            measures.observe(done.facts)

        opening = open_house(config, rows, me.name, committed, measures)
        house = await stack.enter_async_context(opening)
        viewer = house.hands.viewer
        await stack.enter_async_context(exporting(config, rows, measures, viewer))
        await stack.enter_async_context(reading_logs(rows, measures, viewer))
        health.house = house
        me.settle(lambda: _about(house))
        settle_memory()
        told.say(f"{me.name} is at work (ctrl-c stops it)")
        await asyncio.Event().wait()


@dataclass(slots=True)
class Health:
    """How an engine is; without a house it stands by."""

    rows: Rows
    house: House | None = None

    async def look(self) -> str:
        """`standby` or `working`. Raises ServerUnavailable for an engine that does not keep up,
        StoreError when the database does not answer."""
        await self.rows.database.read(lambda tx: tx.fetch("SELECT 1"))
        if self.house is None:
            return "standby"
        settings = api_settings(self.house.config, loops=LOOPS)
        late = late_loops(self.house.engine.health(), settings.silence_max, clock())
        if late:
            raise ServerUnavailable(f"these loops have not looked lately: {', '.join(late)}")
        return "working"


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
