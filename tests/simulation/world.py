"""One simulated world: clients, engines that die, a cloud that lies, and time.

Everything runs on one event loop without timers; every transaction and every call to the cloud
has pauses around it, and the world decides, by its seed alone, who goes on, who dies, and what
time it is. Promises are checked after every step by `promises.py`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from runyard.database.migrations import migrate
from runyard.database.port import Database
from runyard.database.sqlite import InlineSqlite
from runyard.gate.asking import Apply, Request
from runyard.gate.door import Gate, GateSettings
from runyard.gate.environments import ApplyEnvironments
from runyard.model.alert import IncidentId
from runyard.model.errors import CallerError
from runyard.model.event import CancelRequested
from runyard.model.ids import RunId, stamped
from runyard.model.job import JobSpec
from runyard.model.plan import RunRequest
from runyard.store.memory import MIGRATIONS, Store
from tests.simulation.alerts import LOCAL, AlertPromises, Ears
from tests.simulation.chains import check_chains
from tests.simulation.chance import one_of
from tests.simulation.cloud import Cloud
from tests.simulation.instants import SchedulePromises
from tests.simulation.letters import LetterPromises
from tests.simulation.loop import quiet, run
from tests.simulation.process import Process
from tests.simulation.promises import Promises
from tests.simulation.remedies import RemedyPromises
from tests.simulation.triggers import Triggers
from tests.support.schema import image

START = datetime(2026, 3, 28, 22, tzinfo=UTC)  # the night before a change to summer time
REGION_RUNS_MAX = 4
STEPS = 220

JOBS: dict[str, dict[str, Any]] = {
    "plain": {},
    "stubborn": {
        "retry": {
            "attempts": 4,
            "on_timeout": {"attempts": 2},
            "budget": {"retries": 4, "within": "5m"},
        }
    },
    "single": {"concurrency": {"limit": 1}, "retry": {"attempts": 2}},
    "skipping": {"concurrency": {"limit": 1, "on_conflict": "skip"}},
    "newest": {"concurrency": {"limit": 1, "on_conflict": "cancel_older"}},
    "hurried": {"deadline": "45s", "retry": {"attempts": 3}},
    "pair": {
        "regions": ["us-central1", "europe-west1"],
        "placement": "all",
        "concurrency": {"limit": 2},
    },
    "hasty": {
        "triggers": [{"schedule": "*/2 * * * *", "startBy": "100s", "catchUp": "none"}],
        "retry": {"attempts": 3},
    },
    "patient": {
        "triggers": [
            {"schedule": "every 5m", "overlap": "queue", "catchUp": {"all": "12m", "max": 2}},
            {"schedule": "*/6 * * * *", "overlap": "queue_latest", "jitter": "90s"},
        ],
        "retry": {"attempts": 2},
    },
    "pushy": {
        "triggers": [{"schedule": "*/3 * * * *", "overlap": "cancel_running"}],
        "regions": ["us-central1", "europe-west1"],
        "placement": "all",
    },
    "waiting": {
        "retry": {"attempts": 2},
        "needs": {"egress": ["db.internal:5432"]},
        "recovery": {
            "network": {"wait": "90s", "attempts": 4},
            "capacity": {"wait": "5m"},
            "permission": {"wait": "60s"},
            "application": {"wait": "4m", "attempts": 3},
        },
        "concurrency": {"limit": 2},
    },
    "next": {"triggers": [{"after": {"job": "plain"}}]},
    "gather": {"triggers": [{"after": {"all": ["next", "stubborn"], "on": "any"}}]},
}
#: The order in which loops go round while a world comes to rest.
AT_REST = (
    "rescue", "waits", "recheck", "schedule", "due", "outbox", "watch", "alerts", "replays",
)  # fmt: skip
SCHEDULED_UNTIL = START + timedelta(minutes=20)


def spec(name: str) -> JobSpec:
    """The job of this name."""
    template = {"template": {"containers": [{"image": "busybox", "command": ["true"]}]}}
    backoff = {"backoff": {"initial": "2s", "max": "20s"}}
    end = {"endAt": SCHEDULED_UNTIL.isoformat()}
    beside = JOBS[name] | {
        "retry": backoff | JOBS[name].get("retry", {}),
        "triggers": [
            one | end if "schedule" in one else one for one in JOBS[name].get("triggers", ())
        ],
    }
    return JobSpec.from_document({"project": "sim", "name": name, "template": template} | beside)


class Complaints(logging.Handler):
    """What engines log as faults of the program: they go on after it, a world does not."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__()
        self._faults = faults

    def emit(self, record: logging.LogRecord) -> None:
        """See `logging.Handler`."""
        if record.exc_info is not None:
            self._faults.append(f"{record.getMessage()}: {record.exc_info[1]!r}")


