"""The local provider keeps the promises of the port, with real processes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from runyard.database.sqlite import SqliteDatabase
from runyard.localcloud.cloudrun.book import Book
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
