"""What jobs that are to come into force may follow."""

from __future__ import annotations

from typing import Any

from runyard.flow.chain_rules import Wrong, wrong_chains
from runyard.flow.dependants import Dependant, followers_of
from runyard.model.errors import Fault
from runyard.model.run import TriggerKind
from runyard.model.trigger.row import Trigger
from tests.support.runs import NOW

A, B, C = ("shop", "a"), ("shop", "b"), ("shop", "c")


def chain(job: str, *after: str, project: str = "shop") -> Trigger:
    document = {"after": {"any": list(after), "on": "any"}}
    return Trigger(project, "local", job, "chain", TriggerKind.CHAIN, document, NOW)


def wanted(*triggers: dict[str, Any]) -> dict[str, Any]:
    return {"triggers": [{"schedule": "@daily"}, *triggers]}


def test_a_job_must_not_come_after_itself_over_jobs_in_force() -> None:
    rows = [chain("b", "c"), chain("c", "a"), chain("a", "b", project="other")]
    found = wrong_chains({A: wanted({"after": {"job": "b"}})}, rows, [A, B, C])
    path = "triggers[1].after.job"
    words = "a job that does not come after a itself: a after b after c after a"
    assert found == [
        Wrong(A, "would come after itself: a after b after c after a", Fault(path, "b", words))
    ]


def test_what_a_job_follows_now_does_not_count_when_it_changes() -> None:
    rows = [chain("b", "a"), chain("a", "b")]
    assert wrong_chains({B: wanted(), A: wanted({"after": {"all": ["b"]}})}, rows, []) == []
    assert wrong_chains({A: {}}, rows, []) == []


def test_jobs_of_one_manifest_are_looked_at_together() -> None:
    both = {A: wanted({"after": {"all": ["b"]}}), B: wanted({"after": {"any": ["c", "a"]}})}
    (found,) = wrong_chains(both, [], [C])
    assert (found.key, found.fault.path) == (B, "triggers[1].after.any[1]")


def test_what_is_followed_has_to_be_a_job_of_the_project() -> None:
    absence = {"absence": {"of": {"job": "reprot"}, "within": "1h"}}
    one = {A: wanted({"after": {"job": "b"}}, absence)}
    first, second = wrong_chains(one, [], [("other", "b"), ("shop", "report")])
    hint = "apply it first, or in the same manifest"
    assert first == Wrong(
        A,
        "follows b, which is no job",
        Fault("triggers[1].after.job", "b", "a job of project shop", hint),
    )
    assert (second.fault.path, second.fault.hint) == (
        "triggers[2].absence.of.job",
        "did you mean 'report'?",
    )


def test_an_absence_of_events_follows_no_job() -> None:
    absence = {"absence": {"of": {"event": {"topic": "orders"}}, "within": "1h"}}
    assert wrong_chains({A: wanted(absence)}, [], []) == []


def test_triggers_of_other_jobs_would_miss_a_job() -> None:
    triggers = ["shop/local/a/own", "shop/local/b/chain", "other/local/a/chain"]
    assert followers_of(A, triggers) == [
        Dependant("trigger", "b/chain", cascades=False),
        Dependant("trigger", "a/chain", cascades=False),
    ]
