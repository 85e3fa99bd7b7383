"""Chains and absences as a manifest declares them: what is read and what is refused."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runyard.model.errors import Fault
from runyard.model.pubsub.limits import NAME_EXPECTED
from runyard.model.trigger.absence import AbsenceAct, AbsenceSpec, OfEvent
from runyard.model.trigger.chain import AfterJob, ChainSpec, EndedAs
from runyard.model.trigger.cycles import way
from tests.support.manifests import Json, faults_of, load_texts, make_job, make_text, read_job

TAKEN = {"from": "headers.a"}


def faults(*triggers: Any) -> list[Fault]:
    return faults_of(make_text(make_job(triggers=list(triggers))))


@pytest.mark.parametrize(
    ("after", "jobs", "on"),
    [
        ({"job": "x"}, ("x",), "succeeded"),
        ({"all": ["x", "y"], "on": "any"}, ("x", "y"), "any"),
        ({"any": ["y", "x"], "on": "dead"}, ("y", "x"), "dead"),
    ],
)
def test_a_chain_names_the_jobs_that_it_follows(
    after: Json, jobs: tuple[str, ...], on: str
) -> None:
    [spec] = read_job(make_job(triggers=[{"after": after}])).triggers
    assert isinstance(spec, ChainSpec)
    assert (spec.kind, spec.name, spec.after.jobs, spec.after.on) == ("chain", "chain", jobs, on)
    assert spec.document() == {"name": "chain", "after": {"on": on} | after, "enabled": True}


def test_a_chain_that_says_everything_is_its_own_document() -> None:
    full = {
        "name": "then",
        "after": {"job": "x", "on": "failed"},
        "map": {"env": {"TABLE": {"from": "body.table", "optional": True}}},
        "enabled": False,
        "with": {"args": ["-v"]},
    }
    [spec] = read_job(make_job(triggers=[full])).triggers
    assert spec.document() == full


def test_an_absence() -> None:
    trigger = {"absence": {"of": {"job": "job-0"}, "within": "26h"}, "do": "alert"}
    [spec, other] = read_job(
        make_job(triggers=[trigger, {"absence": {"of": {"job": "x"}, "within": "1s"}}])
    ).triggers
    assert isinstance(spec, AbsenceSpec)
    assert isinstance(other, AbsenceSpec)
    assert (spec.name, spec.kind, spec.within_seconds) == ("absence", "absence", 93600)
    assert (spec.act, other.act, other.name) == (AbsenceAct.ALERT, AbsenceAct.RUN, "absence-2")
    assert isinstance(spec.absence.of, AfterJob)
    assert spec.absence.of.on is EndedAs.SUCCEEDED
    assert spec.document() == {
        "name": "absence",
        "absence": {"of": {"job": "job-0", "on": "succeeded"}, "within": "93600s"},
        "do": "alert",
        "enabled": True,
    }


def test_an_absence_of_events() -> None:
    of = {"event": {"topic": "orders", "type": "shop.sold"}}
    [spec] = read_job(make_job(triggers=[{"absence": {"of": of, "within": "24h"}}])).triggers
    assert isinstance(spec, AbsenceSpec)
    assert isinstance(spec.absence.of, OfEvent)
    assert spec.document()["absence"] == {"of": of, "within": "86400s"}
    assert spec.absence.of.event.unfit({"ce-type": "shop.returned"}) == "ce-type"


# fmt: off
REFUSED: list[tuple[Json, str, str]] = [
    ({"after": {"job": "x", "all": ["y"]}}, "after",
     "a mapping with exactly one of job, all, any"),
    ({"after": {"all": ["a", "b", "a"]}}, "after.all", "each job once; a is named twice"),
    ({"after": {"any": []}}, "after.any", "a list of 1 to 100"),
    ({"after": {"job": "x", "on": "skipped"}}, "after.on",
     "one of succeeded, failed, dead, any"),
    ({"after": {"job": "x"}, "map": {"env": {"A": TAKEN}}}, "",
     "a place in body or attributes: headers.a is none of a run"),
    ({"after": {"job": "x"}, "map": {"env": {"A": {"from": "messages"}}}}, "",
     "a place in body or attributes: messages is none of a run"),
    ({"after": {"job": "x"}, "map": {"args": []}, "with": {"args": []}}, "",
     "args in `map` or in `with`, not both"),
    ({"absence": {"of": {"job": "x", "event": {"topic": "t"}}, "within": "1h"}}, "absence.of",
     "a mapping with exactly one of job, event"),
    ({"absence": {"of": {"event": {"topic": "goog-x"}}, "within": "1h"}},
     "absence.of.event.topic", NAME_EXPECTED),
    ({"absence": {"of": {"job": "x"}, "within": "0s"}}, "absence.within",
     "a duration such as 900s, 10m or 2h30m, from 1s to 8784h"),
    ({"absence": {"of": {"job": "x"}, "within": "1h"}, "do": "nothing"}, "do",
     "one of run, alert"),
]
# fmt: on


@pytest.mark.parametrize(("trigger", "path", "expected"), REFUSED)
def test_what_is_refused(trigger: Json, path: str, expected: str) -> None:
    [fault] = faults(trigger)
    where = "jobs.job-0.triggers[0]"
    assert (fault.path, fault.expected) == (f"{where}.{path}" if path else where, expected)


def after(*jobs: str) -> Json:
    key = {"job": jobs[0]} if len(jobs) == 1 else {"all": list(jobs)}
    return make_job(triggers=[{"schedule": "@daily"}, {"after": key}])


def test_a_job_that_comes_after_itself_is_refused_where_the_cycle_closes() -> None:
    [fault] = faults_of(make_text(after("job-1"), after("job-2"), after("other", "job-0")))
    assert fault.path == "jobs.job-2.triggers[1].after.all[1]"
    words = "job-2 after job-0 after job-1 after job-2"
    assert fault.expected == f"a job that does not come after job-2 itself: {words}"
    assert (fault.line, fault.hint) == (1, "it would run for ever")
    [own] = faults_of(make_text(after("job-0")))
    assert own.expected.endswith("job-0 after job-0")
    assert own.path == "jobs.job-0.triggers[1].after.job"


def test_jobs_may_meet_again() -> None:
    loaded = load_texts(
        make_text(after("job-1", "job-2"), after("job-3"), after("job-3"), make_job())
    )
    assert len(loaded.jobs) == 4


NAMES = st.sampled_from("abcdef")


@given(st.dictionaries(NAMES, st.sets(NAMES)), NAMES, NAMES)
def test_a_way_is_a_shortest_way(follows: dict[str, set[str]], begin: str, end: str) -> None:
    found = way(follows, begin, end)
    reach, steps = {begin}, 0
    while end not in reach:
        wider = reach | {job for here in reach for job in follows.get(here, ())}
        if wider == reach:
            assert found == ()
            return
        reach, steps = wider, steps + 1
    assert (found[0], found[-1], len(found)) == (begin, end, steps + 1)
    assert all(job in follows[here] for here, job in pairwise(found))
