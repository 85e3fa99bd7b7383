"""Runs that wait for something, on a real database: who is to be looked at, who goes on."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from runyard.database.port import Tx
from runyard.engine.waits import WaitsLoop, reach
from runyard.gate.resuming import GoOn
from runyard.model.errors import IllegalTransition, NotFound, ProviderUnavailable
from runyard.model.event import CancelRequested, Ended
from runyard.model.ids import RunId
from runyard.model.outcome import Ending, Outcome
from runyard.model.run import Run, State
from runyard.provider.port_access import Identity
from tests.support.databases import Grounds
from tests.support.fake_jobs import FakeAccess
from tests.support.gates import Yard, in_yard
from tests.support.runs import make_outcome, make_spec

DECLARED = {"network": {}, "capacity": {}, "permission": {"wait": "10m"}, "application": {}}
SPEC = make_spec(
    recovery=DECLARED,
    needs={"egress": ["db.internal:5432", "[::1]:6379"]},
    retry={"backoff": {"initial": "1s", "jitter": "none"}},
)
LINES = {
    State.AWAITING_NETWORK: "ConnectionRefusedError: [Errno 111] Connection refused",
    State.AWAITING_CAPACITY: "429 RESOURCE_EXHAUSTED: Quota exceeded for quota metric",
    State.AWAITING_PERMISSION: "PERMISSION_DENIED: it may not",
    State.AWAITING_FIX: "ValueError: no such column",
}


def failed(state: State) -> Outcome:
    outcome = make_outcome(Ending.FAILED)
    task = replace(outcome.failures[0], last_lines=(LINES[state],))
    return replace(outcome, failures=(task,))


async def waiting(yard: Yard, state: State) -> Run:
    """A run of the job that waits."""
    await yard.apply(SPEC)
    run = await yard.tell(await yard.request(), Ended(1, failed(state)))
    assert run.state is state
    return run


class Peers:
    """Peers of which some are away; what was asked for is kept."""

    def __init__(self, *away: str) -> None:
        self.away = set(away)
        self.asked: list[tuple[str, int]] = []

    async def reach(self, host: str, port: int) -> str:
        """See `engine.waits.reach`."""
        self.asked.append((host, port))
        return f"{host} is away" if host in self.away else ""


def loop(yard: Yard, peers: Peers | None = None, access: FakeAccess | None = None) -> WaitsLoop:
    found = (peers or Peers()).reach
    return WaitsLoop(yard.gate, yard.database, yard.store, access or FakeAccess(), found)


async def next_look(yard: Yard) -> datetime | None:
    async def work(tx: Tx) -> datetime | None:
        return await yard.store.runs.next_look(tx)

    return await yard.database.read(work)


def test_a_run_waits_until_all_its_peers_can_be_reached(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        run = await waiting(yard, State.AWAITING_NETWORK)
        peers = Peers("db.internal")
        waits = loop(yard, peers)
        assert await waits.tick(yard.now) == yard.now + timedelta(seconds=1)
        assert peers.asked == []  # its first pause is not over
        for pause in (1, 2, 4):
            yard.later(pause)
            await waits.tick(yard.now)
        after = await yard.run(run.id)
        assert after.awaiting is not None
        assert (after.state, after.awaiting.looks) == (State.AWAITING_NETWORK, 3)
        assert after.awaiting.words == "db.internal is away"
        assert peers.asked[:2] == [("db.internal", 5432), ("::1", 6379)]
        assert await next_look(yard) == yard.now + timedelta(seconds=8)
        peers.away.clear()
        yard.later(8)
        assert await waits.tick(yard.now) is None
        after = await yard.run(run.id)
        assert (after.state, after.due_at) == (State.BACKING_OFF, yard.now)
        kinds = [fact.kind for fact in await yard.history(run)]
        assert kinds[-4:] == ["looked", "looked", "looked", "restored"]
        assert yard.committed[-1].runs_may_be_due
        assert not yard.committed[-1].runs_await

    in_yard(scene, grounds)


def test_a_run_waits_for_room_in_its_region(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        run = await waiting(yard, State.AWAITING_CAPACITY)
        other = await yard.request()
        yard.later(1)
        await loop(yard).tick(yard.now)
        after = await yard.run(run.id)
        assert after.awaiting is not None
        assert after.awaiting.words == "as many runs are out in us-central1 as may be"
        await yard.tell(other, Ended(1, make_outcome()))
        yard.later(2)
        await loop(yard).tick(yard.now)
        assert (await yard.run(run.id)).state is State.BACKING_OFF

    in_yard(scene, grounds, region_runs_max=1)


def test_a_run_waits_until_its_identity_has_what_it_needs(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        run = await waiting(yard, State.AWAITING_PERMISSION)
        access = FakeAccess(lacks=("it has not roles/x on y", "secret k is disabled"))
        waits = loop(yard, access=access)
        yard.later(1)
        await waits.tick(yard.now)
        after = await yard.run(run.id)
        assert after.awaiting is not None
        assert after.awaiting.words == "it has not roles/x on y; secret k is disabled"
        access.lacks = ()
        yard.later(2)
        await waits.tick(yard.now)
        assert (await yard.run(run.id)).state is State.BACKING_OFF

    in_yard(scene, grounds)


class Silent(FakeAccess):
    """A provider that does not answer."""

    async def missing(self, identity: Identity) -> tuple[str, ...]:
        """See `Access.missing`."""
        raise ProviderUnavailable(f"nobody knows of {identity.job}")


def test_what_nobody_knows_is_not_there_and_its_time_ends(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        run = await waiting(yard, State.AWAITING_PERMISSION)
        yard.later(601)
        await loop(yard, access=Silent()).tick(yard.now)
        after = await yard.run(run.id)
        assert after.state is State.DEAD
        assert after.reason.endswith("by recovery.permission.wait: nobody knows of report)")

    in_yard(scene, grounds)


def test_a_run_that_waits_to_be_mended_goes_on_with_the_newer_revision(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        run = await waiting(yard, State.AWAITING_FIX)
        yard.later(5)
        await loop(yard).tick(yard.now)
        assert (await yard.run(run.id)).state is State.AWAITING_FIX
        with pytest.raises(IllegalTransition, match="waits for a revision after 1"):
            await yard.gate.ask(GoOn(run.id, yard.now))
        await yard.apply(SPEC.model_copy(update={"priority": 7}))
        await loop(yard).tick(yard.now)
        after = await yard.run(run.id)
        assert (after.state, after.revision) == (State.BACKING_OFF, 2)
        fact = (await yard.history(run))[-1]
        assert (fact.kind, fact.data["words"]) == ("restored", "revision 2 is in force")

    in_yard(scene, grounds)


def test_a_job_of_the_same_name_in_another_project_mends_nothing(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        run = await waiting(yard, State.AWAITING_FIX)
        for attempts in (2, 3):
            await yard.apply(make_spec(project="toys", retry={"attempts": attempts}))
        with pytest.raises(IllegalTransition, match="waits for a revision after 1"):
            await yard.gate.ask(GoOn(run.id, yard.now))
        assert (await yard.run(run.id)).state is State.AWAITING_FIX

    in_yard(scene, grounds)


def test_who_says_that_a_job_is_mended_is_kept_with_the_newer_revision(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        run = await waiting(yard, State.AWAITING_FIX)
        await yard.apply(SPEC.model_copy(update={"priority": 7}))
        after = await yard.gate.ask(GoOn(run.id, yard.now, "I mended it", "ann"))
        assert after.revision == 2
        fact = (await yard.history(run))[-1]
        assert (fact.data["by"], fact.data["words"]) == ("ann", "I mended it")

    in_yard(scene, grounds)


def test_a_mended_job_is_asked_for_when_its_time_is_over(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        run = await waiting(yard, State.AWAITING_FIX)
        yard.later(48 * 3600)
        await loop(yard).tick(yard.now)
        after = await yard.run(run.id)
        assert after.state is State.DEAD
        assert after.reason.endswith("wait: no revision after 1 is in force)")

    in_yard(scene, grounds)


@pytest.mark.parametrize("state", list(LINES))
def test_somebody_may_say_that_it_is_there(state: State, grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        run = await waiting(yard, state)
        after = await yard.gate.ask(GoOn(run.id, yard.now, "I looked", "ann"))
        assert (after.state, after.revision) == (State.BACKING_OFF, 1)
        fact = (await yard.history(run))[-1]
        assert (fact.data["by"], fact.data["words"]) == ("ann", "I looked")
        with pytest.raises(IllegalTransition, match="waits for nothing"):
            await yard.gate.ask(GoOn(run.id, yard.now, "", "ann"))
        with pytest.raises(NotFound):
            await yard.gate.ask(GoOn(RunId("run_0"), yard.now, "", "ann"))

    in_yard(scene, grounds)


def test_a_job_that_is_gone_mends_nothing(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        run = await waiting(yard, State.AWAITING_FIX)
        [job] = await yard.database.read(lambda tx: yard.store.jobs.named(tx, "local", "report"))
        await yard.database.write(lambda tx: yard.store.jobs.drop(tx, [job.key]))
        with pytest.raises(IllegalTransition, match="waits for a revision after 1"):
            await yard.gate.ask(GoOn(run.id, yard.now))
        after = await yard.gate.ask(GoOn(run.id, yard.now, "", "ann"))
        assert after.revision == 1
        await yard.tell(run, CancelRequested("ann"))
        assert await next_look(yard) is None

    in_yard(scene, grounds)


def test_two_who_look_at_once_are_one_look(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        run = await waiting(yard, State.AWAITING_NETWORK)
        yard.later(1)
        peers = Peers("db.internal")
        await asyncio.gather(*(loop(yard, peers).tick(yard.now) for _ in range(2)))
        after = await yard.run(run.id)
        assert after.awaiting is not None
        assert after.awaiting.looks == 1

    in_yard(scene, grounds)


def test_a_peer_is_reached_by_a_connection_that_sends_nothing() -> None:
    async def scene() -> None:
        heard: list[bytes] = []
        over = asyncio.Event()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            heard.append(await reader.read())
            writer.close()
            over.set()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        assert await reach("127.0.0.1", port) == ""
        await over.wait()
        assert heard == [b""]
        server.close()
        await server.wait_closed()
        assert "cannot be reached: " in await reach("127.0.0.1", port)
        assert await reach("127.0.0.1", port, 0) == f"127.0.0.1:{port} did not answer in 0 s"

    asyncio.run(scene())
