"""The spawner is killed again and again under load: lost, doubled, orphaned, left behind: none."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

from runyard.localcloud.spawner.port import SecretFile
from runyard.model.errors import ProviderUnavailable
from tests.support.spawner import House, gone, house, inside

ROUNDS, TASKS = 6, 24
_SCRIPT = (
    'echo "$0"; (setsid sleep 1000 &); echo x > file; [ -f "$RUNYARD_MOUNT_ROOT/pw" ] || exit 99;'
    " exec sleep 0.0{tenths}"
)


@pytest.mark.parametrize("cgroup", [True, False])
def test_whatever_the_moment_everything_is_accounted_for(tmp_path: Path, cgroup: bool) -> None:
    async def story() -> None:
        async with house(tmp_path, cgroup=cgroup) as made:
            accepted: list[str] = []
            for number in range(ROUNDS):
                pid = made.client.pid
                keys = [f"r{number}-{index}" for index in range(TASKS)]
                starting = [asyncio.ensure_future(_start(made, key)) for key in keys]
                for task in starting[: number * TASKS // ROUNDS]:
                    await task  # die ever later in the round
                os.kill(pid, signal.SIGKILL)
                await gone(pid)
                accepted += [key for key in await asyncio.gather(*starting) if key]
                await made.client.start()
                assert made.client.pid != pid
            ends = await made.all_ends(accepted)
            assert all(end.lost or end.exit_code == 0 for end in ends.values()), ends
            assert any(end.lost for end in ends.values())
            assert all(end.left == () for end in ends.values())
            started = made.texts()
            assert len(started) == len(set(started))
            assert await made.client.running() == []
            assert made.left_behind() == []
            assert {end.key for end in await made.client.ends()} >= set(accepted)

    inside(story)


async def _start(made: House, key: str) -> str:
    """The key if the start was acknowledged; empty if nobody knows."""
    script = _SCRIPT.format(tenths=len(key) % 5)
    files = (SecretFile("/pw", b"secret"),)
    try:
        order = made.order(key, "/bin/sh", "-c", script, key, files=files)
        return key if await made.client.spawn(order) else ""
    except ProviderUnavailable:
        return ""
