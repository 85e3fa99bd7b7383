"""This process among others: what it says of itself, whom it sees, and who is at its post."""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from runyard import __version__
from runyard.api.services import ProcessState, RegionState
from runyard.cloud_wiring import clock
from runyard.config import Config
from runyard.database.port import Tx
from runyard.engine.loop import Loop
from runyard.engine.pulse import BEATS, Pulse
from runyard.engine.standby import Standby
from runyard.model.errors import PlatformError, StoreUnavailable
from runyard.premises import Post, make_folder
from runyard.process import beside
from runyard.store.processes import Seen, Sign
from runyard.wiring import Rows

Document = Mapping[str, Any]


@dataclass(slots=True)
class Me:
    """This process. `about` says how it is; `beats` are called with every sign of life."""

    name: str
    kind: str
    place: str
    about: Callable[[], Document] = dict
    working: bool = False
    beats: list[Callable[[], None]] = field(default_factory=list)

    @classmethod
    def of(cls, kind: str, config: Config) -> Me:
        """A process of this machine, with a name that no other one has."""
        name = f"{kind}-{os.getpid()}-{secrets.token_hex(4)}"
        return cls(name, kind, f"{socket.gethostname()}:{config.state_folder}")

    def settle(self, about: Callable[[], Document]) -> None:
        """It has all it needs from now on."""
        self.about, self.working = about, True

    def sign(self) -> Sign:
        """What it says of itself now."""
        about = {"version": __version__, "pid": os.getpid(), **self.about()}
        return Sign(self.name, self.kind, self.place, self.working, about)

    def state(self) -> ProcessState:
        """How it sees itself."""
        return ProcessState(self.name, self.kind, self.place, __version__, self.working, True, 0.0)


@asynccontextmanager
async def pulsing(config: Config, rows: Rows, me: Me) -> AsyncIterator[None]:
    """Signs of life for as long as the block lasts."""
    lease = timedelta(seconds=config.engine_lease_seconds)
    pulse = Pulse(rows.database, rows.store, me.sign, lease)
    every_seconds = config.engine_lease_seconds / BEATS

    async def tick(now: datetime) -> datetime:
        for beat in me.beats:
            beat()
        return await pulse.tick(now)

    loop = Loop("pulse", tick, clock, poll_seconds=every_seconds)
    try:
        async with beside(loop.run(), "pulse"):
            yield
    finally:
        with suppress(PlatformError):  # then the others find out by its silence
            await pulse.end()


@dataclass(slots=True)
class Neighbours:
    """Who works on the same database."""

    rows: Rows
    lease: timedelta
    latest: Document = field(default_factory=dict)

    async def processes(self) -> Sequence[ProcessState]:
        """Every process that was seen lately, this one among them."""
        found = await self._seen()
        states = [self._state(one) for one in found]
        at_work = [one for one, state in zip(found, states, strict=True) if state.is_engine_at_work]
        if at_work:
            self.latest = min(at_work, key=lambda one: one.ago).sign.about
        return states

    async def regions(self) -> list[RegionState]:
        """The regions as the engine at work told of them last."""
        await self.processes()
        return [RegionState(**one) for one in self.latest.get("regions", ())]

    def abilities(self) -> Document:
        """What the engine at work said of its machine last."""
        found: Document = self.latest.get("abilities", {})
        return found

    async def _seen(self) -> list[Seen]:
        async def work(tx: Tx) -> list[Seen]:
            return await self.rows.store.processes.all(tx)

        return await self.rows.database.read(work)

    def _state(self, seen: Seen) -> ProcessState:
        sign = seen.sign
        return ProcessState(
            name=sign.name,
            kind=sign.kind,
            place=sign.place,
            version=str(sign.about.get("version", "")),
            working=sign.working,
            alive=seen.ago < self.lease,
            silent_seconds=round(seen.ago.total_seconds(), 3),
        )


@asynccontextmanager
async def at_post(
    config: Config, rows: Rows, me: Me, say: Callable[[str], None] | None = None
) -> AsyncIterator[None]:
    """The cloud of the state folder is this process's for as long as the block lasts. With `say`
    it waits for that, and says so; without it, it is refused while another process works there.

    Raises StoreUnavailable.
    """
    folder = config.state_folder / "cloud"
    make_folder(folder)
    post = Post(folder)
    try:
        if not post.take(me.name):
            if say is None:
                raise StoreUnavailable(
                    f"another process works in the state folder {config.state_folder}: "
                    f"{post.holder()}",
                    hint="`runyard server` adds a server beside it, `runyard engine` one that "
                    "takes its place when it dies",
                )
            say(f"standing by: {post.holder()} is at work")
            await Standby(
                rows.database,
                rows.store,
                post,
                me.name,
                lease_seconds=config.engine_lease_seconds,
                seconds=asyncio.get_running_loop().time,
            ).until_ours()
        yield
    finally:
        post.close()
