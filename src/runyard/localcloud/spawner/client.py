"""The engine's side of the spawner: finds it, starts it, starts it again, and talks to it.

What the spawner keeps while we are away (running tasks, ends) is found again by connecting; what
a spawner that died has left is cleared away by the next one before it serves (`server.leftovers`).
"""

from __future__ import annotations

import asyncio
import logging
import os
import stat
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from runyard.localcloud.spawner.channel import Channel, Message, connect
from runyard.localcloud.spawner.launch import (
    IDLE_SECONDS,
    launch,
    remove_emptied,
    settings_for,
)
from runyard.localcloud.spawner.port import Abilities, TaskEnd, TaskOrder, Wake
from runyard.localcloud.spawner.server.main import BUSY, READY
from runyard.localcloud.spawner.wire import abilities_from, end_from, lost_end, order_message
from runyard.model.errors import ProviderUnavailable

_log = logging.getLogger(__name__)
_BUSY_TRIES = 200  #: while another process starts the spawner of the same folder
_BUSY_SECONDS = 0.05
_AGAIN_SECONDS = (0.2, 1.0, 5.0, 30.0)  #: between tries to start it again by ourselves
_END_SECONDS = 10.0
_NOBODY_YET = Abilities("", "the spawner was not started yet", "", "", "")


