"""What operations that delete promise, and how what was deleted is had back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from runyard.gate.operating import Purge
from runyard.model.errors import (
    NotFound,
    ProviderRefused,
    Refused,
)
from runyard.model.event import Ended
from runyard.model.operation import (
    OperationState,
)
from runyard.model.run import State
from runyard.model.trigger.instant import Fate
from tests.contract.test_triggers import fire, instants, row, scheduled
from tests.support.databases import Grounds
from tests.support.gates import Yard, in_yard
from tests.support.operations import GRACE_SECONDS, Site
from tests.support.runs import make_outcome, make_spec

US, EUROPE = "us-central1", "europe-west1"
BOTH: dict[str, Any] = {"regions": [US, EUROPE], "placement": "all"}


def test_a_deleted_job_is_gone_everywhere_and_can_be_had_back(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        site = Site(yard)
        await site.put(make_spec(**BOTH))
        begun = await site.delete("report")
        with pytest.raises(Refused, match="is being deleted by ann"):
            await yard.request()
        gone = await site.done(begun)
        touched = [what for result in gone.results for what in result.touched]
        assert ("job", f"report in {EUROPE}") in touched
        assert (await site.job(), site.jobs.jobs) == (None, {})
        (buried,) = await site.deleted()
        assert buried.purge_at == yard.now + timedelta(seconds=GRACE_SECONDS)
        back = await site.done(await site.undelete("report"))
        assert back.state is OperationState.COMPLETE
        row = await site.job()
        assert row is not None
        assert (row.revision, await site.deleted()) == (1, [])
        assert len(site.jobs.jobs) == 2
        with pytest.raises(Refused, match="nothing is to be had back"):
            await site.undelete("report")

    in_yard(scene, grounds)


def test_a_job_that_is_not_there_cannot_be_deleted(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        with pytest.raises(NotFound, match="there is no job report in environment local"):
            await Site(yard).delete("report")

    in_yard(scene, grounds)


def test_a_delete_that_fails_leaves_the_job_as_it_was(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        site = Site(yard)
        await site.put(make_spec(**BOTH))
        site.jobs.fails = [None, ProviderRefused("no")]
        after = await site.done(await site.delete("report"))
        assert (after.state, len(site.jobs.jobs)) == ("undone", 2)
        assert (await yard.request()).state is State.LAUNCHING
        assert await site.deleted() == []

    in_yard(scene, grounds)


def test_a_job_with_active_runs_is_deleted_only_by_force(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        site = Site(yard)
        await site.put(make_spec())
        run = await yard.request()
        with pytest.raises(Refused, match=f"job report: {run.id} has not ended"):
            await site.delete("report")
        begun = await site.delete("report", forced=True, reason="it is wrong")
        handed = [one for one in site.handed() if one.run == ""]
        await site.carry(handed[0])
        assert (await yard.run(run.id)).state is State.STOPPING
        assert begun.operation is not None
        assert (await site.operation(begun.operation.id)).trouble == "1 runs have not ended yet"
        await yard.tell(run, Ended(1, make_outcome()))
        yard.later(1)
        await site.carry(handed[0])
        assert (await site.done(begun)).state is OperationState.COMPLETE

    in_yard(scene, grounds)


def test_a_job_made_anew_goes_on_counting_and_takes_the_place_of_the_deleted(
    grounds: Grounds,
) -> None:
    async def scene(yard: Yard) -> None:
        site = Site(yard)
        await site.put(make_spec())
        await site.put(make_spec(priority=1))
        await site.done(await site.delete("report"))
        await site.put(make_spec(priority=2))
        row = await site.job()
        assert row is not None
        assert (row.revision, await site.deleted()) == (3, [])

    in_yard(scene, grounds)


def test_what_was_deleted_is_purged_when_its_time_is_over(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        site = Site(yard)
        await site.put(make_spec())
        await site.done(await site.delete("report"))
        gone = await site.deleted()
        await yard.gate.ask(Purge(tuple(gone), (), yard.now))
        with pytest.raises(NotFound, match="its time to be had back is over"):
            await site.undelete("report")
        await site.put(make_spec())
        row = await site.job()
        assert row is not None
        assert row.revision == 2  # what an engine knows of revision 1 is of another job
        await yard.gate.ask(Purge(tuple(gone), (), yard.now))
        assert await site.job() is not None

    in_yard(scene, grounds)


def test_the_triggers_of_a_deleted_job_go_with_it_and_come_back_with_it(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        site = Site(yard)
        await site.put(scheduled())
        await fire(yard)
        yard.later(3600)
        begun = await site.delete("report")
        assert await row(yard) is not None  # until it is done
        await site.done(begun)
        assert await row(yard) is None
        (lost,) = await instants(yard)
        assert (lost.fate, lost.at, lost.decided_at) == (Fate.MISSED, yard.now, yard.now)
        await site.done(await site.undelete("report"))
        back = await row(yard)
        assert back is not None
        assert (back.since, back.next_at) == (yard.now, yard.now)

    in_yard(scene, grounds)
