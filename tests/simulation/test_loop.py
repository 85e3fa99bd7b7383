"""That a world's loop waits for nothing, and says when nothing goes on by itself."""

from __future__ import annotations

import asyncio

import pytest

from tests.simulation.loop import move_time, quiet, run


def test_quiet_is_when_everything_waits_however_many_turns_it_takes() -> None:
    async def world() -> list[str]:
        gate, seen = asyncio.Event(), []

        async def work() -> None:
            for _ in range(40):
                await asyncio.sleep(0)
            seen.append("waits")
            await gate.wait()
            seen.append("goes on")

        task = asyncio.create_task(work())
        await quiet()
        assert seen == ["waits"]
        gate.set()
        await quiet()
        await task
        return seen

    assert run(world()) == ["waits", "goes on"]


def test_a_timer_does_not_hold_it_up() -> None:
    async def world() -> bool:
        task = asyncio.create_task(asyncio.sleep(3600))
        await quiet()
        return task.done()

    assert run(world()) is False


def test_a_timer_goes_by_the_time_of_the_world() -> None:
    async def world() -> list[bool]:
        task, seen = asyncio.create_task(asyncio.sleep(3600)), []
        await quiet()
        for seconds in (3599.0, 3601.0, 10.0):  # it never goes back
            move_time(seconds)
            await quiet()
            seen.append(task.done())
        return seen

    assert run(world()) == [False, True, True]


def test_a_world_in_which_all_wait_for_each_other_ends_with_an_error() -> None:
    async def world() -> None:
        await asyncio.Event().wait()

    with pytest.raises(RuntimeError, match="nothing can go on"):
        run(world())
