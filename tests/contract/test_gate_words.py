"""What the gate says of what is not there, and what to do next."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from runyard.gate.alerting import EndSilence
from runyard.gate.dead_letters import Discard
from runyard.gate.delivering import Take
from runyard.gate.door import Command
from runyard.gate.remedying import PauseTriggers, Remedy, Wanted
from runyard.gate.replaying import BeginReplay, CancelReplay, ReplayOne
from runyard.gate.resuming import GoOn
from runyard.model.alert import IncidentId, SilenceId
from runyard.model.dead_letter import Replay, ReplayHow, ReplayId
from runyard.model.delivery import Delivery
from runyard.model.errors import CallerError, NotFound, Refused
from runyard.model.event import Due
from runyard.model.ids import DeliveryId, RunId
from runyard.model.incident import RemedyAction
from runyard.model.principal import Caller
from tests.support.databases import Grounds
from tests.support.gates import Yard, in_yard

ANN = Caller("ann", ())
LETTERS = "list them with `runyard dead-letters`"
REPLAYS = "list them with `runyard dead-letters replays`"
SIXTY = "r" * 60
Asked = Callable[[Yard], Command[Any]]


def discard(run: str) -> Asked:
    return lambda yard: Discard(ANN, RunId(run), "", yard.now)


def replay(run: str) -> Asked:
    return lambda yard: ReplayOne(ANN, RunId(run), ReplayHow(), yard.now, yard.new_id)


def cancel(number: str) -> Asked:
    return lambda yard: CancelReplay(ANN, ReplayId(number), "", yard.now)


def begin(yard: Yard) -> Command[Any]:
    row = Replay(ReplayId("rp_1"), "local", "some", ReplayHow(), "ann", yard.now, 0)
    return BeginReplay(ANN, row, [RunId("run_0")], yard.now)


def remedy(yard: Yard) -> Command[Any]:
    wanted = Wanted(IncidentId("inc_9"), RemedyAction.PAUSE, ANN)
    return Remedy(wanted, PauseTriggers([], ANN, "", yard.now), lambda _: None, yard.now, ZoneInfo)


def take(yard: Yard) -> Command[Any]:
    now: datetime = yard.now
    brought = Delivery(DeliveryId("dlv_1"), "local", "shop/local/x/webhook", "", now, now)
    return Take(("shop", "local", "x", "webhook"), brought, {}, b"", now, yard.new_id)


@pytest.mark.parametrize(
    ("asked", "kind", "message", "hint"),
    [
        (lambda yard: GoOn(RunId("run_0"), yard.now), NotFound, "there is no run run_0",
         "list runs with `runyard runs`"),
        (discard("run_0"), NotFound, "there is no dead letter run_0", LETTERS),
        (replay("run_0"), NotFound, "there is no dead letter run_0", LETTERS),
        (replay("a\n"), NotFound, "there is no dead letter with this id", LETTERS),
        (replay(SIXTY), NotFound, f"there is no dead letter {SIXTY}", LETTERS),
        (replay(f"{SIXTY}r"), NotFound, "there is no dead letter with this id", LETTERS),
        (cancel("rp_9"), NotFound, "there is no replay rp_9", REPLAYS),
        (cancel("a\n"), NotFound, "there is no replay with this id", REPLAYS),
        (cancel(SIXTY), NotFound, f"there is no replay {SIXTY}", REPLAYS),
        (cancel(f"{SIXTY}r"), NotFound, "there is no replay with this id", REPLAYS),
        (begin, Refused, "no open dead letter is meant",
         "`runyard dead-letters list` shows those that are"),
        (lambda yard: EndSilence(ANN, SilenceId("sil_9"), yard.now, ZoneInfo), NotFound,
         "there is no silence sil_9", "`runyard alerts silences` lists them"),
        (remedy, NotFound, "there is no incident inc_9", "list them with `runyard incidents`"),
        (take, NotFound, "there is no such webhook", ""),
    ],
)  # fmt: skip
def test_what_is_not_there(
    grounds: Grounds, asked: Asked, kind: type[CallerError], message: str, hint: str
) -> None:
    async def scene(yard: Yard) -> None:
        with pytest.raises(kind) as caught:
            await yard.gate.ask(asked(yard))
        assert (caught.value.message, caught.value.hint) == (message, hint)

    in_yard(scene, grounds)


def test_a_run_that_is_told_something_is_not_there(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        with pytest.raises(NotFound) as caught:
            await yard.gate.tell(RunId("run_0"), Due(), yard.now)
        said = (caught.value.message, caught.value.hint)
        assert said == ("there is no run run_0", "list runs with `runyard runs`")

    in_yard(scene, grounds)
