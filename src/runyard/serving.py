"""The processes one may start: `up` is all in one, `server` the face alone, `engine` the loops
alone. Several of the last two share a database on a PostgreSQL server.

Order of coming up: the state folder, the database, the post at the cloud of this machine, cloud
and engine, then the face. Going down is the same backwards, and stops no task.
"""

from __future__ import annotations

import asyncio
import logging
import os
import resource
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, replace
from datetime import timedelta
from enum import StrEnum
from functools import partial
from typing import Any

import uvloop

from runyard import __version__
from runyard.api.app import make_app
from runyard.api.protocol import Bounds
from runyard.api.server import HttpServer
from runyard.api.services import ProcessState, RegionState, Services
from runyard.api.streams import Streams
from runyard.cloud_wiring import clock, open_sights
from runyard.config import Config
from runyard.database.signals import Signals
from runyard.engine_serving import LOOPS, about, house_regions, measured_house, serve_engine
from runyard.event_news import telling_of_events
from runyard.exporting import exporting
from runyard.gate.door import Committed, Gate, GateSettings
from runyard.gate.news import follow
from runyard.gate.people import FirstPrincipal
from runyard.google_serving import google_api
from runyard.google_wiring import open_hands
from runyard.measures import measuring
from runyard.model.errors import ConfigError
from runyard.premises import announced, listening_socket, state_folder
from runyard.presence import Me, Neighbours, at_post, pulsing
from runyard.process import Told, beside, on_stop, settle_memory
from runyard.telemetry.metrics import Metrics
from runyard.wiring import (
    House,
    Parts,
    Rows,
    move_in,
    open_rows,
    services,
)

LOGGER = logging.getLogger("runyard")

#: Open files that are not a client's connection: databases with their readers, logs that are being
#: read, the spawner. Measured: 35 at rest; 13 more while eight clients read logs; and up to 16 that
#: push messages.
FILES_KEPT = 72
FILES_MIN = 80


class Role(StrEnum):
    """What a process is."""

    UP = "up"
    SERVER = "server"
    ENGINE = "engine"


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
        Role.ENGINE: partial(serve_engine, config, told, health_port),
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


# -- up ------------------------------------------------------------------------------------------
async def _up(config: Config, bounds: Bounds, told: Told) -> None:
    metrics, streams, me = Metrics(__version__), Streams(), Me.of("up", config)
    with listening_socket(config.host, config.port) as listening:
        async with AsyncExitStack() as stack:
            rows = await stack.enter_async_context(open_rows(config, me.name))
            if config.database_url:
                await stack.enter_async_context(pulsing(config, rows, me))
                await stack.enter_async_context(at_post(config, rows, me))
            at_work = measured_house(config, rows, me, metrics)
            house, measures = await stack.enter_async_context(at_work)
            await house.engine.gate.ask(FirstPrincipal(clock()))
            me.settle(lambda: about(house))
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

    def abilities() -> dict[str, Any]:
        refused = house.hands.far.refused_logs()
        ours = {"google_api": google, "google_logs_refused": refused}
        return asdict(house.cloud.spawner.abilities) | ours

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
        abilities=abilities,
        processes=processes,
    )


def _others(config: Config, rows: Rows, me: Me) -> Callable[[], Any]:
    """Who says which processes there are: the database, or this one alone."""
    if config.database_url:
        return Neighbours(rows, _lease(config)).processes

    async def alone() -> list[ProcessState]:
        return [me.state()]

    return alone


async def _run(config: Config, server: HttpServer, me: Me, told: Told) -> None:
    """Serve until a signal says to stop."""
    on_stop(server.stop)
    with announced(config.state_folder, server.url, clock()) as announce:
        me.beats.append(announce)  # whoever stood there may have gone

        def ready() -> None:
            announce()
            LOGGER.info("serving at %s", server.url)
            told.ready(server.url)

        await server.run(ready)
        me.beats.clear()


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
                _among_others(rows, me, made),
                exporting(config, rows, measures, hands.viewer),
            ):
                await _run(config, server, me, told)


@asynccontextmanager
async def _among_others(rows: Rows, me: Me, made: Services) -> AsyncIterator[None]:
    """What other processes do is signalled here, and what is published here is told to them, for
    as long as the block lasts."""
    async with (
        beside(follow(rows.database, made.signals), "follow"),
        telling_of_events(rows.database, made.broker.listen, me.name),
    ):
        yield
