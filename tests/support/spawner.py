"""A real spawner for a test, and the proof afterwards that nothing of it is left."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from runyard.localcloud.logging.format import decode
from runyard.localcloud.spawner.client import SpawnerClient
from runyard.localcloud.spawner.launch import IDLE_SECONDS
from runyard.localcloud.spawner.port import TaskEnd, TaskOrder
from runyard.localcloud.spawner.server import processes
from runyard.localcloud.spawner.server.places import tag_of

NOW = datetime(2026, 1, 1, tzinfo=UTC)  # what the client takes for now
PATIENCE_SECONDS = 30.0
PYTHON = "/usr/bin/python3"  # one that any user may run


class House:
    """A client with its spawner, and short ways to run things under it."""

    def __init__(
        self,
        folder: Path,
        *,
        cgroup: bool = True,
        memory_folders: tuple[Path, ...] = (),
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        self.folder = folder
        self.tag = tag_of(str(folder))
        self.log = folder.parent / f"{folder.name}.log"
        self._cgroup = cgroup
        self._memory_folders = memory_folders
        self._idle_seconds = idle_seconds
        self._woken = asyncio.Event()
        self.client = self.new_client()

    def new_client(self) -> SpawnerClient:
        """Another client of the same spawner, as a restarted engine has."""
        return SpawnerClient(
            self.folder,
            task_user="nobody",
            clock=lambda: NOW,
            wake=self._woken.set,
            cgroup=self._cgroup,
            memory_folders=self._memory_folders,
            idle_seconds=self._idle_seconds,
        )

    def order(self, key: str, *argv: str, **more: Any) -> TaskOrder:
        """An order with a minute of time."""
        values: dict[str, Any] = {
            "env": {},
            "log_path": str(self.log),
            "task": 0,
            "attempt": 0,
            "timeout_seconds": 60.0,
            **more,
        }
        return TaskOrder(key=key, argv=argv, **values)

    async def start(self, key: str, *argv: str, **more: Any) -> None:
        """Start a task that was not started before."""
        assert await self.client.spawn(self.order(key, *argv, **more))

    async def run(self, *argv: str, key: str = "task", **more: Any) -> TaskEnd:
        """Start a task, await its end, acknowledge it."""
        await self.start(key, *argv, **more)
        end = await self.end(key)
        await self.client.forget([key])
        return end

    async def shell(self, script: str, *, key: str = "task", **more: Any) -> TaskEnd:
        """Run a shell script."""
        return await self.run("/bin/sh", "-c", script, key=key, **more)

    async def end(self, key: str) -> TaskEnd:
        """The end of `key`, awaited."""
        return (await self.all_ends([key]))[key]

    async def all_ends(self, keys: list[str]) -> dict[str, TaskEnd]:
        """The ends of all `keys`, awaited."""

        async def arrived() -> dict[str, TaskEnd] | None:
            ends = {end.key: end for end in await self.client.ends()}
            return ends if ends.keys() >= set(keys) else None

        async with asyncio.timeout(PATIENCE_SECONDS):
            while (ends := await arrived()) is None:
                self._woken.clear()
                if (ends := await arrived()) is not None:
                    break
                await self._woken.wait()
        return {key: ends[key] for key in keys}

    def entries(self, task: int | None = None) -> list[dict[str, Any]]:
        """The log so far. Every line of it must be whole."""
        lines = self.log.read_bytes().split(b"\n") if self.log.exists() else [b""]
        assert lines.pop() == b""
        found: list[dict[str, Any]] = []
        for line in lines:
            entry = decode(line)
            assert entry is not None, line[:200]
            found.append(entry)
        return [entry for entry in found if task is None or entry["k"] == task]

    def texts(self, stream: str = "o") -> list[str]:
        """The texts of one stream of the log."""
        return [entry["m"] for entry in self.entries() if entry["s"] == stream]

    async def printed(self, text: str) -> None:
        """Until a line of the log has this text."""
        await until(lambda: text in self.texts())

    def alive(self) -> list[int]:
        """The processes of its tasks."""
        return [pid for pid, _ in processes.tagged(self.tag)]

    def memory_folder(self) -> Path:
        """Where secret files and empty folders of its tasks lie."""
        return Path(self.client.abilities.memory_files)

    def work_folder(self) -> Path:
        """Where the working folders of its tasks lie."""
        return Path(self.client._settings.work)

    def homes(self) -> list[Path]:
        """What the spawner itself has outside its folder."""
        groups = [Path(each) for each in self.client._hello["subtree"]]
        memory = [self.memory_folder()] if self.client.abilities.memory_files else []
        return [*memory, self.work_folder(), *groups]

    def left_behind(self) -> list[str]:
        """Processes, folders and groups of its tasks that are still there."""
        found = [f"process {pid}" for pid in self.alive()]
        for folder in (self.memory_folder(), self.work_folder()):
            found += [str(each) for each in folder.iterdir()] if folder.is_dir() else []
        for subtree in self.client._hello.get("subtree", ()):
            inside = Path(subtree).iterdir() if Path(subtree).is_dir() else iter(())
            found += [str(each) for each in inside if each.is_dir() and each.name != "home"]
        return found


@contextlib.asynccontextmanager
async def house(folder: Path, *, cgroup: bool = True) -> AsyncIterator[House]:
    """A started spawner; at the end it is gone, with everything of its tasks."""
    made = House(folder / "spawner", cgroup=cgroup)
    await made.client.start()
    try:
        yield made
        assert (folder / "spawner" / "spawner.err").read_text() == ""
    finally:
        pid = made.client.pid
        await made.client.close(stop=True, kill=True)
        assert processes.look(pid) is None
        assert made.left_behind() == []
        assert [str(each) for each in made.homes() if each.exists()] == []


def inside(test: Callable[[], Awaitable[None]]) -> None:
    """Run an async test to its end."""
    asyncio.run(_patiently(test))


async def _patiently(test: Callable[[], Awaitable[None]]) -> None:
    async with asyncio.timeout(2 * PATIENCE_SECONDS):
        await test()


async def until(holds: Callable[[], bool]) -> None:
    """Until something in the world outside holds that sends no signal (a file, a process)."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not holds():  # noqa: ASYNC110 - files and /proc send no signal
            await asyncio.sleep(0.01)


async def gone(pid: int) -> None:
    """Until the process `pid` is dead."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(handle, over.set)
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await over.wait()
    finally:
        loop.remove_reader(handle)
        os.close(handle)
