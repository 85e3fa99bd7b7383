"""What a gate's settings mean for rows that were written under others."""

from __future__ import annotations

from runyard.gate.door import Gate, GateSettings
from runyard.model.event import Ended
from runyard.model.run import State
from tests.support.databases import Grounds
from tests.support.gates import Yard, in_yard
from tests.support.runs import make_outcome, make_spec


def test_a_region_has_the_room_that_its_setting_says_now(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(make_spec())
        first, waiting = await yard.request(), await yard.request()
        assert waiting.waiting_on == "region/local/us-central1"
        yard.gate = Gate(yard.database, yard.store, GateSettings("me", 2))
        third = await yard.request()
        assert (await yard.run(waiting.id)).state is State.LAUNCHING
        assert third.state is State.QUEUED
        yard.gate = Gate(yard.database, yard.store, GateSettings("me", 1))
        await yard.tell(first, Ended(1, make_outcome()))
        assert (await yard.run(third.id)).state is State.QUEUED
        assert (await yard.slots())["region/local/us-central1"] == (1, 1)

    in_yard(scene, grounds, region_runs_max=1)
