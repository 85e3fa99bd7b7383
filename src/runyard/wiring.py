"""The place that names adapters: it alone knows which database, provider and cloud are in use.

Order of coming up: the state folder (one server at a time), the databases, the cloud on this
machine, the engine, then the face. Going down is the same backwards, and stops no task.
"""

from __future__ import annotations

import secrets
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from importlib import import_module
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from runyard import __version__
from runyard.api.edge.host import known_hosts
from runyard.api.hooks.hooks import Hooks
from runyard.api.issuers import OidcIssuers, fetch
from runyard.api.services import ApiSettings, LoopState, ProcessState, RegionState, Services
from runyard.api.sign_in import SignIn
from runyard.api.streams import Streams
from runyard.api.tokens import Tokens, admin_token
from runyard.channel.declared.voices import RealVoices, trusted
from runyard.channel.log import LogChannel
from runyard.cloud_wiring import Cloud, Ids, Sights, clock, open_cloud, run_ids
from runyard.config import Config
from runyard.database.migrations import migrate
from runyard.database.port import Database
from runyard.database.signals import Signals
from runyard.database.sqlite import SqliteDatabase
from runyard.engine.engine import Engine, EngineSettings
from runyard.engine.events import Ears
from runyard.engine.prune import Retention
from runyard.engine.subjects import Measures
from runyard.gate.door import Committed, Gate
from runyard.google_wiring import Hands, open_hands
from runyard.model.channels import SecretValue
from runyard.model.errors import ConfigError
from runyard.model.executors import PROCESS
from runyard.model.federation import rules_of
from runyard.model.ids import DeliveryId, OperationId
from runyard.model.principal import ADMIN
from runyard.model.zones import ZoneBook
from runyard.provider.local.adoption import adopt
from runyard.provider.local.pubsub import LocalBroker
from runyard.provider.port_access import Identity
from runyard.store.home import Home
from runyard.store.memory import MIGRATIONS, Store
from runyard.telemetry.metrics import Metrics
from runyard.telemetry.recorder import Recorder

CHANNELS_READER = "runyard-channels"  #: who reads secrets of channels, in the record of accesses


@dataclass(frozen=True, slots=True)
class House:
    """Everything but the face, up and running."""

    config: Config
    database: Database
    store: Store
    signals: Signals
    cloud: Cloud
    hands: Hands
    engine: Engine


@dataclass(frozen=True, slots=True)
class Rows:
    """The database that runs are kept in, with today's schema, and its store."""

    database: Database
    store: Store


@asynccontextmanager
async def open_rows(config: Config, name: str) -> AsyncIterator[Rows]:
    """The database of the settings; `name` is who opens it."""
    database = await _open_database(config, name)
    try:
        await migrate(database, MIGRATIONS, clock())
        yield Rows(database, Store.of(database.dialect))
    finally:
        await database.close()


@asynccontextmanager
async def open_house(
    config: Config,
    rows: Rows,
    name: str,
    observe: Callable[[Committed], None] = lambda _: None,
    measures: Measures | None = None,
) -> AsyncIterator[House]:
    """Cloud and engine, up and running for as long as the block lasts. Rules about what is measured
    read `measures`."""
    database, store, signals = rows.database, rows.store, Signals()
    wakes: list[Callable[[], None]] = []
    cloud_folder = config.state_folder / "cloud"

    def wake() -> None:
        _all(wakes)

    async with (
        open_cloud(config, cloud_folder, wake) as cloud,
        open_hands(config, database, store, cloud.sights, wake) as hands,
    ):
        if config.database_url:
            await move_in(rows, cloud.sights)
        await _adopt(rows, cloud.sights)
        engine = Engine(
            database,
            store,
            hands.routed(cloud.provider),
            LogChannel(),
            voices(cloud.sights),
            signals,
            clock,
            _engine_settings(config, name),
            run_ids(),
            ZoneInfo,
            observe,
            _ears(cloud.sights),
            measures,
        )
        wakes.append(engine.wake_watch)
        await engine.start()
        try:
            yield House(config, database, store, signals, cloud, hands, engine)
        finally:
            await engine.stop()


async def _adopt(rows: Rows, sights: Sights) -> None:
    """Jobs of before there were policies keep reading their secrets."""
    jobs = await rows.database.read(rows.store.jobs.every)
    each = (Identity(job.project, job.environment, job.name, job.document, {}) for job in jobs)
    await adopt(sights.database, sights.neighbours, each)


async def _open_database(config: Config, name: str) -> Database:
    if config.database_url:
        # by name: a server on a file of its own does without the driver, and starts sooner
        postgresql = import_module("runyard.database.postgresql")
        opened: Database = await postgresql.PostgresDatabase.open(config.database_url, name=name)
        return opened
    return SqliteDatabase(config.state_folder / "runyard.db")


