"""What lines of a log are read for."""

from __future__ import annotations

from runyard.flow.log_reading import ERRORS, REFUSED_FORM, Use, measured, tells_of_error, uses_of
from tests.support.runs import make_spec

SPEC = make_spec(
    alerts=[{"log": {"text": "lost", "within": "1h"}}],
    metrics={"rows": {"pattern": "([0-9]+) rows", "value": 1}},
)


def test_a_job_wants_lines_of_its_own_measures_and_of_its_rules_and_metrics() -> None:
    assert uses_of(make_spec()) == (Use(), *ERRORS)
    own, *errors, rule, metric = uses_of(SPEC)
    assert tuple(errors) == ERRORS
    assert own == Use()
    assert (rule.rule, rule.lines) == ("log", SPEC.alerts[0].log)  # type: ignore[union-attr]
    assert (metric.metric, metric.lines) == ("rows", SPEC.metrics["rows"])


def test_a_line_is_measured_for_each_use_of_it() -> None:
    own, *errors, rule, metric = uses_of(SPEC)
    assert measured(errors, "ValueError", None) == []  # it is counted by its pattern
    assert measured((rule, metric), "lost 12 rows", None) == [
        ("log_matches", (("rule", "log"),), 1.0),
        ("own.rows", (), 12.0),
    ]
    assert measured((own,), "", {"metric": {"rows": 3}}) == [("own.rows", (), 3.0)]
    assert measured((own,), "", {"metric": None}) == [REFUSED_FORM]
    assert measured((own,), "", None) == [REFUSED_FORM]
    assert measured((metric,), "no rows", None) == [REFUSED_FORM]
    assert measured((), "", None) == []


def test_a_line_tells_of_an_error_by_its_severity_or_by_its_words() -> None:
    assert tells_of_error(ERRORS, "ERROR", "0 errors")
    assert tells_of_error(ERRORS, "DEFAULT", "ValueError: no")
    assert not tells_of_error(ERRORS, "DEFAULT", "0 errors")
    assert not tells_of_error(ERRORS, "INFO", "an error was mended")
    assert not tells_of_error((Use(),), "ERROR", "bad")
    assert not tells_of_error((Use(), *ERRORS), "DEFAULT", '{"metric": {"errors": 3}}')