class World:
    """A world of its own, made whole from `seed`. Its database answers at once, without a step of
    the event loop; it is in memory unless another is given."""

    def __init__(self, seed: int, database: Database | None = None) -> None:
        self.random = Random(seed)
        self.jobs: Sequence[str] = list(JOBS)
        self.now = START
        self.database = database or InlineSqlite.copy_of(image())
        self._is_migrated = database is None
        self.store = Store.of(self.database.dialect)
        self.cloud = Cloud(self.random, lambda: self.now)
        self.ears = Ears()
        self.alerts = AlertPromises(self.ears)
        self.promises = Promises(self.cloud, self.alerts, REGION_RUNS_MAX)
        self.letters = LetterPromises()
        self.remedies = RemedyPromises()
        self.triggers = Triggers()
        self.schedules = SchedulePromises()
        self.processes: list[Process] = []
        self.calm = False
        self._faults: list[str] = []
        self._paused: list[tuple[str, asyncio.Future[None]]] = []
        self._numbers = 0
        self._keys: dict[str, RunRequest] = {}

    async def live(self) -> None:
        """The whole life of the world. Raises AssertionError when a promise is broken."""
        asyncio.get_running_loop().set_exception_handler(self._unhandled)
        await self._migrate()
        gate = Gate(self.database, self.store, GateSettings("", REGION_RUNS_MAX))
        specs = [spec(name) for name in JOBS]
        await gate.ask(Apply(specs, "local", "world", self.now))
        await gate.ask(ApplyEnvironments("sim", {"local": LOCAL}, "world", self.now))
        self._boot()
        self._boot()
        for _ in range(STEPS):
            await self._step()
        await self._come_to_rest()
        await self._check_anew()
        await self._check_schedules(ended=True)
        await self.promises.check_rest(self.database, self.store)
        self.letters.check_rest()
        await self._outlast()
        await self.database.close()

    async def _migrate(self) -> None:
        if not self._is_migrated:
            await migrate(self.database, MIGRATIONS, self.now)

    async def _step(self) -> None:
        what: list[tuple[Callable[[], None], int]] = [
            (self._advance, 8),
            (self._request, 6),
            (self._cancel, 2),
            (self._deal, 3),
            (self._mend, 1),
            (self._tick, 12),
            (self._kill, 1),
            (self._lose, 1),
            (self._jump, 1),
        ]
        one_of(self.random, what)()
        self.cloud.end_what_is_over()
        await self._settle(self.random.randrange(1, 12))
        await self._check()
        await self._check_schedules(ended=False)

    async def _check(self) -> None:
        now = await self.promises.check(self.database, self.store)
        await self.letters.check(self.database, self.store, now.runs.values())
        await self.remedies.check(self.database, self.store, self.letters.replays.values())
        self._check_faults()

    async def _check_anew(self) -> None:
        """Check once more, and look at everything for it, also at what did not change."""
        for one in (self.promises, self.letters, self.remedies, self.triggers, self.schedules):
            one.forget()
        await self._check()

    def _check_faults(self) -> None:
        faults = [fault for process in self.processes for fault in process.faults]
        assert not faults + self._faults, faults + self._faults

    @contextmanager
    def heard(self) -> Iterator[None]:
        """While it lasts, what engines log as a fault of the program is one of this world."""
        complaints = Complaints(self._faults)
        logger = logging.getLogger("runyard.engine")
        logger.addHandler(complaints)
        try:
            yield
        finally:
            logger.removeHandler(complaints)

    async def _check_schedules(self, *, ended: bool) -> None:
        fired = await self.triggers.look(self.database, self.store)
        runs = self.promises.runs()
        self.schedules.check(fired, runs, ended=ended)
        check_chains(fired, runs, ended=ended)

    def _unhandled(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self._faults.append(repr(context))

    async def _settle(self, releases: int) -> None:
        """Let everything go on to its next pause, and `releases` of the paused beyond it."""
        await quiet()
        for _ in range(releases):
            if not self._paused:
                return
            number = self.random.randrange(len(self._paused))
            _, future = self._paused.pop(number)
            if not future.done():
                future.set_result(None)
            await quiet()

    async def pause(self, where: str) -> None:
        """Wait here until the world says go."""
        if self.calm:
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._paused.append((where, future))
        await future

    def _boot(self) -> None:
        self._numbers += 1
        skew = timedelta(seconds=self.random.uniform(-3, 3))
        self.processes.append(
            Process(
                f"engine-{self._numbers}",
                self.database,
                self.store,
                self.cloud,
                self.pause,
                skew,
                self.ears,
                REGION_RUNS_MAX,
                self.promises.committed,
                self._new_id,
            )
        )

    def _advance(self) -> None:
        self.now += timedelta(seconds=self.random.choice([0.1, 1, 5, 20, 31, 90]))

    def _tick(self) -> None:
        process = self.random.choice(self.processes)
        loops = ["due", "schedule", "recheck", "alerts", "replays", "watch", "rescue", "prune"]
        loops += ["waits"] + ["outbox"] * 2  # it has the most to do
        process.tick(self.random.choice(loops))

    def _kill(self) -> None:
        process = self.random.choice(self.processes)
        process.kill()
        self.processes.remove(process)
        self._boot()

    def _jump(self) -> None:
        """A machine's clock is set anew; or nobody does anything for a while."""
        if self.random.random() < 0.5:
            process = self.random.choice(self.processes)
            process.skew = timedelta(seconds=self.random.uniform(-120, 120))
        else:
            self.now += timedelta(minutes=7)

    def _lose(self) -> None:
        if self.random.random() < 0.3:
            self.cloud.lose_one()

    def _request(self) -> None:
        process = self.random.choice(self.processes)
        key = f"key-{self.random.randrange(60)}" if self.random.random() < 0.5 else ""
        asked = self._keys.get(key) or RunRequest(
            environment="local",
            job=self.random.choice(self.jobs),
            by="client",
            priority=self.random.choice([None, None, -5, 5]),
            key=key,
        )
        if key:
            self._keys[key] = asked
        process.spawn(self._ask(process, asked), "request")

    async def _ask(self, process: Process, asked: RunRequest) -> None:
        accepted = await process.gate.ask(Request(asked, process.clock(), self._new_id))
        self.promises.acknowledged(asked, accepted.runs)

    def _new_id(self) -> RunId:
        self._numbers += 1
        return RunId(stamped("run", self.now, (self._numbers << 20) | self.random.getrandbits(20)))

    def _cancel(self) -> None:
        known = sorted(self.promises.live())
        if known:
            process = self.random.choice(self.processes)
            process.spawn(self._cancel_one(process, self.random.choice(known)), "cancel")

    async def _cancel_one(self, process: Process, run: RunId) -> None:
        try:
            after = await process.gate.tell(run, CancelRequested("client"), process.clock())
        except CallerError:
            return  # it was final, or stopping, already
        self.promises.cancelled(after)

    def _deal(self) -> None:
        process = self.random.choice(self.processes)
        dealt = self.letters.deal(self.random, process.gate, process.clock(), self._new_id)
        process.spawn(dealt, "deal")

    def _mend(self) -> None:
        process, incidents = self.random.choice(self.processes), self._incidents()
        letters = sorted(self.letters.letters)
        mended = self.remedies.mend(
            self.random, process.gate, process.clock(), self._new_id, incidents, letters
        )
        process.spawn(mended, "mend")

    def _incidents(self) -> list[IncidentId]:
        return sorted(self.alerts.incidents)

    async def _come_to_rest(self) -> None:
        """No more faults, no more requests: everything must come to its end by itself."""
        self.cloud.faults = False
        for _ in range(60):
            self.calm = not self._paused
            self.now += timedelta(seconds=31)
            self.cloud.end_what_is_over()
            for process in self.processes:
                for loop in AT_REST:
                    process.tick(loop)
            await self._settle(10_000)
            await self._check()

    async def _outlast(self) -> None:
        """After the retention nothing is left but the ledger."""
        self.now += timedelta(hours=4)
        for process in self.processes:
            process.tick("prune")
            await self._settle(10_000)
        await self.promises.check_outlasted(self.database, self.store)
        await self.letters.look(self.database, self.store)
        self.letters.check_outlasted()
        self._check_faults()


def live(seed: int, database: Database | None = None) -> None:
    """Live through the world of `seed`."""
    world = World(seed, database)
    with world.heard():
        run(world.live())
