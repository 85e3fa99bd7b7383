"""A job that is overdue is found in time, though most looks pass it by."""

from __future__ import annotations

from datetime import timedelta

from runyard.engine.alerts import EVERY, QUIET_MAX
from tests.support.databases import Grounds
from tests.support.gates import Yard, in_yard
from tests.support.runs import make_spec
from tests.support.watching import Watch

SOON = [{"name": "overdue", "overdue": {"within": "1m"}}]
HOURLY = [{"schedule": "every 1h"}]


def test_what_is_overdue_is_found_at_the_first_look_after_it_is(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        watch = Watch(yard)
        await watch.begin(triggers=HOURLY)
        for _ in range(12):
            await watch.look(EVERY.total_seconds())
        assert await watch.alerts() == []
        await watch.look(timedelta(hours=3).total_seconds())
        (alert,) = await watch.alerts()
        assert alert.rule == "overdue"
        await watch.run(dead=False)
        await watch.look(EVERY.total_seconds())
        assert await watch.alerts("firing") == []

    in_yard(scene, grounds)


def test_a_new_revision_and_a_changed_trigger_are_looked_at_at_once(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        watch = Watch(yard)
        await watch.begin(triggers=[{"schedule": "every 24h"}])
        await watch.look(EVERY.total_seconds())
        (trigger,) = await yard.database.read(
            lambda tx: yard.store.triggers.in_environment(tx, "local")
        )
        watch.loop.changed([trigger])
        await watch.look(EVERY.total_seconds())
        assert await watch.alerts() == []
        await yard.apply(make_spec(triggers=[{"schedule": "every 1m"}], alerts=SOON))
        yard.later(QUIET_MAX.total_seconds() / 2)
        await watch.look(EVERY.total_seconds())
        assert [alert.rule for alert in await watch.alerts()] == ["overdue"]

    in_yard(scene, grounds)
