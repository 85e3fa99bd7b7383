"""What one batch takes into alerts, at one instant."""

from __future__ import annotations

from dataclasses import replace
from zoneinfo import ZoneInfo

from runyard.gate.alerting import Observe
from runyard.model.alert import AlertState, Observation
from runyard.model.incident import IncidentState
from runyard.model.notice import Severity
from tests.support.gates import Yard, in_yard
from tests.support.watching import Watch


def test_what_is_over_and_back_at_one_instant_is_another_alert_and_another_incident() -> None:
    async def scene(yard: Yard) -> None:
        watch = Watch(yard)
        await watch.begin()
        seen = Observation(
            fingerprint="job/local/shop/report/dead",
            group="job/local/shop/report",
            seen=True,
            environment="local",
            project="shop",
            job="report",
            rule="dead",
            severity=Severity.ERROR,
            title="report is dead",
        )
        over = replace(seen, seen=False, reason="it succeeded")
        await yard.gate.ask(Observe((seen, over, seen), yard.now, ZoneInfo))
        states = [one.state for one in await watch.alerts()]
        assert sorted(states) == [AlertState.FIRING, AlertState.RESOLVED]
        first, second = sorted(await watch.incidents(), key=lambda one: one.previous)
        assert (first.state, second.state) == (IncidentState.RESOLVED, IncidentState.OPEN)
        assert second.previous == first.id != second.id
        await watch.carry()
        assert sorted(watch.heard()) == ["opened", "opened", "resolved"]

    in_yard(scene)
