"""Google's face of a cloud with real processes, served on a loopback port: what Google's own
client libraries are pointed at."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

import uvicorn

from runyard.localcloud.cloudrun.resources import Region
from runyard.localcloud.google.app import google_app
from tests.support.cloud import HERE, THERE, World
from tests.support.real_cloud import close_real_world, make_real_world


@dataclass
class ServedFace:
    """A running cloud with its Google face. `endpoint` is what `ClientOptions(api_endpoint=…)`
    takes; the transport has to be `rest`."""

    endpoint: str
    world: World
    token: str = ""


@asynccontextmanager
async def google_face(
    folder: Path, *, token: str = "", regions: Sequence[Region] = (HERE, THERE)
) -> AsyncIterator[ServedFace]:
    """A cloud in `folder` and its Google face, until the block ends."""
    world = await make_real_world(folder, regions=regions)
    try:
        async with google_app(world.cloud, chance=Random(7).getrandbits, token=token) as app:
            listening = socket.create_server(("127.0.0.1", 0))
            listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            server = _Server(uvicorn.Config(app, lifespan="off", log_config=None, access_log=False))
            serving = asyncio.create_task(server.serve(sockets=[listening]))
            await server.up.wait()
            try:
                port = listening.getsockname()[1]
                yield ServedFace(f"http://127.0.0.1:{port}", world, token)
            finally:
                server.should_exit = server.force_exit = True
                await serving
    finally:
        await close_real_world(world)


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """None are: signals are pytest's business."""
        yield
