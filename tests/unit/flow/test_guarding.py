"""Guards at an instant, from what environments say."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from runyard.flow.guarding import guards_at
from runyard.model.environment import Allow, Environment, Freeze
from runyard.model.policy import NO_GUARDS, Frozen, Guards

FRIDAY = datetime(2026, 11, 27, 18, 0, tzinfo=UTC)
WEEKLY = Freeze.model_validate(
    {"from": "fri 16:00", "until": "mon 08:00", "timeZone": "Europe/Berlin", "reason": "weekend"}
)
ONCE = Freeze.model_validate({"from": "2026-11-27T00:00:00Z", "until": "2026-11-28T00:00:00Z"})


def test_an_environment_that_says_nothing_has_no_guards() -> None:
    assert guards_at([], FRIDAY, ZoneInfo) == NO_GUARDS
    assert guards_at([Environment()], FRIDAY, ZoneInfo) == NO_GUARDS


def test_what_it_says_holds() -> None:
    allow = Allow(change=("ann",), run=("bob",), approve=("eve",))
    one = Environment(approvals=2, freeze=(WEEKLY,), allow=allow)
    frozen = Frozen("weekend", "mon 08:00 (Europe/Berlin)")
    assert guards_at([one], FRIDAY, ZoneInfo) == Guards(2, frozen, ("ann",), ("bob",), ("eve",))
    assert guards_at([one], FRIDAY.replace(day=25), ZoneInfo).frozen is None
    once = guards_at([Environment(freeze=(ONCE,))], FRIDAY, ZoneInfo)
    assert once.frozen == Frozen("a freeze", "2026-11-28T00:00:00Z")


def test_several_of_one_name_hold_together() -> None:
    first = Environment(approvals=1, allow=Allow(change=("ann", "bob")))
    second = Environment(approvals=2, allow=Allow(change=("bob", "eve"), run=("eve",)))
    both = guards_at([Environment(), first, second], FRIDAY, ZoneInfo)
    assert both == Guards(2, None, ("bob",), ("eve",), None)
    third = Environment(allow=Allow(change=("eve",)))
    assert guards_at([first, third], FRIDAY, ZoneInfo).changers == ()
