"""What the audit log keeps of operations: that one was begun, what people said to it, and what
became of each job; on every kind of database."""

from __future__ import annotations

from typing import Any

from runyard.gate.operating import TellOperation
from runyard.gate.reserving import Undertake
from runyard.model.audit import AuditEntry, Origin
from runyard.model.errors import ProviderRefused
from runyard.model.operation import (
    Approved,
    CancelAsked,
    Confirmed,
    Declined,
    Operation,
    OperationKind,
    Resumed,
)
from tests.support.databases import Grounds
from tests.support.fake_jobs import plain
from tests.support.gates import Yard, in_yard
from tests.support.operations import WAITS, Site, place, wish
from tests.support.runs import make_spec

ORIGIN = Origin("10.0.0.9", "test", "tok_0")


def kept(operation: Operation, revision: int, **beside: Any) -> dict[str, Any]:
    """A revision of the job as an entry has it."""
    document = plain(make_spec(**beside).document())
    return {"revision": revision, "operation": operation.id, "spec": document}


async def said(yard: Yard, operation: Operation, *events: Any) -> None:
    """People say things to an operation, from elsewhere."""
    for event in events:
        await yard.gate.ask(TellOperation(operation.id, event, yard.now, origin=ORIGIN))


def test_what_was_begun_and_what_became_of_each_job_are_kept(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        site = Site(yard)
        first = await site.put(make_spec(), reason="the first one")
        yard.later(5)
        second = await site.put(make_spec(priority=2), by="bob", forced=True)
        yard.later(5)
        third = await site.done(await site.delete("report", reason="not needed"))
        fourth = await site.done(await site.undelete("report"))

        def begun(of: Operation, job: str, **more: Any) -> AuditEntry:
            return AuditEntry(
                of.requested_at,
                of.requested_by,
                f"operation.{of.kind}",
                f"operation/{of.id}",
                "local",
                after={"jobs": {"shop/report": job}, "unsafe": [], "forced": of.forced},
                **more,
            )

        def became(of: Operation, action: str, **more: Any) -> AuditEntry:
            at, by = of.requested_at, of.requested_by
            return AuditEntry(at, by, action, "job/shop/report", "local", **more)

        one, two = kept(first, 1), kept(second, 2, priority=2)
        assert await yard.entries() == [
            begun(first, "created", reason="the first one"),
            became(first, "job.create", after=one, reason="the first one"),
            begun(second, "updated"),
            became(second, "job.update", before=one | {"operation": second.id}, after=two),
            begun(third, "deleted", reason="not needed"),
            became(third, "job.delete", before=two | {"operation": third.id}, reason="not needed"),
            begun(fourth, "restored"),
            became(fourth, "job.restore", after=two | {"operation": fourth.id}),
        ]

    in_yard(scene, grounds)


def test_what_people_said_is_kept_with_what_came_of_it(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        site = Site(yard)
        await site.put(make_spec("other"))
        site.jobs.jobs[place()] = site.jobs.jobs[place("other")]
        begun = await site.apply(make_spec(), approvals_needed=1)
        operation = begun.operation
        assert operation is not None
        (opened,) = (await yard.entries("operation.apply"))[1:]
        assert opened.after == {
            "jobs": {"shop/report": "created"},
            "unsafe": list(operation.unsafe),
            "forced": False,
        }
        yard.later(3)
        await said(yard, operation, Confirmed("ann"), Approved("bob"), CancelAsked("eve", "wait"))
        site.jobs.fails = [ProviderRefused("no")]
        assert (await site.done(begun)).state == "undone"
        words = [
            (entry.at, entry.by, entry.action, entry.after, entry.reason, entry.origin)
            for entry in await yard.entries()
            if entry.target == f"operation/{operation.id}" and entry.action != "operation.apply"
        ]
        assert words == [
            (yard.now, "ann", "operation.confirm", {"state": "waiting"}, "", ORIGIN),
            (yard.now, "bob", "operation.approve", {"state": "running"}, "", ORIGIN),
            (yard.now, "eve", "operation.cancel", {"state": "stopping"}, "wait", ORIGIN),
        ]
        assert {entry.environment for entry in await yard.entries()} == {"local"}
        assert [entry.target for entry in await yard.entries("job.create")] == ["job/shop/other"]

    in_yard(scene, grounds)


def test_a_no_and_a_resume_are_kept_too(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        site = Site(yard)
        begun = await site.apply(make_spec(), approvals_needed=1)
        assert begun.operation is not None
        await said(yard, begun.operation, Declined("bob", "not today"))
        (no,) = await yard.entries("operation.refuse")
        assert (no.by, no.reason, no.after) == ("bob", "not today", {"state": "undone"})
        begun = await site.apply(make_spec())
        site.jobs.fails = [None, ProviderRefused("no"), ProviderRefused("it will not")]
        stuck = await site.done(begun)
        assert stuck.state == "stuck"
        await said(yard, stuck, Resumed("eve"))
        (resumed,) = await yard.entries("operation.resume")
        assert (resumed.by, resumed.after) == ("eve", {"state": "undoing"})
        assert (await site.done(begun)).state == "undone"
        assert await yard.entries("job.create") == []

    in_yard(scene, grounds)


def test_it_is_kept_from_where_an_operation_was_asked_for(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        site = Site(yard)
        await site.put(make_spec())
        asked = wish(OperationKind.DELETE, yard.now, 1)
        aim = await site.aim("report")
        await yard.gate.ask(Undertake(asked, [aim], WAITS, yard.now, ORIGIN))
        (begun,) = await yard.entries("operation.delete")
        assert begun.origin == ORIGIN

    in_yard(scene, grounds)


def test_a_job_whose_resource_alone_is_mended_is_kept_as_deployed_anew(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        site = Site(yard)
        await site.put(make_spec(), make_spec("other"))
        site.jobs.change(place(), taskCount=7)
        mended = await site.put(make_spec(), make_spec("other"))
        (entry,) = await yard.entries("job.redeploy")
        assert (entry.target, entry.before, entry.after) == (
            "job/shop/report",
            kept(mended, 1),
            kept(mended, 1),
        )

    in_yard(scene, grounds)
