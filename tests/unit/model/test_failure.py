"""Failures and rules of jobs: what patterns are taken, and that rows give back what they were."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest

from runyard.model.errors import InvalidSpec
from runyard.model.failure import Failure, FailureClass, FailureRule, Shortage, pattern_fault
from tests.support.runs import make_spec


@pytest.mark.parametrize(
    "pattern",
    ["ORA-[0-9]{5}.*timeout", "a*b+", "[*+]{3}", r"\*+\+", "(?:a|b)c?", "[]*+]x", r"a\{2}", "a{2}"],
)
def test_patterns_that_are_cheap_are_taken(pattern: str) -> None:
    assert pattern_fault(pattern) == ""


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("(", "does not compile"),
        ("(a+)+", "repeats a group"),
        ("(?=a)", "looks around"),
        ("(?i)a", "sets a flag"),
        (r"(a)\1", "looks around or back"),
        ("a*b*c*", "more than 2"),
        ("a?" * 7, "more than 6"),
        ("(a|a)" * 7, "more than 6"),
        ("a{1,3000}", "more than 100"),
    ],
)
def test_patterns_that_may_take_long_are_refused(pattern: str, words: str) -> None:
    assert words in pattern_fault(pattern)


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"match": {}, "class": "network"}, "at least one of exit_code"),
        ({"match": {"log": ""}, "class": "network"}, "a regular expression"),
        ({"match": {"log": "(a+)+"}, "class": "network"}, "repeats a group"),
        ({"match": {"exit_code": 256}, "class": "network"}, "from 0 to 255"),
        ({"match": {"signal": 9}, "class": "odd"}, "one of timeout, permission"),
    ],
)
def test_a_rule_that_is_none_is_refused_in_words(rule: object, words: str) -> None:
    with pytest.raises(InvalidSpec) as refused:
        make_spec(failures=[rule])
    assert words in " ".join(map(str, refused.value.faults))


def test_a_rule_goes_to_the_run_as_it_was_written() -> None:
    match = {"exit_code": 7, "signal": 9, "log": "ORA-[0-9]+", "reason": "CANCELLED"}
    spec = make_spec(failures=[{"match": match, "class": "platform"}])
    assert type(spec).from_document(spec.document()) == spec
    rule = FailureRule(FailureClass.PLATFORM, 7, 9, "ORA-[0-9]+", "CANCELLED")
    assert spec.policy().failures == (rule,)
    assert FailureRule.of(json.loads(json.dumps(asdict(rule)))) == rule


@pytest.mark.parametrize("shortage", [None, Shortage.DISK])
def test_a_failure_comes_back_from_json_as_it_was(shortage: Shortage | None) -> None:
    failure = Failure(FailureClass.RESOURCE, "log: disk", ("task 0 wrote: x",), 0, shortage)
    assert Failure.of(json.loads(json.dumps(asdict(failure)))) == failure


def test_patterns_are_in_the_schema_in_words() -> None:
    assert "a regular expression" in json.dumps(type(make_spec()).model_json_schema())
