"""The only place that puts the parts together, and the only one that knows the real clock, real
randomness and the real network."""

from __future__ import annotations

import asyncio
import random
import secrets
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from importlib import import_module

from starlette.applications import Starlette

from runyard_runner import __version__
from runyard_runner.execution.calling import Caller
from runyard_runner.execution.repeats import Repeats
from runyard_runner.execution.run import Workshop
from runyard_runner.execution.running import Running
from runyard_runner.execution.service import Service
from runyard_runner.faults import Unavailable
from runyard_runner.identity.access import Access, Verify
from runyard_runner.model.endpoint import Content, Endpoint, Reader
from runyard_runner.model.fields import Fields
from runyard_runner.model.order import Orders, Planned, read_endpoints
from runyard_runner.model.target import read_target
from runyard_runner.outgoing.client import Call, Client
from runyard_runner.outgoing.connection import Response
from runyard_runner.outgoing.failures import CallFailed
from runyard_runner.outgoing.names import Names, Resolve, system_resolve
from runyard_runner.outgoing.pool import Pool
from runyard_runner.outgoing.tokens import Tokens
from runyard_runner.outgoing.trust import Trust
from runyard_runner.report.port import Mailbox, Send
from runyard_runner.rules.addresses import OwnErrand, Policy
from runyard_runner.rules.masking import Mask
from runyard_runner.settings import Settings, faulty
from runyard_runner.telemetry.journal import Journal
from runyard_runner.telemetry.meters import Meters
from runyard_runner.telemetry.watching import Nobody, Watcher
from runyard_runner.variables import Variables
from runyard_runner.web.app import application
from runyard_runner.web.execute import Execute
from runyard_runner.web.pages import About, Pages
from runyard_runner.web.requests import Door

_AGENT = f"runyard-runner/{__version__}"
_ERRAND_SECONDS = 10.0


def _print_line(line: bytes) -> None:
    sys.stdout.buffer.write(line)
    sys.stdout.buffer.flush()


