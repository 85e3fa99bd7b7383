"""The watchdog of schedules, on every kind of database."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from runyard.database.port import Tx
from runyard.engine.recheck import EVERY, PAGE, RecheckLoop
from runyard.engine.schedule import ScheduleLoop
from runyard.flow.freezing import Zones
from runyard.gate.rechecking import Recheck
from runyard.model.effect import Announce
from runyard.model.trigger.row import Trigger, TriggerState
from tests.support.databases import Grounds
from tests.support.gates import Yard, in_yard
from tests.support.runs import make_spec

DAILY: dict[str, Any] = {"schedule": "0 9 * * *", "timeZone": "Europe/Lisbon"}


def moved(_: str) -> tzinfo:
    """Data of a zone in which it is an hour later now."""
    return timezone(timedelta(hours=1))


def missing(_: str) -> tzinfo:
    raise KeyError("no such zone")


async def row(yard: Yard, job: str = "report") -> Trigger:
    (found,) = await yard.database.read(
        lambda tx: yard.store.triggers.of_jobs(tx, [("local", job)])
    )
    return found


async def armed(yard: Yard, zones: Zones = ZoneInfo) -> tuple[ScheduleLoop, RecheckLoop]:
    """A daily schedule in force, looked at by the loops of an engine."""
    await yard.apply(make_spec(triggers=[DAILY]))
    schedule = ScheduleLoop(yard.gate, yard.database, yard.store, yard.new_id, zones)
    await schedule.tick(yard.now)
    return schedule, recheck(yard, zones, lambda: schedule.looked_at)


def recheck(
    yard: Yard, zones: Zones = ZoneInfo, looked_at: Callable[[], datetime | None] = lambda: None
) -> RecheckLoop:
    return RecheckLoop(yard.gate, yard.database, yard.store, zones, looked_at)


async def lose(yard: Yard, **changes: Any) -> Trigger:
    """Something that is not of ours wrote the row."""
    lost = (await row(yard)).evolve(**changes)

    async def work(tx: Tx) -> None:
        await yard.store.triggers.put(tx, [lost])

    await yard.database.write(work)
    return lost


def told(yard: Yard) -> list[str]:
    return [one.text for one in yard.effects() if isinstance(one, Announce)]


def play(scene: Callable[[Yard], Awaitable[None]], grounds: Grounds) -> None:
    in_yard(scene, grounds)


def test_what_is_as_it_has_to_be_is_left_alone(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        schedule, watchdog = await armed(yard)
        before = await row(yard)
        for _ in range(3):
            assert await watchdog.tick(yard.now) == yard.now + EVERY
            yard.later(60)
            await schedule.tick(yard.now)
        assert (await row(yard)) == before
        assert told(yard) == []

    play(scene, grounds)


def test_a_schedule_without_an_instant_gets_one_and_people_are_told_once(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        _, watchdog = await armed(yard)
        before = await row(yard)
        await lose(yard, next_at=None)
        await watchdog.tick(yard.now)
        await watchdog.tick(yard.now)
        after = await row(yard)
        assert (after.next_at, after.next_instant) == (before.next_at, before.next_instant)
        (words,) = told(yard)
        assert "had no next instant" in words
        pending = [one for done in yard.committed for one in done.effects]
        (one,) = [one for one in pending if isinstance(one.effect, Announce)]
        assert one.effect == Announce("report: schedule", words)
        assert (one.id, one.due_at) == (after.told_as("watchdog"), yard.now)
        assert one.id.startswith("watchdog/shop/local/report/schedule/")

    play(scene, grounds)


def test_what_the_schedule_loop_passes_over_is_told_after_two_looks(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await armed(yard)
        lost = await lose(yard, next_at=yard.now)
        looked: list[datetime | None] = [None]
        watchdog = recheck(yard, looked_at=lambda: looked[0])
        yard.later(180)
        await watchdog.tick(yard.now)
        await watchdog.tick(yard.now)  # no loop has looked: nothing is proven
        looked[0] = yard.now
        await watchdog.tick(yard.now)
        assert told(yard) == []
        yard.later(60)
        looked[0] = yard.now
        await watchdog.tick(yard.now)
        (words,) = told(yard)
        assert "was not looked at" in words
        after = await row(yard)
        assert (after.next_at, after.next_instant) == (yard.now, lost.next_instant)
        await watchdog.tick(yard.now)
        assert len(told(yard)) == 1

    play(scene, grounds)


def test_an_engine_that_starts_reckons_by_the_zones_of_today(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await armed(yard)
        before = await row(yard)
        assert before.next_at is not None
        await recheck(yard, moved).tick(yard.now)
        assert (await row(yard)).next_at == before.next_at - timedelta(hours=1)
        assert told(yard) == []

    play(scene, grounds)


def test_what_lacked_its_zone_goes_on_within_an_hour(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await armed(yard, missing)
        assert (await row(yard)).state is TriggerState.BROKEN
        zones: list[Zones] = [missing]
        watchdog = recheck(yard, lambda name: zones[0](name))
        await watchdog.tick(yard.now)
        zones[0] = ZoneInfo
        yard.later(60)
        await watchdog.tick(yard.now)
        assert (await row(yard)).state is TriggerState.BROKEN
        yard.later(3600)
        await watchdog.tick(yard.now)
        after = await row(yard)
        assert (after.state, after.reason) == (TriggerState.ENABLED, "")
        assert after.next_at is not None
        assert after.next_at > yard.now

    play(scene, grounds)


def test_all_schedules_are_reckoned_page_by_page(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        names = [f"job-{number:03}" for number in range(PAGE + 1)]
        await yard.apply(*(make_spec(name, triggers=[DAILY]) for name in names))
        schedule = ScheduleLoop(yard.gate, yard.database, yard.store, yard.new_id, ZoneInfo)
        await schedule.tick(yard.now)
        before = (await row(yard, names[-1])).next_at
        await recheck(yard, moved).tick(yard.now)
        for name in (names[0], names[-1]):
            assert (await row(yard, name)).next_at != before

    play(scene, grounds)


def test_what_changed_since_it_was_found_is_left_alone(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await armed(yard)
        found = await lose(yard, next_at=None)
        await lose(yard, state=TriggerState.PAUSED)
        assert await yard.gate.ask(Recheck([found], yard.now, ZoneInfo, late=[found])) == 0
        assert (await row(yard)).state is TriggerState.PAUSED
        newer = await lose(yard, state=TriggerState.ENABLED, version=found.version + 1)
        assert await yard.gate.ask(Recheck([found], yard.now, ZoneInfo)) == 0
        assert (await row(yard)).next_at is None
        assert await yard.gate.ask(Recheck([newer], yard.now, ZoneInfo)) == 1

    play(scene, grounds)
