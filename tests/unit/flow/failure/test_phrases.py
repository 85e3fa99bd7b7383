"""Phrases of well-known programs, by class: a rule that changes must not lose them."""

from __future__ import annotations

import pytest

from runyard.flow.failure.classify import classify
from runyard.model.failure import FailureClass
from runyard.model.outcome import Ending, Outcome, TaskFailure
from tests.support.failure_texts import phrases


def judged(phrase: str) -> FailureClass:
    task = TaskFailure(0, 1, "it ended", exit_code=1, last_lines=tuple(phrase.split("\n")))
    failure = classify(Outcome(Ending.FAILED, "it failed", failures=(task,)))
    assert failure is not None
    return failure.failure_class


@pytest.mark.parametrize("failure_class", FailureClass)
def test_phrases_are_of_their_class(failure_class: FailureClass) -> None:
    mine = [each for meant, each in phrases() if meant == failure_class]
    assert len(mine) > 50
    assert [each for each in mine if judged(each) != failure_class] == []