@dataclass(frozen=True, slots=True)
class World:
    """What is real, and what a test may have otherwise."""

    microseconds: Callable[[], int] = field(default=lambda: time.time_ns() // 1000)
    seconds: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic
    chance: Callable[[], float] = random.random
    new_id: Callable[[int], str] = secrets.token_hex
    resolve: Resolve = system_resolve
    write: Callable[[bytes], object] = _print_line


@dataclass(frozen=True, slots=True)
class Assembled:
    """A service, put together and not yet started."""

    app: Starlette
    running: Running
    journal: Journal
    meters: Meters
    endpoints: tuple[Planned, ...]


def assemble(settings: Settings, world: World | None = None) -> Assembled:
    """Put a service together. Raises SettingsError for endpoints that cannot be read."""
    parts = _Parts(settings, world or World())
    return Assembled(parts.app(), parts.running, parts.journal, parts.meters, parts.endpoints)


class _Parts:
    """The parts, each made once, in the order in which they need each other."""

    def __init__(self, settings: Settings, world: World) -> None:
        self._settings = settings
        self._world = world
        self._mask = Mask(settings.secrets)
        self.endpoints = _configured(settings, self._mask)
        self.meters = Meters()
        self.journal = Journal(
            world.write,
            world.microseconds,
            self._mask,
            settings["LOG_LEVEL"],
            settings["GOOGLE_CLOUD_PROJECT"],
        )
        self.running = Running(self.meters, settings["GRACE_SECONDS"])
        self._trust = Trust(settings["CA_FILE"])
        policy = Policy(settings["ALLOW_PRIVATE_NETWORKS"], settings["ALLOWED_HOSTS"])
        self._pool, self._client = self._made_client(policy)
        _, self._errands = self._made_client(OwnErrand())
        self._watcher = self._made_watcher()
        self._service = self._made_service()

    def app(self) -> Starlette:
        """The application."""
        settings, world = self._settings, self._world
        access = Access(settings["API_KEY"], self._verify(), settings["ALLOW_UNAUTHENTICATED"])
        door = Door(access, self._service, world.new_id, settings["REQUEST_BYTES_MAX"])
        named = Variables(settings.variables, self._mask, settings["REQUEST_VARIABLES"])
        reader = Reader(settings.limits, self._mask.url, named.secret)
        about = About(
            version=__version__,
            revision=settings["K_REVISION"],
            endpoints=[self._mask.named(each) for each in settings.endpoints],
            example_tasks=settings["EXAMPLE_TASKS"],
        )
        return application(
            Pages(door, about, self.meters, world.microseconds),
            Execute(door, Orders(reader, self.endpoints, named.fill), self._service),
            self.journal,
            settings["EXAMPLE_TASKS"],
            self._life,
        )

    @asynccontextmanager
    async def _life(self, _app: Starlette) -> AsyncIterator[None]:
        if any(_is_https(each) for each in self.endpoints):
            await asyncio.to_thread(self._trust)
        self._watcher.start()
        try:
            yield
        finally:
            await self._watcher.stop()
            self._client.close()
            self._errands.close()

    def _made_client(self, policy: Policy) -> tuple[Pool, Client]:
        limits = self._settings.limits
        names = Names(policy, resolve=self._world.resolve)
        pool = Pool(names, self._trust, limits.host_connections_max)
        return pool, Client(names, pool, _AGENT, limits.response_bytes_max)

    def _made_service(self) -> Service:
        settings, world = self._settings, self._world
        tokens = Tokens(
            self._errands,
            settings["GCE_METADATA_HOST"],
            settings["OIDC_TOKEN_HOSTS"],
            world.seconds,
        )
        caller = Caller(
            client=self._client,
            tokens=tokens,
            mask=self._mask,
            meters=self.meters,
            clock=world.microseconds,
            chance=world.chance,
            stopwatch=world.monotonic,
        )
        return Service(
            workshop=Workshop(
                caller, self._pool, settings.limits, self.journal, settings["FAILURE_STATUS"]
            ),
            running=self.running,
            repeats=Repeats(settings["IDEMPOTENCY_SECONDS"], world.monotonic),
            mailbox=_mailbox(settings),
            load_send=_load_send,
            watch=self._watcher.note,
        )

    def _made_watcher(self) -> Watcher:
        settings = self._settings
        collector = settings["OTEL_EXPORTER_OTLP_ENDPOINT"]
        if not collector:
            return Nobody()
        exporter: Watcher = import_module("runyard_runner.telemetry.otlp").Exporter(
            post=partial(self._post, collector.rstrip("/")),
            meters=self.meters,
            journal=self.journal,
            clock=self._world.microseconds,
            service=settings["OTEL_SERVICE_NAME"],
        )
        return exporter

    async def _post(self, collector: str, path: str, document: bytes) -> None:
        """Send a document to the collector. Raises OSError."""
        content = Content(document, "application/json")
        call = Call(read_target(collector + path), "POST", (), content)
        response = await self._errand(call)
        if response.status >= 300:
            raise OSError(f"it answered {response.status}")

    async def _errand(self, call: Call) -> Response:
        deadline = asyncio.get_running_loop().time() + _ERRAND_SECONDS
        try:
            return await self._errands.send(call, deadline)
        except CallFailed as failed:
            raise OSError(failed.words) from None

    def _verify(self) -> Verify | None:
        if not self._settings["OIDC_AUDIENCE"]:
            return None
        made: list[Verify] = []

        async def verify(token: str) -> str:
            if not made:
                made.append(self._made_verifier())
            return await made[0](token)

        return verify

    def _made_verifier(self) -> Verify:
        settings = self._settings
        tokens = import_module("runyard_runner.identity.tokens")
        wanted = tokens.Wanted(
            audiences=tokens.audiences(settings["OIDC_AUDIENCE"]),
            issuers=frozenset(settings["OIDC_ISSUERS"]),
            emails=frozenset(each.lower() for each in settings["OIDC_EMAILS"]),
        )
        keys = tokens.Keys(self._fetch_keys, self._world.monotonic)
        verify: Verify = tokens.Verifier(keys, wanted, self._world.seconds).verify
        return verify

    async def _fetch_keys(self) -> tuple[bytes, str]:
        call = Call(read_target(self._settings["OIDC_KEYS_URL"]), "GET", (), None)
        try:
            response = await self._errand(call)
        except OSError as error:
            words = f"The keys of Google's tokens cannot be had: {error}."
            raise Unavailable(words, hint="See OIDC_KEYS_URL.") from None
        if response.status != 200:
            words = f"The keys of Google's tokens cannot be had: HTTP {response.status}."
            raise Unavailable(words, hint="See OIDC_KEYS_URL.")
        return response.body, response.headers.get("cache-control", "")


def _configured(settings: Settings, mask: Mask) -> tuple[Planned, ...]:
    """What ENDPOINTS says, read. Raises SettingsError with every fault."""
    fields = Fields()
    any_name = Variables(settings.variables, mask)
    filled = [
        any_name.fill(f"endpoints[{n}]", each, fields) for n, each in enumerate(settings.endpoints)
    ]
    reader = Reader(settings.limits, mask.url, any_name.secret)
    # an endpoint with a variable that is missing is read as well: all faults at once
    found = read_endpoints(filled, reader, fields)
    if fields.faults:
        raise faulty([replace(each, field=f"ENDPOINTS{each.field[9:]}") for each in fields.faults])
    return found


def _is_https(planned: Planned) -> bool:
    return isinstance(planned, Endpoint) and planned.target.scheme == "https"


def _load_send() -> Send:
    send: Send = import_module("runyard_runner.report.mail").send
    return send


def _mailbox(settings: Settings) -> Mailbox:
    address = settings["EMAIL_ADDRESS"]
    user = settings["SMTP_USER"] or address
    return Mailbox(
        host=settings["SMTP_HOST"],
        port=settings["SMTP_PORT"],
        user=user,
        password=settings["SMTP_PASSWORD"],
        sender=settings["EMAIL_FROM"] or address or user,
        recipients=settings["EMAIL_TO"] or ((address,) if address else ()),
        ca_file=settings["CA_FILE"],
    )
