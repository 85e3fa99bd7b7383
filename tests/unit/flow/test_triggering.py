"""How triggers follow the jobs in force."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from runyard.flow.triggering import MANIFEST, Wanted, follow, paused
from runyard.model.errors import Refused
from runyard.model.ids import RunId
from runyard.model.run import TriggerKind
from runyard.model.trigger.instant import Fate, Instant
from runyard.model.trigger.row import Trigger, TriggerState
from tests.support.runs import NOW

JOB = ("shop", "local", "report")
HOURLY = Wanted("hourly", TriggerKind.SCHEDULE, {"schedule": "@hourly"})
DAILY = replace(HOURLY, document={"schedule": "@daily"})
LATER = NOW + timedelta(hours=1)


def one(wanted: Wanted = HOURLY, *rows: Trigger) -> Trigger:
    (row,) = follow(JOB, [wanted], rows, LATER if rows else NOW).puts
    return row


def test_a_new_one_is_looked_at_at_once() -> None:
    row = one()
    assert row.path == "shop/local/report/hourly"
    assert (row.state, row.next_at, row.since, row.version) == (
        TriggerState.ENABLED,
        NOW,
        NOW,
        1,
    )


def test_what_did_not_change_goes_on() -> None:
    row = replace(one(), next_instant=LATER, failures=2)
    assert follow(JOB, [HOURLY], [row], LATER).puts == ()


def test_a_change_is_reckoned_anew_and_counts_no_old_failures() -> None:
    row = replace(one(), next_instant=LATER + timedelta(hours=1), next_at=None, failures=2)
    after = one(DAILY, row)
    assert (after.since, after.next_at, after.next_instant) == (LATER, LATER, None)
    assert (after.failures, after.version, after.document) == (0, 2, DAILY.document)
    assert one(replace(HOURLY, kind=TriggerKind.EVENT), row).kind is TriggerKind.EVENT


def test_what_is_due_when_it_is_changed_or_dropped_is_kept_as_missed() -> None:
    row = replace(one(), next_instant=NOW, next_at=NOW)
    for wanted in ([DAILY], []):
        (record,) = follow(JOB, wanted, [row], LATER).records
        assert (record.fate, record.at, record.trigger) == (Fate.MISSED, NOW, row.path)
    assert follow(JOB, [], [row], LATER).drops == (row,)
    assert follow(JOB, [], [replace(row, next_instant=None)], LATER).records == ()
    assert follow(JOB, [], [replace(row, next_at=LATER + timedelta(days=1))], LATER).records == ()


def test_a_person_s_pause_outlasts_a_change_and_the_manifest_s_does_not() -> None:
    off = replace(HOURLY, enabled=False, document={"enabled": False})
    by_manifest = one(off)
    assert (by_manifest.state, by_manifest.said_by, by_manifest.next_at) == (
        TriggerState.PAUSED,
        MANIFEST,
        None,
    )
    assert one(HOURLY, by_manifest).state is TriggerState.ENABLED
    by_ann = paused(one(), "ann", "moving", NOW)
    after = one(DAILY, by_ann)
    assert (after.state, after.said_by, after.next_at) == (TriggerState.PAUSED, "ann", None)


NEW = Trigger(*JOB, "hourly", TriggerKind.SCHEDULE, HOURLY.document, NOW, next_at=NOW)


def test_a_pause_says_who_when_and_why_and_its_end_says_none_of_it() -> None:
    by_manifest: dict[str, Any] = {"said_by": MANIFEST, "reason": "enabled is false"}
    rests = replace(NEW, state=TriggerState.PAUSED, next_at=None)
    off = replace(HOURLY, enabled=False, document={"enabled": False})
    assert one(off) == replace(rests, said_at=NOW, **by_manifest)
    after = one(off, NEW)
    assert after == replace(rests, since=LATER, said_at=LATER, version=2, **by_manifest)
    assert one(HOURLY, after) == replace(NEW, since=LATER, next_at=LATER, version=3)
    by_ann: dict[str, Any] = {"said_by": "ann", "said_at": LATER, "reason": "moving"}
    told = paused(NEW, "ann", "moving", LATER)
    assert told == replace(rests, version=2, **by_ann)
    again = one(DAILY, replace(told, next_instant=LATER))
    assert again == replace(told, since=LATER, version=3)


def test_what_a_chain_had_waited_for_is_forgotten_with_its_change() -> None:
    waits = replace(NEW, ended=(("x", RunId("run_x")),), last_instant=NOW)
    assert one(DAILY, waits) == replace(
        NEW, since=LATER, next_at=LATER, last_instant=NOW, version=2
    )


def test_what_is_due_at_the_instant_of_its_change_is_missed_with_the_reason() -> None:
    row = replace(one(), next_instant=LATER, next_at=LATER)
    words = "its trigger was changed before its turn came"
    assert follow(JOB, [], [row], LATER).records == (
        Instant(row.path, LATER, Fate.MISSED, LATER, words),
    )


@pytest.mark.parametrize("state", [TriggerState.PAUSED, TriggerState.ENDED])
def test_what_rests_cannot_be_paused(state: TriggerState) -> None:
    with pytest.raises(Refused, match=f"is {state} already"):
        paused(replace(one(), state=state), "ann", "", NOW)


def test_what_waits_for_somebody_outside_is_never_due() -> None:
    row = one(Wanted("push", TriggerKind.WEBHOOK, {"webhook": {}}))
    assert (row.state, row.next_at) == (TriggerState.ENABLED, None)
