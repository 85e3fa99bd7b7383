"""The local provider keeps the promises of the port, with real processes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from runyard.database.sqlite import SqliteDatabase
from runyard.localcloud.cloudrun.book import Book
from runyard.model.ids import AttemptKey
from runyard.provider.local.adapter import LocalProvider
from runyard.provider.local.secrets import LocalSecrets
from runyard.provider.local.viewer import LocalViewer
from tests.contract.provider import ProviderContract
from tests.contract.rig import Rig
from tests.support.cloud import World
from tests.support.real_cloud import close_real_world, make_real_world


class TestLocalProvider(ProviderContract):
    """The cloud on this machine. The viewer looks through a connection of its own."""

    def open_rig(self, folder: Path) -> AbstractAsyncContextManager[Rig]:
        return _open(folder)

    def test_logs_take_room_until_they_are_forgotten(self, play: Callable[..., None]) -> None:
        async def scenario(rig: Rig) -> None:
            await rig.provider.launch(rig.order("run_a/1", "seq 5000"))
            await rig.ended("run_a/1")
            assert await rig.provider.log_bytes() > 100_000
            await rig.provider.release(AttemptKey("run_a/1"))
            await rig.provider.forget(AttemptKey("run_a/1"))
            assert await rig.provider.log_bytes() == 0

        play(scenario)


@asynccontextmanager
async def _open(folder: Path) -> AsyncIterator[Rig]:
    worlds: list[World] = []
    news = asyncio.Event()

    async def come_up() -> LocalProvider:
        worlds.append(await make_real_world(folder, seed=len(worlds), start=False))
        provider = LocalProvider(worlds[-1].cloud, news.set)
        await provider.start()
        return provider

    async def restart() -> None:
        await rig.provider.close()
        await worlds[-1].spawner.close()
        await worlds[-1].database.close()
        rig.provider = await come_up()
        rig.secrets = LocalSecrets(worlds[-1].neighbours)

    provider = await come_up()
    eyes = SqliteDatabase(folder / "cloud.db")
    viewer = LocalViewer(Book(eyes), folder / "logs")
    rig = Rig(provider, viewer, LocalSecrets(worlds[0].neighbours), "us-central1", restart, news)
    try:
        yield rig
    finally:
        await eyes.close()
        await close_real_world(worlds[-1])
