"""Who may do what: roles, tokens that leave something out, guards, exceptions to them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runyard.flow.access import (
    CHANGING,
    GUARDED,
    PERMISSIONS,
    SOMEWHERE,
    Ground,
    Permission,
    approvals_needed,
    beyond,
    check,
    fits_within,
    may,
    may_approve,
    role_in,
    visible,
)
from runyard.model.errors import PermissionDenied
from runyard.model.ids import ExceptionId
from runyard.model.policy import Frozen, GuardException, Guards
from runyard.model.principal import ANYWHERE, Caller, Grant, Role, Scope
from tests.support.runs import NOW

NAMES = ("dev", "prod")
grants = st.lists(
    st.builds(Grant, st.sampled_from(Role), st.sampled_from((*NAMES, ANYWHERE))), max_size=3
).map(tuple)
scopes = st.builds(
    Scope,
    st.sampled_from(Role),
    st.lists(st.sampled_from((*NAMES, ANYWHERE)), min_size=1, max_size=2).map(tuple),
)
callers = st.builds(Caller, st.just("ann"), grants, scopes)
places = st.sampled_from((*NAMES, ANYWHERE, SOMEWHERE))


def ann(*roles: str, ceiling: Role = Role.ADMIN, scope: tuple[str, ...] = (ANYWHERE,)) -> Caller:
    """Ann with `role` or `role@environment`."""
    found = []
    for text in roles:
        role, _, environment = text.partition("@")
        found.append(Grant(Role(role), environment or ANYWHERE))
    return Caller("ann", tuple(found), Scope(ceiling, scope))


def exception(by: str = "ann") -> GuardException:
    """An exception for an hour."""
    hour = NOW + timedelta(hours=1)
    return GuardException(ExceptionId("exc_1"), "prod", by, "it burns", NOW, hour)


def test_every_permission_has_a_role() -> None:
    assert set(PERMISSIONS) == set(Permission)
    assert all(PERMISSIONS[one].rank >= Role.OPERATOR.rank for one in GUARDED)


@pytest.mark.parametrize("permission", Permission)
def test_each_role_may_what_the_one_before_it_may(permission: Permission) -> None:
    allowed = [may(ann(role), permission, "dev", NOW).allowed for role in Role]
    assert allowed == sorted(allowed)
    assert allowed[-1]


@pytest.mark.parametrize(
    ("caller", "place", "role"),
    [
        (ann(), "dev", None),
        (ann("viewer"), "dev", Role.VIEWER),
        (ann("viewer", "admin@dev"), "dev", Role.ADMIN),
        (ann("viewer", "admin@dev"), "prod", Role.VIEWER),
        (ann("viewer", "admin@dev"), ANYWHERE, Role.VIEWER),
        (ann("viewer", "admin@dev"), SOMEWHERE, Role.ADMIN),
        (ann("admin@dev"), ANYWHERE, None),
        (ann("admin@dev"), SOMEWHERE, Role.ADMIN),
        (ann("admin", ceiling=Role.OPERATOR), "dev", Role.OPERATOR),
        (ann("viewer", ceiling=Role.OPERATOR), "dev", Role.VIEWER),
        (ann("admin", scope=("dev",)), "dev", Role.ADMIN),
        (ann("admin", scope=("dev",)), "prod", None),
        (ann("admin", scope=("dev",)), ANYWHERE, None),
        (ann("admin", scope=("dev",)), SOMEWHERE, Role.ADMIN),
        (ann("admin@prod", scope=("dev",)), SOMEWHERE, None),
    ],
)
def test_a_role_is_what_grants_give_and_a_token_leaves(
    caller: Caller, place: str, role: Role | None
) -> None:
    assert role_in(caller, place) is role


@given(callers, places)
def test_a_token_only_takes_away(caller: Caller, place: str) -> None:
    with_it, without = role_in(caller, place), role_in(replace(caller, scope=Scope()), place)
    if with_it is not None:
        assert without is not None
        assert with_it.rank <= without.rank


@given(callers)
def test_who_has_a_role_everywhere_has_it_in_each(caller: Caller) -> None:
    everywhere = role_in(caller, ANYWHERE)
    for name in NAMES:
        here, somewhere = role_in(caller, name), role_in(caller, SOMEWHERE)
        if everywhere is not None:
            assert here is not None
            assert here.rank >= everywhere.rank
        if here is not None:
            assert somewhere is not None
            assert somewhere.rank >= here.rank


@given(callers)
def test_what_is_visible_is_where_there_is_a_role(caller: Caller) -> None:
    seen = visible(caller)
    for name in (*NAMES, "later"):
        assert (role_in(caller, name) is not None) == (seen is None or name in seen)


@given(callers, st.sampled_from(Role), scopes)
def test_no_token_comes_of_one_that_may_less(caller: Caller, ceiling: Role, wanted: Scope) -> None:
    if not fits_within(caller, ceiling, wanted.environments):
        return
    made = replace(caller, scope=Scope(ceiling, wanted.environments))
    for place in (*NAMES, ANYWHERE, "later"):
        new, old = role_in(made, place), role_in(caller, place)
        if new is not None:
            assert old is not None
            assert new.rank <= old.rank


def test_a_token_may_make_one_like_itself() -> None:
    caller = ann("admin", ceiling=Role.OPERATOR, scope=("dev",))
    assert fits_within(caller, Role.OPERATOR, ("dev",))
    assert not fits_within(caller, Role.ADMIN, ("dev",))
    assert not fits_within(caller, Role.VIEWER, ("prod",))
    assert not fits_within(caller, Role.VIEWER, (ANYWHERE,))


def test_a_refusal_says_who_you_are_what_is_missing_and_who_could_give_it() -> None:
    verdict = may(ann("viewer"), Permission.JOBS_CHANGE, "prod", NOW)
    assert verdict.why == (
        "you are ann, and your role in environment prod is viewer: jobs.change needs operator"
    )
    assert verdict.hint == "an admin can give it: `runyard users grant ann operator@prod`"
    nothing = may(ann(), Permission.RUNS_READ, SOMEWHERE, NOW)
    assert nothing.why.startswith("you are ann, and you have no role in any environment")
    assert nothing.hint.endswith("grant ann viewer`")
    everywhere = may(ann("viewer"), Permission.PRINCIPALS_CHANGE, ANYWHERE, NOW)
    assert "in every environment is viewer" in everywhere.why


def test_a_refusal_says_when_it_is_only_the_token() -> None:
    for grant in ("admin", "operator", "operator@prod"):
        verdict = may(ann(grant, ceiling=Role.VIEWER), Permission.RUNS_START, "prod", NOW)
        assert verdict.allowed is False
        assert "which this token leaves out" in verdict.why
    elsewhere = may(ann("admin@dev", ceiling=Role.VIEWER), Permission.RUNS_START, "prod", NOW)
    assert "leaves out" not in elsewhere.why
    verdict = may(ann("admin", ceiling=Role.VIEWER), Permission.RUNS_START, "prod", NOW)
    assert verdict.why.endswith("runs.start needs operator, which this token leaves out")
    assert "runyard tokens" in verdict.hint


def test_check_raises_the_verdict() -> None:
    check(ann("viewer"), Permission.RUNS_READ, "prod", NOW)
    with pytest.raises(PermissionDenied, match=r"runs\.start needs operator") as refused:
        check(ann("viewer"), Permission.RUNS_START, "prod", NOW)
    assert refused.value.hint


FREEZE = Guards(frozen=Frozen("the year's end", "2027-01-02T00:00Z"))


def test_check_looks_at_guards_and_at_the_time() -> None:
    frozen = Ground(FREEZE, (exception(),))
    check(ann("operator"), Permission.JOBS_CHANGE, "prod", NOW, frozen)
    late = NOW + timedelta(hours=1)
    with pytest.raises(PermissionDenied, match="prod is frozen until"):
        check(ann("operator"), Permission.JOBS_CHANGE, "prod", late, frozen)


@pytest.mark.parametrize("permission", Permission)
def test_a_freeze_holds_up_changes_and_nothing_else(permission: Permission) -> None:
    verdict = may(ann("admin"), permission, "prod", NOW, Ground(FREEZE))
    assert verdict.allowed == (permission not in CHANGING)
    if not verdict.allowed:
        assert verdict.why.startswith("prod is frozen until 2027-01-02T00:00Z (the year's end)")
        assert "break-glass prod" in verdict.hint


def test_only_those_who_are_named_may() -> None:
    guards = Guards(changers=("bob", "eve"), runners=("eve",), approvers=("bob",))
    change = may(ann("admin"), Permission.JOBS_CHANGE, "prod", NOW, Ground(guards))
    assert (change.allowed, change.hint) == (False, "ask one of them: bob, eve")
    assert change.why == "you are ann, who is not among those who may change prod"
    start = may(ann("admin"), Permission.RUNS_START, "prod", NOW, Ground(guards))
    assert "run things in prod" in start.why
    nobody = Ground(Guards(changers=()))
    verdict = may(ann("admin"), Permission.JOBS_CHANGE, "prod", NOW, nobody)
    assert verdict.hint == "there is nobody who may"
    eve = replace(ann("operator"), name="eve")
    assert may(eve, Permission.JOBS_CHANGE, "prod", NOW, Ground(guards)).allowed
    assert may(eve, Permission.RUNS_START, "prod", NOW, Ground(guards)).allowed
    approve = may_approve(eve, "bob", "prod", NOW, Ground(guards))
    assert (approve.allowed, approve.why) == (
        False,
        "you are eve, who is not among those who may agree to changes of prod",
    )
    assert may_approve(replace(eve, name="bob"), "eve", "prod", NOW, Ground(guards)).allowed


def test_an_exception_lifts_guards_for_who_opened_it_and_only_while_it_is_open() -> None:
    guards = Guards(approvals=2, frozen=FREEZE.frozen, changers=("bob",))
    ground = Ground(guards, (exception(),))
    assert may(ann("operator"), Permission.JOBS_CHANGE, "prod", NOW, ground).allowed
    assert not may(ann("viewer"), Permission.JOBS_CHANGE, "prod", NOW, ground).allowed
    assert approvals_needed(ann("operator"), ground, NOW) == 0
    late = NOW + timedelta(hours=1)
    assert not may(ann("operator"), Permission.JOBS_CHANGE, "prod", late, ground).allowed
    assert approvals_needed(ann("operator"), ground, late) == 2
    of_bob = Ground(guards, (exception("bob"),))
    assert not may(ann("operator"), Permission.JOBS_CHANGE, "prod", NOW, of_bob).allowed
    closed = Ground(guards, (replace(exception(), closed_at=NOW, closed_by="bob"),))
    assert not may(ann("operator"), Permission.JOBS_CHANGE, "prod", NOW, closed).allowed


def test_nobody_agrees_to_what_they_asked_for_themselves() -> None:
    own = may_approve(ann("admin"), "ann", "prod", NOW)
    assert own.allowed is False
    assert own.hint == "ask another operator or admin of prod"
    assert own.why == "you are ann, who asked for this; somebody else has to agree to it"
    named = may_approve(ann("admin"), "ann", "prod", NOW, Ground(Guards(approvers=("bob", "eve"))))
    assert named.hint == "ask one of bob, eve"
    assert may_approve(ann("operator"), "bob", "prod", NOW).allowed
    assert may_approve(ann("operator@prod"), "bob", "prod", NOW).allowed
    assert not may_approve(ann("operator@dev"), "bob", "prod", NOW).allowed
    assert not may_approve(ann("viewer"), "bob", "prod", NOW).allowed


def test_nobody_gives_what_they_do_not_rule() -> None:
    wanted = (Grant(Role.VIEWER, "dev"), Grant(Role.VIEWER, "prod"), Grant(Role.VIEWER))
    assert beyond(ann("admin@dev"), wanted) == wanted[1:]
    assert beyond(ann("admin"), wanted) == ()
    assert beyond(ann("admin", scope=("prod",)), wanted) == (wanted[0], wanted[2])
    assert beyond(ann("operator"), wanted) == wanted
