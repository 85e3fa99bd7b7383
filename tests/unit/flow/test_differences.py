"""What differs between documents: where order counts, where not, and how to put it right."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runyard.flow.differences import Named, covers, differences, with_value

Json = Any
TEXT = st.text("abcxyz", min_size=1, max_size=3)
VARIABLES = st.dictionaries(TEXT, TEXT, max_size=4).flatmap(
    lambda values: st.permutations([{"name": k, "value": v} for k, v in values.items()])
)
CONTAINER = st.fixed_dictionaries(
    {"image": TEXT, "env": VARIABLES},
    optional={"args": st.lists(TEXT, max_size=3), "command": st.lists(TEXT, max_size=2)},
)
DOCUMENT = st.fixed_dictionaries(
    {
        "regions": st.lists(TEXT, min_size=1, max_size=3),
        "labels": st.dictionaries(TEXT, TEXT, max_size=3),
        "template": st.fixed_dictionaries(
            {"taskCount": st.integers(1, 9), "containers": st.lists(CONTAINER, max_size=2)}
        ),
        "needs": st.fixed_dictionaries({}, optional={"egress": st.sets(TEXT).map(sorted)}),
    }
)


def paths(before: Json, after: Json) -> dict[str, tuple[Json, Json]]:
    return {one.path: (one.before, one.after) for one in differences(before, after)}


@given(DOCUMENT)
def test_a_document_does_not_differ_from_itself(document: Json) -> None:
    assert differences(document, document) == ()


@given(DOCUMENT, DOCUMENT)
def test_with_all_its_differences_one_document_is_the_other(before: Json, after: Json) -> None:
    made = before
    for one in differences(before, after):
        made = with_value(made, one.steps, one.after)
    assert differences(made, after) == ()


@given(DOCUMENT, DOCUMENT)
def test_backwards_the_same_fields_differ(before: Json, after: Json) -> None:
    there = {one.steps: (one.before, one.after) for one in differences(before, after)}
    back = {one.steps: (one.after, one.before) for one in differences(after, before)}
    assert there == back or len(before["template"]["containers"]) != len(
        after["template"]["containers"]
    )


@given(st.data(), VARIABLES)
def test_the_order_of_variables_has_no_meaning(data: st.DataObject, env: Json) -> None:
    turned = data.draw(st.permutations(env))
    assert differences({"env": env}, {"env": turned}) == ()


@pytest.mark.parametrize("field", ["args", "command", "regions"])
def test_the_order_of_what_has_one_counts(field: str) -> None:
    assert paths({field: ["a", "b"]}, {field: ["b", "a"]}) == {field: (["a", "b"], ["b", "a"])}


def test_a_set_differs_by_its_items() -> None:
    before, after = {"egress": ["a:1", "b:2"]}, {"egress": ["c:3", "a:1"]}
    assert paths(before, after) == {"egress[b:2]": ("b:2", None), "egress[c:3]": (None, "c:3")}


def test_no_list_and_an_empty_one_are_the_same_and_an_empty_mapping_is_something() -> None:
    assert differences({"args": []}, {}) == ()
    assert paths({"emptyDir": {}}, {}) == {"emptyDir": ({}, None)}


def test_a_variable_is_found_by_its_name() -> None:
    before = {"env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]}
    after = {"env": [{"name": "B", "value": "3"}, {"name": "C", "value": "4"}]}
    assert paths(before, after) == {
        "env[A]": ({"name": "A", "value": "1"}, None),
        "env[B].value": ("2", "3"),
        "env[C]": (None, {"name": "C", "value": "4"}),
    }


def test_variables_that_are_named_twice_are_compared_as_a_whole() -> None:
    twice = [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]
    assert paths({"env": twice}, {"env": twice[:1]}) == {"env": (twice, twice[:1])}


def test_containers_are_found_by_name_while_they_keep_their_order() -> None:
    main, side = {"name": "main", "image": "a:1"}, {"name": "side", "image": "b:1"}
    newer = main | {"image": "a:2"}
    one = paths({"containers": [main]}, {"containers": [newer, side]})
    assert one == {"containers[main].image": ("a:1", "a:2"), "containers[side]": (None, side)}
    turned = paths({"containers": [main, side]}, {"containers": [side, main]})
    assert set(turned) == {
        "containers[0].name", "containers[0].image", "containers[1].name", "containers[1].image",
    }  # fmt: skip
    several = [{"image": "a"}, {"image": "b"}, {"image": "c"}]
    assert set(paths({"containers": several}, {"containers": several[:1]})) == {"containers"}


def test_one_container_more_or_less_is_found_by_its_place_and_several_are_a_whole() -> None:
    one, two, three = ({"image": name} for name in ("a", "b", "c"))
    fewer = paths({"containers": [one, two]}, {"containers": [one]})
    assert fewer == {"containers[1]": (two, None)}
    much_fewer = paths({"containers": [one, two, three]}, {"containers": [one]})
    assert much_fewer == {"containers": ([one, two, three], [one])}


def test_a_list_that_goes_is_nothing() -> None:
    assert paths({"args": ["a"]}, {"args": []}) == {"args": (["a"], None)}
    assert paths({"env": ["a"]}, {"env": [{"name": "A"}]}) == {"env": (["a"], [{"name": "A"}])}


def test_taking_away_what_is_not_there_changes_nothing() -> None:
    document = {"labels": {"a": "1"}}
    assert with_value(document, ("labels", "b"), None) == document
    assert with_value(document, ("labels", "a"), None) == {"labels": {}}


def test_a_key_that_is_no_word_is_quoted() -> None:
    assert list(paths({"annotations": {"a.b/c": "1"}}, {"annotations": {"a.b/c": "2"}})) == [
        "annotations.'a.b/c'"
    ]


def test_a_value_makes_its_way() -> None:
    steps = ("env", Named("name", "A"), "valueSource", "secretKeyRef", "version")
    item = {"name": "A", "valueSource": {"secretKeyRef": {"version": "2"}}}
    made = with_value({}, steps, "2")
    assert made == {"env": [item]}
    assert with_value(made, ("env", Named("name", "A")), None) == {"env": []}
    assert with_value({"egress": ["a"]}, ("egress", Named("", "a")), None) == {"egress": []}
    assert with_value(made, (), 7) == 7


def test_a_pattern_covers_what_is_in_it() -> None:
    assert covers("template.labels", "template.labels")
    assert covers("template.labels", "template.labels.team")
    assert covers("a.env", "a.env[X].value")
    assert not covers("template.label", "template.labels")
