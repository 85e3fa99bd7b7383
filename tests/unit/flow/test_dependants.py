"""What would miss a job keeps it from being deleted, unless it goes with it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from runyard.flow.dependants import Dependant, check_dependants
from runyard.model.errors import Fault, Refused

TRIGGER = Dependant("trigger", "nightly")
ALERT = Dependant("alert", "late", cascades=False)


@pytest.mark.parametrize(("found", "cascade"), [([], False), ([], True), ([TRIGGER], True)])
def test_a_job_that_nothing_misses_may_go(found: Sequence[Dependant], cascade: bool) -> None:
    check_dependants("report", found, cascade=cascade)


@pytest.mark.parametrize(
    ("found", "cascade", "listed", "hint"),
    [
        ([TRIGGER], False, "trigger nightly", "delete them first, or use --cascade"),
        ([ALERT], False, "alert late", "delete them first"),
        ([TRIGGER, ALERT], False, "trigger nightly, alert late", "delete them first"),
        ([TRIGGER, ALERT], True, "alert late", "delete them first"),
    ],
)
def test_what_would_miss_it_is_named_with_what_to_do(
    found: Sequence[Dependant], cascade: bool, listed: str, hint: str
) -> None:
    with pytest.raises(Refused) as refused:
        check_dependants("report", found, cascade=cascade)
    assert refused.value.message == f"job report cannot be deleted: {listed} depend on it"
    assert refused.value.hint == hint
    assert refused.value.faults == tuple(
        Fault("jobs.report", "", f"nothing that depends on it, and {one} does")
        for one in listed.split(", ")
    )
