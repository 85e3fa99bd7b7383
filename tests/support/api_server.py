"""A real API server on a real SQLite database, over a provider that is a fake and says so.

No run is carried out: tests tell the gate what a provider would have reported, and write the logs
and tasks that people then look at. Operations are, by a provider's jobs that are a dictionary.
"""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from random import Random
from typing import Any, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from fastapi import FastAPI

from runyard.api.app import make_app
from runyard.api.edge.host import known_hosts
from runyard.api.hooks.hooks import Hooks
from runyard.api.issuers import OidcIssuers, fetch
from runyard.api.server import HttpServer
from runyard.api.services import ApiSettings, RegionState, Services
from runyard.api.sign_in import Issuers, SignIn
from runyard.api.streams import Streams
from runyard.api.tokens import Tokens
from runyard.database.signals import Signals
from runyard.database.sqlite import InlineSqlite, SqliteDatabase
from runyard.engine.doing import Doing
from runyard.engine.steps import Steps
from runyard.gate.door import Committed, Gate, GateSettings
from runyard.gate.people import FirstPrincipal
from runyard.localcloud.neighbours import Neighbours
from runyard.localcloud.schema import migrate as migrate_cloud
from runyard.localcloud.secrets.keys import KeyFiles
from runyard.model.effect import Compensate, Pending, Perform
from runyard.model.event import Event
from runyard.model.ids import OperationId, RunId, stamped
from runyard.model.principal import ADMIN
from runyard.model.zones import ZoneBook
from runyard.provider.local.pubsub import LocalBroker
from runyard.provider.local.secrets import LocalSecrets
from runyard.store.memory import Store
from runyard.telemetry.metrics import Metrics
from runyard.telemetry.recorder import Recorder
from runyard.telemetry.series import TimeSeries
from tests.support.channels import KeptVoices
from tests.support.cloud import TickingClock
from tests.support.fake_jobs import FakeAccess, FakeJobs
from tests.support.fake_viewer import FakeViewer
from tests.support.schema import furnish

T = TypeVar("T")
TOKEN = "a-token-for-tests-of-the-api-only"
START = datetime(2026, 9, 1, 12, 0, tzinfo=UTC)
MANIFEST = """\
project: shop
jobs:
  report:
    labels: {team: data}
    template:
      taskCount: 2
      template:
        maxRetries: 1
        containers:
          - image: example.com/report
            command: ["true"]
    retry: {attempts: 2, backoff: {initial: 10s, jitter: none}}
  alone:
    template:
      template: {containers: [{image: example.com/alone, command: ["true"]}]}
    concurrency: {limit: 1}
  everywhere:
    regions: [us-central1, europe-west1]
    placement: all
    template:
      template: {containers: [{image: example.com/everywhere, command: ["true"]}]}
"""


@dataclass(slots=True)
class FakeLoop:
    """A loop's health."""

    name: str
    ticks: int = 3
    errors: int = 1
    last_tick_at: datetime | None = START
    last_error: str = "it rained"


@dataclass(frozen=True, slots=True)
class Answer:
    """A response."""

    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def document(self) -> Any:
        """Its JSON."""
        return json.loads(self.content)

    @property
    def error(self) -> dict[str, Any]:
        """The error in it."""
        found: dict[str, Any] = self.document["error"]
        return found


@dataclass(slots=True)
class Backstage:
    """All that stands behind the server, for tests to move."""

    services: Services
    viewer: FakeViewer
    secrets: LocalSecrets
    neighbours: Neighbours
    loops: list[FakeLoop]
    jobs: FakeJobs
    now: datetime = START
    _ids: int = 0

    def clock(self) -> datetime:
        """Moves on a millisecond with every look."""
        self.now += timedelta(milliseconds=1)
        return self.now

    def chance(self, count: int) -> bytes:
        """Never the same twice, and no chance at all."""
        self._ids += 1
        return self._ids.to_bytes(count)

    def new_run_id(self) -> RunId:
        """Sorted by their making."""
        self._ids += 1
        return RunId(stamped("run", self.now, self._ids))

    def new_operation_id(self) -> OperationId:
        """Sorted by their making."""
        self._ids += 1
        return OperationId(stamped("op", self.now, self._ids))


async def one_region() -> Sequence[RegionState]:
    """What the provider has."""
    return [RegionState("us-central1", 8, 2**33, 0)]


@dataclass(slots=True)
class Carried:
    """Carries out what operations want done, as soon as it is committed."""

    steps: Steps | None = None
    under_way: set[asyncio.Task[None]] = field(default_factory=set)

    def begin(self, effects: Sequence[Pending]) -> None:
        """Begin what is for operations among effects."""
        for pending in effects:
            if self.steps and isinstance(pending.effect, Perform | Compensate):
                task = asyncio.create_task(self.steps.carry(pending, pending.effect))
                self.under_way.add(task)
                task.add_done_callback(self.under_way.discard)


def _usual(folder: Path) -> ApiSettings:
    return ApiSettings("1.2.3", str(folder), "local", START, "process", request_bytes_max=100_000)


def _sign_in(
    database: SqliteDatabase,
    store: Store,
    gate: Gate,
    issuers: Issuers | None,
    clock: Callable[[], datetime],
) -> SignIn:
    known = Tokens({TOKEN: ADMIN})
    return SignIn(
        database, store, gate, known, clock, issuers or OidcIssuers((), (), (), clock, fetch)
    )


async def _neighbours(folder: Path) -> Neighbours:
    """The secrets of a cloud in `folder`."""
    cloud = InlineSqlite(folder / "cloud.db")
    await migrate_cloud(cloud, START)
    keys = KeyFiles(folder / "secrets.key")
    return Neighbours.over(cloud, keys, TickingClock(START), Random(1).getrandbits)