async def move_in(rows: Rows, sights: Sights) -> None:
    """Refuse a database that another cloud lives in: its runs would be taken for lost."""
    home = Home(sights.id, f"{socket.gethostname()}:{sights.folder}")
    owner = await rows.database.write(lambda tx: rows.store.homes.move_in(tx, home))
    if owner.cloud != home.cloud:
        raise ConfigError(
            f"the database of RUNYARD_DATABASE_URL keeps the runs of another cloud: {owner.place}",
            hint="use that state folder, or give this one a database of its own (createdb)",
        )


def _ears(sights: Sights) -> Ears:
    new = Ids("dlv")
    return Ears(LocalBroker(sights.neighbours.pubsub, clock), lambda: DeliveryId(new()))


def _all(wakes: Sequence[Callable[[], None]]) -> None:
    for wake in wakes:
        wake()


def _engine_settings(config: Config, name: str) -> EngineSettings:
    return EngineSettings(
        name=name,
        region_runs_max=config.region_runs_max,
        retention=Retention(
            runs=timedelta(seconds=config.run_retention_seconds),
            letters=_letter_retention(config),
            logs=timedelta(seconds=config.log_retention_seconds),
            logs_bytes_max=config.logs_bytes_max,
            incidents=timedelta(seconds=config.incident_retention_seconds),
        ),
        poll=timedelta(seconds=config.safety_poll_seconds),
        launch_tries_max=config.launch_tries_max,
        tells=bool(config.database_url),
    )


def _letter_retention(config: Config) -> timedelta | None:
    seconds = config.dead_letter_retention_seconds
    return timedelta(seconds=seconds) if seconds else None


@dataclass(frozen=True, slots=True)
class Parts:
    """What differs between the API of a process with an engine and of one without. `at_work`: the
    loops that must be at work here."""

    config: Config
    rows: Rows
    gate: Gate
    sights: Sights
    hands: Hands
    signals: Signals
    at_work: Sequence[str]
    loops: Callable[[], Sequence[LoopState]]
    regions: Callable[[], Awaitable[Sequence[RegionState]]]
    abilities: Callable[[], Mapping[str, Any]]
    processes: Callable[[], Awaitable[Sequence[ProcessState]]]


def _issuers(config: Config) -> OidcIssuers:
    rules = rules_of(config.oidc_roles)
    return OidcIssuers(config.oidc_issuers, config.oidc_audiences, rules, clock, fetch)


def sign_in(config: Config, rows: Rows, gate: Gate) -> SignIn:
    """Who finds out whose a token is. Raises ConfigError for an admin's token that is not to be
    trusted."""
    token = admin_token(config.state_folder / "token", lambda: secrets.token_urlsafe(32))
    tokens = Tokens({token: ADMIN})
    return SignIn(rows.database, rows.store, gate, tokens, clock, _issuers(config))


def voices(sights: Sights) -> RealVoices:
    """The channels that are declared, with the secrets of the cloud here."""

    async def secret(environment: str, value: SecretValue) -> str:
        name, version = value.secret, value.version
        found = await sights.secrets.access(environment, name, version, CHANNELS_READER, True)
        return found.decode("utf-8", "replace")

    return RealVoices(secret, clock, trusted)


def services(parts: Parts, metrics: Metrics, measures: Recorder, streams: Streams) -> Services:
    """What the API is made with."""
    config, rows, gate = parts.config, parts.rows, parts.gate
    new_operation = Ids("op")
    return Services(
        gate=gate,
        database=rows.database,
        store=rows.store,
        viewer=parts.hands.viewer,
        deployer=parts.hands.deployer,
        secrets=parts.sights.secrets,
        voices=voices(parts.sights),
        broker=LocalBroker(parts.sights.neighbours.pubsub, clock),
        hooks=Hooks.over(gate, parts.sights.secrets, clock, fetch),
        signals=parts.signals,
        clock=clock,
        new_run_id=run_ids(),
        new_operation_id=lambda: OperationId(new_operation()),
        settings=api_settings(config, loops=parts.at_work),
        sign_in=sign_in(config, rows, gate),
        chance=secrets.token_bytes,
        metrics=metrics,
        measures=measures,
        streams=streams,
        loops=parts.loops,
        regions=parts.regions,
        abilities=parts.abilities,
        zones=ZoneBook(ZoneInfo, cache(available_timezones)),
        processes=parts.processes,
        reach=parts.hands.reach,
    )


def api_settings(config: Config, *, loops: Sequence[str]) -> ApiSettings:
    """The API's settings; `loops` are those that must be at work here."""
    return ApiSettings(
        version=__version__,
        state_folder=str(config.state_folder),
        environment=config.environment,
        started_at=clock(),
        executor=PROCESS,
        regions=config.regions,
        request_bytes_max=config.request_bytes_max,
        hosts=known_hosts(config.host, config.public_url),
        silence_max=dict.fromkeys(loops, 12 * timedelta(seconds=config.safety_poll_seconds)),
        region_runs_max=config.region_runs_max,
        approval_seconds=config.approval_seconds,
        undelete_seconds=config.undelete_seconds,
        public_url=config.public_url,
        letter_retention=_letter_retention(config),
    )
