"""What a plan says of triggers: added, changed, gone, and what each means."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import pytest

from runyard.flow.differences import differences
from runyard.flow.planning import Action
from runyard.flow.risks import risk
from runyard.flow.trigger_changes import FROM_THEN, GONE, TriggerChange, month_runs, trigger_changes
from runyard.model.trigger.spec import KINDS
from runyard.model.validation import read
from runyard.model.zones import ANY_ZONE, ZoneBook
from tests.support.manifests import Json, make_job, read_job

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
ZONES = ZoneBook(ZoneInfo, available_timezones)
BERLIN = "Europe/Berlin"
NIGHTLY: Json = {"name": "nightly", "schedule": "30 2 * * *", "timeZone": BERLIN}


def document(*triggers: Json, **beside: Any) -> Json:
    return read_job(make_job(triggers=list(triggers), **beside)).document()


def changes(before: Json | None, after: Json | None) -> list[TriggerChange]:
    return trigger_changes(before, after, ZONES, NOW)


def words(**trigger: Any) -> tuple[str, ...]:
    [found] = changes(None, document({"schedule": "0 9 * * *", **trigger}))
    return found.words


def test_a_new_trigger_is_told_with_its_instants_and_the_next_change_of_clocks() -> None:
    [found] = changes(None, document(NIGHTLY))
    assert (found.name, found.kind, found.action) == ("nightly", "schedule", Action.CREATE)
    assert found.says == "30 2 * * * in Europe/Berlin"
    assert [at.isoformat() for at in found.instants] == [
        "2026-11-27T02:30:00+01:00", "2026-11-28T02:30:00+01:00", "2026-11-29T02:30:00+01:00",
    ]  # fmt: skip
    assert found.words == (
        "An instant is skipped while a run of it is under way.",
        "Of missed instants the latest is made up for, if it is not older than 1 d.",
        "On 2027-03-28 clocks go forward from 02:00 to 03:00: 02:30 does not exist and runs once, "
        "at the end of the gap; from then on each instant is 1 h earlier in UTC.",
    )


def test_clocks_that_go_back() -> None:
    [found] = trigger_changes(None, document(NIGHTLY), ZONES, datetime(2026, 7, 1, tzinfo=UTC))
    assert found.words[-1] == (
        "On 2026-10-25 clocks go back from 03:00 to 02:00: 02:30 comes twice and runs the first "
        "time; from then on each instant is 1 h later in UTC."
    )


def test_a_time_that_no_change_of_clocks_touches_moves_in_utc() -> None:
    assert words(timeZone=BERLIN)[-1] == (
        "On 2027-03-28 clocks go forward from 02:00 to 03:00: from then on each instant is 1 h "
        "earlier in UTC."
    )


@pytest.mark.parametrize(
    "trigger", [{"timeZone": "UTC"}, {"schedule": "*/15 * * * *", "timeZone": BERLIN}]
)
def test_what_no_change_of_clocks_moves(trigger: Json) -> None:
    assert not any("clocks" in sentence for sentence in words(**trigger))


# fmt: off
POLICIES: list[tuple[Json, str]] = [
    ({"overlap": "allow"}, "An instant runs side by side with one that is under way."),
    ({"overlap": "queue"}, "An instant waits for a run of it that is under way."),
    ({"overlap": "cancel_running"},
     "An instant cancels a run of it that is under way, and takes its place."),
    ({"overlap": "queue_latest"}, "An instant waits for a run of it that is under way; of several "
                                  "that wait only the latest stays."),
    ({"catchUp": "none"}, "Missed instants are not made up for."),
    ({"catchUp": {"all": "6h", "max": 7}, "overlap": "queue"},
     "Missed instants not older than 6 h are made up for, 7 at most."),
    ({"startBy": "90m"}, "One that cannot start within 1 h 30 min is skipped."),
    ({"jitter": "30s"}, "Each starts up to 30 s later, always by the same time."),
    ({"windows": [{"from": "08:00", "to": "18:00"}, {"days": "sat"}]},
     "It has instants only within sun-sat 08:00 to 18:00 and sat 00:00 to 24:00."),
    ({"startAt": "2026-12-01"}, "It has instants only from 2026-12-01."),
    ({"startAt": "2026-12-01", "endAt": "2027-01-01"},
     "It has instants only from 2026-12-01 until 2027-01-01."),
    ({"blackouts": [{"from": "2026-12-24", "to": "2026-12-26"}]},
     "Instants in 1 blackout are skipped."),
    ({"pauseOnFailures": 3}, "It is paused after 3 dead runs in a row."),
]
# fmt: on


@pytest.mark.parametrize(("trigger", "sentence"), POLICIES)
def test_each_policy_is_a_sentence(trigger: Json, sentence: str) -> None:
    assert sentence in words(**trigger)


def test_a_trigger_that_is_not_enabled_has_no_instants() -> None:
    [found] = changes(None, document(NIGHTLY | {"enabled": False}))
    assert found.words == ("It is not enabled, and asks for nothing.",)
    assert found.instants == ()


def test_what_changes_what_goes_and_what_stays() -> None:
    before = document(NIGHTLY, {"schedule": "@daily", "name": "stays"}, {"schedule": "@hourly"})
    after = document(
        NIGHTLY | {"overlap": "queue"},
        {"schedule": "@daily", "name": "stays"},
        {"schedule": "@weekly", "name": "new"},
    )
    found = {one.name: one for one in changes(before, after)}
    assert {name: one.action for name, one in found.items()} == {
        "nightly": Action.UPDATE,
        "stays": Action.UNCHANGED,
        "schedule": Action.DELETE,
        "new": Action.CREATE,
    }
    assert (found["stays"].words, found["stays"].instants) == ((), ())
    assert (found["schedule"].words, found["schedule"].says) == ((GONE,), "@hourly in UTC")
    assert "An instant waits for a run of it that is under way." in found["nightly"].words


def test_a_job_that_goes_takes_its_triggers_along() -> None:
    assert [one.action for one in changes(document(NIGHTLY), None)] == [Action.DELETE]
    assert changes(None, None) == []


def test_a_trigger_of_a_zone_that_is_not_here_has_no_words() -> None:
    after = document(NIGHTLY | {"timeZone": "Nowhere/Land"})
    [found] = changes(None, after)
    assert (found.action, found.words, found.instants) == (Action.CREATE, (), ())
    assert (
        month_runs(read_job(make_job(triggers=[NIGHTLY | {"timeZone": "No/Land"}])), ZONES, NOW)
        is None
    )


@pytest.mark.parametrize(
    ("trigger", "says"),
    [
        ({"event": {"topic": "orders"}}, "each message of orders"),
        ({"event": {"topic": "orders", "type": "sold", "source": "/shop/*"}},
         "each message of orders (type sold, source /shop/*)"),
        ({"after": {"job": "orders"}}, "after orders (succeeded)"),
        ({"after": {"all": ["orders", "stock"]}}, "after all of orders and stock (succeeded)"),
        ({"after": {"any": ["orders", "stock"], "on": "dead"}},
         "after any of orders and stock (dead)"),
        ({"absence": {"of": {"job": "orders"}, "within": "26h"}, "do": "alert"},
         "alert when there was no end of orders (succeeded) for 1 d 2 h"),
    ],
)  # fmt: skip
def test_what_follows_jobs_says_which(trigger: Json, says: str) -> None:
    spec, _ = read(KINDS[next(iter(trigger))], trigger)
    assert spec is not None
    [found] = changes(None, {"triggers": [spec.document()]})
    assert found.says == says


def test_an_event_of_other_messages_begins_anew() -> None:
    event = {"event": {"topic": "orders"}, "enabled": True}
    [new] = changes(None, {"triggers": [event]})
    [other] = changes({"triggers": [event]}, {"triggers": [event | {"event": {"topic": "mails"}}]})
    [same] = changes({"triggers": [event]}, {"triggers": [event | {"enabled": False}]})
    assert (new.words, other.words, same.words) == ((FROM_THEN,), (FROM_THEN,), ())


def test_what_is_no_trigger_here_is_named_all_the_same() -> None:
    after = {"triggers": [{"name": "later", "beacon": {}}]}
    [found] = trigger_changes(None, after, ANY_ZONE, NOW)
    assert (found.name, found.kind, found.words) == ("later", "", ())


def test_triggers_are_compared_by_their_names() -> None:
    before = document(NIGHTLY, {"schedule": "@daily", "name": "other"})
    after = document({"schedule": "@daily", "name": "other"}, NIGHTLY | {"overlap": "allow"})
    [found] = differences(before, after)
    assert (found.path, found.before, found.after) == ("triggers[nightly].overlap", "skip", "allow")


@pytest.mark.parametrize(
    ("overlap", "why"),
    [
        ("allow", "runs of it may then be out at the same time that could not before"),
        ("cancel_running", "an instant then cancels the run of the one before, which is under way"),
        ("queue", ""),
    ],
)
def test_what_lets_runs_come_together_is_unsafe(overlap: str, why: str) -> None:
    [found] = differences(document(NIGHTLY), document(NIGHTLY | {"overlap": overlap}))
    assert risk(found.steps, found.before, found.after) == why


# fmt: off
MONTHS: list[tuple[Json, int]] = [
    ({"schedule": "0 9 * * *"}, 30),
    ({"schedule": "0 9 * * 1-5"}, 21),  # from Friday the 27th to Friday the 25th
    ({"schedule": "0 9 1 * *"}, 1),
    ({"schedule": "every 1h"}, 719),  # the one at the end is outside
    ({"schedule": "0 9 * * *", "enabled": False}, 0),
    ({"schedule": "0 9 * * *", "startAt": "2027-01-01"}, 0),
    ({"schedule": "0 9 * * *", "endAt": "2026-11-01"}, 0),
    ({"schedule": "0 9 * * *", "startAt": "2026-12-24"}, 3),
    ({"schedule": "0 9 * * *", "endAt": "2026-12-01"}, 4),
    ({"schedule": "0 9 * * *", "blackouts": [{"from": "2026-12-24", "to": "2026-12-26"}]}, 27),
    ({"schedule": "0 9 * * *", "blackouts": [{"from": "2026-12-24T00:00:00Z",
                                              "to": "2026-12-25T08:00:00Z"}]}, 29),
    ({"schedule": "* * * * *"}, 30 * 1440),
    ({"schedule": "* * * * 1-5"}, 22 * 1440),  # by days, the first and the last half
    ({"schedule": "* * * * *", "windows": [{"from": "08:00", "to": "18:00"}]}, 30 * 600),
    ({"schedule": "every 1m", "windows": [{"from": "22:00", "to": "06:00"}]}, 30 * 480),
    ({"schedule": "every 1s"}, 30 * 86400),
    ({"schedule": "* * * * *", "blackouts": [{"from": "2026-12-01", "to": "2026-12-03"},
                                             {"from": "2026-12-02", "to": "2026-12-02"},
                                             {"from": "2027-12-02", "to": "2027-12-02"}]},
     27 * 1440),
]
# fmt: on


@pytest.mark.parametrize(("trigger", "count"), MONTHS)
def test_a_months_runs_are_counted(trigger: Json, count: int) -> None:
    assert month_runs(read_job(make_job(triggers=[trigger])), ZONES, NOW) == count


def test_a_months_runs_are_those_of_its_zone() -> None:
    """Midnight of the 27th in Auckland is in the 30 days, that of UTC is not."""
    there = {"schedule": "0 0 27 12 *", "timeZone": "Pacific/Auckland"}
    assert month_runs(read_job(make_job(triggers=[there])), ZONES, NOW) == 1
    here = {"schedule": "0 0 27 12 *"}
    assert month_runs(read_job(make_job(triggers=[here])), ZONES, NOW) == 0


def test_triggers_of_a_job_add_up() -> None:
    two = [{"schedule": "0 9 * * *"}, {"schedule": "0 10 * * *"}]
    assert month_runs(read_job(make_job(triggers=two)), ZONES, NOW) == 60
    assert month_runs(read_job(make_job()), ZONES, NOW) is None


def test_a_webhook_says_who_calls_it() -> None:
    hook = {"name": "push", "webhook": {"kind": "github", "secret": "s"}}
    [found] = changes(None, document(hook))
    assert (found.kind, found.says, found.words) == ("webhook", "webhook of github", ())