async def _measures() -> Recorder:
    series = InlineSqlite()
    await TimeSeries.migrate(series, START)
    return Recorder(series, "api", timedelta(days=30))


async def backstage(
    folder: Path, settings: dict[str, Any] | None = None, issuers: Issuers | None = None
) -> Backstage:
    """Everything an app needs, on a database in `folder`."""
    furnish(folder / "runyard.db")
    database = SqliteDatabase(folder / "runyard.db", synchronous="OFF")
    store, signals, metrics = Store.of("sqlite"), Signals(), Metrics("1.2.3")
    jobs, carried, measures = FakeJobs(), Carried(), await _measures()

    def committed(done: Committed) -> None:
        signals.send(done.topics())
        metrics.observe(done.facts)
        measures.observe(done.facts)
        carried.begin(done.effects)

    viewer, loops, neighbours = FakeViewer(START), [FakeLoop("due")], await _neighbours(folder)
    secrets, others = LocalSecrets(neighbours), dict(settings or {})
    gate = Gate(database, store, GateSettings("hands"), committed)
    doing = Doing(gate, database, store, jobs, FakeAccess(), lambda: behind.clock())
    carried.steps = Steps(gate, database, store, doing, lambda: behind.clock())
    dependants = others.pop("dependants", ())
    await gate.ask(FirstPrincipal(START))
    sign_in = _sign_in(database, store, gate, issuers, lambda: behind.clock())
    services = Services(
        gate=gate,
        database=database,
        store=store,
        viewer=viewer,
        deployer=jobs,
        secrets=secrets,
        voices=KeptVoices(),
        broker=LocalBroker(neighbours.pubsub, lambda: behind.clock()),
        hooks=Hooks.over(gate, secrets, lambda: behind.clock(), fetch),
        signals=signals,
        clock=lambda: behind.clock(),
        new_run_id=lambda: behind.new_run_id(),
        new_operation_id=lambda: behind.new_operation_id(),
        settings=replace(_usual(folder), **others),
        sign_in=sign_in,
        chance=lambda count: behind.chance(count),
        metrics=metrics,
        measures=measures,
        streams=Streams(),
        loops=lambda: loops,
        regions=one_region,
        abilities=lambda: {"cgroup": "v2"},
        zones=ZoneBook(ZoneInfo, available_timezones),
        dependants=dependants,
    )
    return (behind := Backstage(services, viewer, secrets, neighbours, loops, jobs))


@dataclass(slots=True)
class Api:
    """A running server and a client of it."""

    url: str
    app: FastAPI
    behind: Backstage
    loop: asyncio.AbstractEventLoop
    server: HttpServer
    token: str = TOKEN
    open: list[HTTPConnection] = field(default_factory=list)

    def connect(self) -> HTTPConnection:
        """A connection of its own."""
        connection = HTTPConnection(urlsplit(self.url).netloc, timeout=30)
        self.open.append(connection)
        return connection

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """One request; `path` begins below /api/v1 unless it begins with two slashes."""
        target = path[1:] if path.startswith("//") else f"/api/v1{path}"
        sent = {"Authorization": f"Bearer {self.token}"} | (headers or {})
        content = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        connection = self.connect()
        connection.request(method, target, content, {k: v for k, v in sent.items() if v})
        reply = connection.getresponse()
        found = {name.lower(): value for name, value in reply.getheaders()}
        answer = Answer(reply.status, found, reply.read())
        connection.close()
        return answer

    def get(self, path: str, **headers: str) -> Any:
        """The document of a request that succeeds."""
        answer = self.ask("GET", path, headers=headers)
        assert answer.status == 200, answer.content
        return answer.document

    def post(self, path: str, body: Any, status: int = 200) -> Any:
        """The document of a request that succeeds with `status`."""
        answer = self.ask("POST", path, body)
        assert answer.status == status, answer.content
        return answer.document

    def call(self, work: Callable[[], Awaitable[T]]) -> T:
        """What `work` gives, done in the server's event loop."""

        async def run() -> T:
            return await work()

        return asyncio.run_coroutine_threadsafe(run(), self.loop).result(30)

    def apply(self, text: str = MANIFEST) -> Any:
        """Bring a manifest into force."""
        return self.post("/jobs:apply", {"files": [{"name": "runyard.yaml", "text": text}]})

    def run(self, job: str = "report", **more: Any) -> str:
        """The id of a new run (the first, when there are several)."""
        made: str = self.post("/runs", {"job": job, **more}, 201)["runs"][0]["id"]
        return made

    def tell(self, run: str, event: Event) -> None:
        """Have something happen to a run, as a provider's report would."""
        services, now = self.behind.services, self.behind.clock()
        self.call(lambda: services.gate.tell(RunId(run), event, now))


@contextmanager
def serving(folder: Path, *, issuers: Issuers | None = None, **settings: Any) -> Iterator[Api]:
    """A server on a free port, in a thread with an event loop of its own."""
    listening = socket.create_server(("127.0.0.1", 0))
    settings.setdefault("hosts", known_hosts("127.0.0.1"))
    ready, made = threading.Event(), []

    async def serve() -> None:
        behind = await backstage(folder, settings, issuers)
        app = make_app(behind.services)
        server = HttpServer(app, listening, behind.services.streams, grace_seconds=5)
        made.append(Api(server.url, app, behind, asyncio.get_running_loop(), server))
        await server.run(ready.set)
        await behind.services.database.close()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), name="api-server")
    thread.start()
    assert ready.wait(30)
    api = made[0]
    try:
        yield api
    finally:
        for connection in api.open:
            connection.close()
        api.server.stop()
        thread.join(30)
        assert not thread.is_alive()
