"""Operations at rest: waiting for people; and how they are listed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from runyard.gate.asking import Apply
from runyard.gate.operating import ExpireOperations, Purge, TellOperation
from runyard.model.errors import NotFound, ProviderRefused, Refused
from runyard.model.ids import OperationId
from runyard.model.instants import to_micros
from runyard.model.operation import (
    Approved,
    CancelAsked,
    Confirmed,
    Declined,
    OperationState,
)
from tests.support.databases import Grounds
from tests.support.gates import Yard, in_yard
from tests.support.operations import Site, place
from tests.support.runs import make_spec

US, EUROPE = "us-central1", "europe-west1"
BOTH: dict[str, Any] = {"regions": [US, EUROPE], "placement": "all"}


def test_what_is_unsafe_waits_until_somebody_confirms_it(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        site = Site(yard)
        await site.put(make_spec("other"))
        site.jobs.jobs[place()] = site.jobs.jobs[place("other")]
        foreign = site.jobs.jobs[place()].template
        begun = await site.apply(make_spec(template=_template("two")))
        assert begun.operation is not None
        assert begun.operation.state is OperationState.WAITING
        assert begun.operation.unsafe == (
            "report is in us-central1 already and not ours: what is there is replaced",
        )
        await site.rest()
        declined = await site.tell(begun.operation, Declined("ann", "no"))
        assert (declined.state, declined.error) == ("undone", "declined by ann: no")
        assert await site.job() is None
        begun = await site.apply(make_spec(template=_template("two")))
        assert begun.operation is not None
        await site.tell(begun.operation, Confirmed("ann"))
        site.jobs.fails = [None, None, ProviderRefused("no")]
        assert (await site.done(begun)).state is OperationState.UNDONE
        assert site.jobs.jobs[place()].template == foreign

    in_yard(scene, grounds)


def test_approvals_are_counted_by_person_and_waiting_ends(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        site = Site(yard)
        begun = await site.apply(make_spec(), approvals_needed=2)
        operation = begun.operation
        assert operation is not None
        await site.tell(operation, Approved("bob"))
        twice = await site.tell(operation, Approved("bob"))
        assert (twice.state, twice.approvals_missing) == ("waiting", 1)
        assert (await site.tell(operation, Approved("eve"))).state is OperationState.RUNNING
        assert (await site.done(begun)).state is OperationState.COMPLETE
        begun = await site.apply(make_spec(priority=1), approvals_needed=1)
        assert await yard.gate.ask(ExpireOperations(yard.now)) == 0
        yard.later(601)
        assert await yard.gate.ask(ExpireOperations(yard.now)) == 1
        after = await site.done(begun)
        assert (after.state, after.error) == ("undone", "nobody said yes in time")
        row = await site.job()
        assert row is not None
        assert (row.revision, row.operation) == (1, "")

    in_yard(scene, grounds)


def test_operations_are_listed_newest_first_by_environment_and_job(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        site = Site(yard)
        for name in ("one", "two", "one"):
            yard.later(1)
            await site.put(make_spec(name, priority=int(yard.now.second % 10)))

        async def pages(limit: int, job: str = "") -> list[list[str]]:
            store = yard.store.operations
            found: list[list[str]] = []
            before: tuple[int, str] | None = None
            while True:
                page = await yard.database.read(
                    lambda tx, at=before: store.page(tx, "local", at, limit, job)  # type: ignore[misc]
                )
                if not page:
                    return found
                found.append([one.jobs[0].name for one in page])
                before = (to_micros(page[-1].requested_at), page[-1].id)

        assert await pages(2) == [["one", "two"], ["one"]]
        assert await pages(5, "two") == [["two"]]
        assert await yard.database.read(yard.store.operations.live_count) == 0
        ended = await yard.database.read(
            lambda tx: yard.store.operations.ended_before(tx, yard.now + timedelta(1), 9)
        )
        assert len(ended) == 3
        await yard.gate.ask(Purge((), tuple(ended), yard.now))
        assert await pages(5) == []

    in_yard(scene, grounds)


def test_what_comes_too_late_or_for_what_is_held_is_refused(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        site = Site(yard)
        nobody = OperationId("op_01m8c5ay38cm5aj3w55ecmdyd3")
        with pytest.raises(NotFound, match="there is no operation") as missing:
            await yard.gate.ask(TellOperation(nobody, CancelAsked("ann"), yard.now))
        assert missing.value.hint == "list them with `runyard operations`"
        begun = await site.apply(make_spec(), approvals_needed=1)
        operation = begun.operation
        assert operation is not None
        late = yard.now + timedelta(days=30)
        cancelled = TellOperation(operation.id, CancelAsked("ann"), late)
        both = await yard.gate.decide_now([cancelled, ExpireOperations(late)])
        assert [getattr(one, "state", one) for one in both.answers] == ["undone", 1]
        held = await site.apply(make_spec())
        assert held.operation is not None
        with pytest.raises(Refused, match=f"is being changed by {held.operation.id}"):
            await yard.gate.ask(Apply([make_spec(priority=1)], "local", "bob", yard.now))

    in_yard(scene, grounds)


def _template(command: str) -> dict[str, object]:
    return {"template": {"containers": [{"image": "busybox", "command": [command]}]}}
