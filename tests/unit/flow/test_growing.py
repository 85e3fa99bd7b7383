"""What makes the tasks of a job larger."""

from __future__ import annotations

from runyard.flow.growing import accepted, template_memory
from runyard.model.durations import seconds_of
from runyard.model.recovery import Scaled
from tests.support.runs import make_spec


def test_what_a_run_came_back_with_is_taken_over_where_it_is_more() -> None:
    document = make_spec().document()
    assert accepted(document, Scaled()) is document
    had = template_memory(document["template"])
    assert accepted(document, Scaled(timeout_seconds=1, memory_bytes=had)) is document
    larger = accepted(document, Scaled(timeout_seconds=7200, memory_bytes=2 * had))
    assert larger["template"]["template"]["timeout"] == "7200s"
    assert template_memory(larger["template"]) == 2 * had
    assert {**larger, "template": document["template"]} == document
    usual = seconds_of(document["template"]["template"]["timeout"])
    assert accepted(document, Scaled(timeout_seconds=usual)) is document
    only = accepted(document, Scaled(memory_bytes=2 * had))
    assert only["template"]["template"]["timeout"] == document["template"]["template"]["timeout"]