class SpawnerClient:
    """The `Spawner` of this machine. All calls are for one event loop.

    `folder` is made with mode 0700 and is the spawner's identity: one spawner a folder. Under root
    tasks run as `task_user`; under any other user as that user. `wake` is called from the loop
    whenever `ends` has something new. `work_folder`: parent of working folders, which `task_user`
    must be able to reach. `memory_folders`: where to look for a memory filesystem.
    `idle_seconds`: a spawner without client, task and unsaved end goes after so long.
    """

    abilities: Abilities
    instance: str

    def __init__(
        self,
        folder: Path,
        *,
        task_user: str,
        clock: Callable[[], datetime],
        wake: Wake,
        cgroup: bool = True,
        work_folder: Path | None = None,
        memory_folders: tuple[Path, ...] = (),
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        self.abilities = _NOBODY_YET
        self.instance = ""
        self._folder = folder
        settings = settings_for(folder, task_user, work_folder, memory_folders)
        self._settings = replace(settings, cgroup=cgroup, idle_seconds=idle_seconds)
        self._clock = clock
        self._wake = wake
        self._channel: Channel | None = None
        self._hello: Message = {}
        self._ends: dict[str, TaskEnd] = {}
        self._starting = asyncio.Lock()
        self._restarting: asyncio.Task[None] | None = None
        self._is_closed = False

    @property
    def pid(self) -> int:
        """The process id of the spawner we are connected to; 0 before `start`."""
        return int(self._hello.get("pid", 0))

    # -- the port --------------------------------------------------------------------------------

    async def start(self) -> None:
        """See the port."""
        self._is_closed = False
        await self._connected()

    async def close(self, *, stop: bool = False, kill: bool = False) -> None:
        """See the port. A stopped spawner without tasks is gone when this returns.

        `kill` beside `stop`: its tasks are killed first, without grace.
        """
        self._is_closed = True
        if self._restarting:
            self._restarting.cancel()
            with suppress(asyncio.CancelledError):
                await self._restarting
            self._restarting = None
        if stop:
            await self._end(kill=kill)
        if self._channel:
            self._channel.close()
            self._channel = None

    async def spawn(self, order: TaskOrder) -> bool:
        """See the port. The log is opened here: tasks have no way to it."""
        channel = await self._connected()
        log = _open_log(order.log_path)
        answer = await channel.ask("spawn", log, order=order_message(order))
        return bool(answer["started"])

    async def stop(self, key: str) -> None:
        """See the port."""
        await (await self._connected()).ask("stop", key=key)

    async def running(self) -> list[str]:
        """See the port."""
        return list((await (await self._connected()).ask("running"))["keys"])

    async def ends(self) -> list[TaskEnd]:
        """See the port."""
        await self._connected()
        return list(self._ends.values())

    async def forget(self, keys: list[str]) -> None:
        """See the port."""
        await (await self._connected()).ask("forget", keys=keys)
        for key in keys:
            self._ends.pop(key, None)

    async def lost(self, keys: list[str]) -> list[TaskEnd]:
        """See the port. Includes those that `ends` already tells as lost."""
        running = set(await self.running())
        now = self._clock()
        found = []
        for key in keys:
            end = self._ends.get(key)
            if end is None and key not in running:
                found.append(lost_end(key, now))
            elif end is not None and end.lost:
                found.append(end)
        return found

    # -- connecting ------------------------------------------------------------------------------

    async def _connected(self) -> Channel:
        if self._channel and self._channel.is_open:
            return self._channel
        if self._is_closed:
            raise ProviderUnavailable("the spawner's client is closed")
        async with self._starting:
            if not (self._channel and self._channel.is_open):
                self._channel = await self._connect_or_launch()
            return self._channel

    async def _connect_or_launch(self) -> Channel:
        _make_private(self._folder)
        for _ in range(_BUSY_TRIES):
            channel = await self._connect()
            if channel:
                return channel
            said = await asyncio.to_thread(launch, self._settings)
            if said == BUSY:  # another process is just bringing it up
                await asyncio.sleep(_BUSY_SECONDS)
            elif said != READY:
                raise ProviderUnavailable(
                    f"the spawner cannot start: {said}", hint="run `runyard doctor`"
                )
        raise ProviderUnavailable(f"another spawner holds {self._folder} and does not answer")

    async def _connect(self) -> Channel | None:
        """A channel to a living spawner with our settings; None if there is none to be had."""
        peer = connect(self._folder)
        if peer is None:
            return None
        self._ends = {}
        channel = Channel(peer, self._heard, self._went_away)
        try:
            self._hello = await channel.hello()
            await channel.ask("stay")  # it may have been told to end after its last task
            known = await channel.ask("ends")
            running = await channel.ask("running")
        except ProviderUnavailable:
            channel.close()
            return None
        if self._hello["settings"] != self._settings.text() and not running["keys"]:
            await self._ask_to_end(channel)  # nobody uses it: another one as we want it
            channel.close()
            return None
        self._ends.update({end["key"]: end_from(end) for end in known["ends"]})
        self.abilities = abilities_from(self._hello)
        self.instance = self._hello["instance"]
        if self._ends:
            self._wake()
        return channel

    def _heard(self, message: Message) -> None:
        if "end" in message:
            end = end_from(message["end"])
            self._ends[end.key] = end
            self._wake()

    def _went_away(self) -> None:
        """It died. Bring up another one, which will tell what was lost."""
        if not self._is_closed and self._restarting is None and not self._starting.locked():
            self._restarting = asyncio.get_running_loop().create_task(self._start_again())

    async def _start_again(self) -> None:
        _log.warning("spawner %d went away; another one is started", self.pid)
        try:
            for seconds in (*_AGAIN_SECONDS, None):
                try:
                    await self._connected()
                    break
                except ProviderUnavailable as error:
                    if seconds is None:  # the next call of ours tries again
                        self.abilities = Abilities("", error.message, "", "", "")
                        break
                    await asyncio.sleep(seconds)
        finally:
            self._restarting = None
        self._wake()

    # -- ending ----------------------------------------------------------------------------------

    async def _end(self, *, kill: bool) -> None:
        """Tell a living spawner to end; with none there is nothing to tell."""
        channel = self._channel
        if channel is None or not channel.is_open:
            channel = await self._connect()
        if channel:
            await self._ask_to_end(channel, kill=kill)
            channel.close()

    async def _ask_to_end(self, channel: Channel, *, kill: bool = False) -> None:
        over = asyncio.Event()
        try:
            handle = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return
        loop = asyncio.get_running_loop()
        loop.add_reader(handle, over.set)
        try:
            with suppress(ProviderUnavailable):
                answer = await channel.ask("end", kill=kill)
                if answer["running"] and not kill:
                    return
            with suppress(TimeoutError):
                async with asyncio.timeout(_END_SECONDS):
                    await over.wait()
        finally:
            loop.remove_reader(handle)
            os.close(handle)
        homes = [f"{folder}/home" for folder in self._hello["subtree"]]
        remove_emptied([*homes, *self._hello["subtree"], self._settings.work])


def _make_private(folder: Path) -> None:
    """Raises ProviderUnavailable."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = folder.stat()
        if status.st_uid != os.geteuid():
            raise ProviderUnavailable(f"{folder} belongs to another user")
        if stat.S_IMODE(status.st_mode) != 0o700:
            folder.chmod(0o700)
    except OSError as error:
        raise ProviderUnavailable(f"{folder}: {error.strerror}") from None


def _open_log(path: str) -> int:
    """Open for appending, after ending a line that was torn. Raises ProviderUnavailable."""
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NOCTTY
    try:
        log = os.open(path, flags, 0o600)
    except OSError as error:
        raise ProviderUnavailable(f"log {path}: {error.strerror}") from None
    with suppress(OSError):
        size = os.fstat(log).st_size
        if size and os.pread(log, 1, size - 1) != b"\n":
            os.write(log, b"\n")
    return log
