"""What was told becomes arguments and variables, or every place that does not fit is told."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runyard.flow.mapping import mapped, mapped_all, must_fit, sort_of
from runyard.model.asking import ARGUMENT_BYTES_MAX, VALUE_BYTES_MAX
from runyard.model.errors import InvalidSpec
from runyard.model.run import InputFile, Overrides
from runyard.model.trigger.mapping import MapSpec
from runyard.model.validation import read

BODY: dict[str, Any] = {
    "text": "hello",
    "number": 1.5,
    "whole": 7,
    "yes": True,
    "list": [1, {"a": "ü"}],
    "map": {"b": None},
    "option": "--evil",
    "nul": "a\0b",
    "minus": -3,
    "null": None,
}
NOTHING = Overrides()


def spec(**said: Any) -> MapSpec:
    found, complaints = read(MapSpec, said)
    assert found is not None, complaints
    return found


def env(item: Any) -> dict[str, str]:
    return dict(mapped(spec(env={"X": item}), {"body": BODY}, NOTHING).env)


def fault(**said: Any) -> tuple[str, str, str]:
    with pytest.raises(InvalidSpec) as caught:
        mapped(spec(**said), {"body": BODY}, NOTHING)
    [one] = caught.value.faults
    return one.path, one.value, one.expected


@pytest.mark.parametrize(
    ("item", "text"),
    [
        ("as it is", "as it is"),
        ({"from": "body.text"}, "hello"),
        ({"from": "body.number"}, "1.5"),
        ({"from": "body.whole"}, "7"),
        ({"from": "body.yes"}, "true"),
        ({"from": "body.yes", "type": "boolean"}, "true"),
        ({"from": "body.whole", "type": "integer"}, "7"),
        ({"from": "body.whole", "type": "number"}, "7"),
        ({"from": "body.text", "type": "text", "prefix": "> "}, "> hello"),
        ({"from": "body.list", "type": "json"}, '[1,{"a":"ü"}]'),
        ({"from": "body.text", "type": "json"}, "hello"),
        ({"from": "body.nowhere", "default": "else"}, "else"),
        ({"from": "body.null", "default": ""}, ""),
        ({"from": "body.null", "default": "main", "prefix": "--branch="}, "--branch=main"),
        ({"from": "body.option"}, "--evil"),
    ],
)
def test_a_value_is_taken_over(item: Any, text: str) -> None:
    assert env(item) == {"X": text}


def test_what_is_optional_is_left_out() -> None:
    assert env({"from": "body.nowhere", "optional": True}) == {}
    args = ["a", {"from": "body.nowhere", "optional": True}, {"from": "body.text"}]
    assert mapped(spec(args=args), {"body": BODY}, NOTHING).args == ("a", "hello")


@pytest.mark.parametrize(
    ("item", "value", "expected"),
    [
        ({"from": "body.nowhere"}, "nothing", "a text, a number, true or false"),
        ({"from": "body.null", "type": "json"}, "nothing", "a value"),
        ({"from": "body.list"}, "a list of 2", "a text, a number, true or false"),
        ({"from": "body.map"}, "a mapping of 1", "a text, a number, true or false"),
        ({"from": "body.text", "type": "integer"}, "a text of 5 characters", "a whole number"),
        ({"from": "body.number", "type": "integer"}, "a number", "a whole number"),
        ({"from": "body.yes", "type": "number"}, "true or false", "a number"),
        ({"from": "body.yes", "type": "text"}, "true or false", "a text"),
        ({"from": "body.whole", "type": "boolean"}, "a number", "true or false"),
    ],
)
def test_what_does_not_fit_is_told_without_its_value(item: Any, value: str, expected: str) -> None:
    assert fault(env={"X": item}) == (item["from"], value, expected)
    assert fault(args=[item]) == (item["from"], value, expected)


def test_a_text_from_outside_is_no_option_of_the_program() -> None:
    path, _, expected = fault(args=[{"from": "body.option"}])
    assert (path, expected) == ("body.option", "no hyphen first in argument 0")
    args = [{"from": "body.option", "prefix": "--name="}, {"from": "body.minus"}, "--ours"]
    assert mapped(spec(args=args), {"body": BODY}, NOTHING).args == (
        "--name=--evil",
        "-3",
        "--ours",
    )


def test_what_no_process_can_be_given_is_refused() -> None:
    assert "without NUL in variable X" in fault(env={"X": {"from": "body.nul"}})[2]
    assert "without NUL in argument 0" in fault(args=[{"from": "body.nul"}])[2]
    with pytest.raises(InvalidSpec):
        mapped(spec(env={"X": {"from": "body"}}), {"body": "x" * 32_769}, NOTHING)
    assert mapped(spec(env={"X": {"from": "body"}}), {"body": "x" * 32_768}, NOTHING).env


def test_every_place_that_does_not_fit_is_told_at_once() -> None:
    said = spec(args=[{"from": "body.a"}], env={"B": {"from": "body.b"}, "C": {"from": "body.c"}})
    with pytest.raises(InvalidSpec) as caught:
        mapped(said, {"body": BODY}, NOTHING)
    assert [one.path for one in caught.value.faults] == ["body.a", "body.b", "body.c"]


def test_it_goes_over_what_the_runs_are_asked_for_with() -> None:
    over = Overrides(("x",), (("A", "1"), ("B", "2")), 3, 60)
    assert mapped(spec(), {}, over) == over
    assert mapped(spec(args=[], env={"B": "3"}), {}, over) == Overrides(
        (), (("A", "1"), ("B", "3")), 3, 60
    )


MANY: list[Any] = [{"body": {"a": 1, "t": "ü"}}, {"body": {"a": 2.5}}]


def all_env(item: Any) -> dict[str, str]:
    return dict(mapped_all(spec(env={"X": item}), MANY, NOTHING).env)


@pytest.mark.parametrize(
    ("item", "text"),
    [
        ("as it is", "as it is"),
        ({"from": "body.a"}, "[1,2.5]"),
        ({"from": "body.a", "prefix": "--all="}, "--all=[1,2.5]"),
        ({"from": "body.t", "optional": True}, '["ü",null]'),
        ({"from": "body.t", "default": "x", "prefix": "> "}, '> ["ü","x"]'),
        ({"from": "messages"}, '[{"body":{"a":1,"t":"ü"}},{"body":{"a":2.5}}]'),
        ({"from": "messages", "prefix": "m="}, 'm=[{"body":{"a":1,"t":"ü"}},{"body":{"a":2.5}}]'),
    ],
)
def test_of_several_each_place_is_a_list(item: Any, text: str) -> None:
    assert all_env(item) == {"X": text}
    args = ["first", item]
    assert mapped_all(spec(args=args), MANY, NOTHING).args == ("first", text)


def test_of_several_every_place_that_does_not_fit_is_told() -> None:
    said = spec(args=["x", {"from": "body.t"}], env={"B": {"from": "body.a", "type": "integer"}})
    with pytest.raises(InvalidSpec) as caught:
        mapped_all(said, MANY, NOTHING)
    assert [(one.path, one.value) for one in caught.value.faults] == [
        ("body.t", "nothing"), ("body.a", "a number"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("part", "name", "bytes_max"),
    [
        ("args", "argument 0", ARGUMENT_BYTES_MAX - 1),
        ("env", "variable X", VALUE_BYTES_MAX),
    ],
)
def test_a_value_is_as_long_as_a_process_can_be_given(part: str, name: str, bytes_max: int) -> None:
    item = {"from": "body"}
    said = spec(args=[item]) if part == "args" else spec(env={"X": item})
    for do, around in ((mapped, 0), (lambda what, told, over: mapped_all(what, [told], over), 4)):
        room = bytes_max - around  # of `["` and `"]`
        assert do(said, {"body": "x" * room}, NOTHING) != NOTHING
        for text in ("x" * (room + 1), "ü" * room):
            with pytest.raises(InvalidSpec, match="does not fit the trigger's map") as caught:
                do(said, {"body": text}, NOTHING)
            (one,) = caught.value.faults
            assert (one.path, one.value) == ("body", f"a text of {len(text) + around} characters")
            assert one.expected == f"at most {bytes_max} bytes without NUL in {name}"


def test_each_of_several_must_fit_by_itself() -> None:
    said = spec(
        args=[{"from": "messages"}, {"from": "body.a"}],
        env={"T": {"from": "body.t"}, "N": {"from": "body.n", "optional": True}},
    )
    must_fit(said, MANY[0])
    with pytest.raises(InvalidSpec, match="does not fit the trigger's map") as caught:
        must_fit(said, {"body": {}})
    assert [one.path for one in caught.value.faults] == ["body.a", "body.t"]


@pytest.mark.parametrize(
    ("said", "value", "hint"),
    [
        ({"from": "body.nowhere"}, "nothing", "or say `optional` or a default"),
        ({"from": "body.list"}, "a list of 2", "`type: json` takes anything"),
        ({"from": "body.text", "type": "integer"}, "a text of 5 characters", ""),
    ],
)
def test_what_does_not_fit_is_told_with_what_to_do(said: Any, value: str, hint: str) -> None:
    with pytest.raises(InvalidSpec) as caught:
        mapped(spec(env={"X": said}), {"body": BODY}, NOTHING)
    (one,) = caught.value.faults
    assert (one.value, one.hint) == (value, hint)


def test_an_option_from_outside_is_told_with_what_to_do() -> None:
    with pytest.raises(InvalidSpec) as caught:
        mapped(spec(args=[{"from": "body.option"}]), {"body": BODY}, NOTHING)
    (one,) = caught.value.faults
    assert (one.value, one.hint) == (
        "a text of 6 characters", "a prefix such as `--name=` makes one argument of both",
    )  # fmt: skip


def file_of(**said: Any) -> InputFile | None:
    item = {"path": "/input/event.json", "from": "body"} | said
    return mapped(spec(file=item), {"body": BODY}, NOTHING).file


def test_what_was_told_becomes_a_file() -> None:
    assert file_of() == InputFile("/input/event.json", orjson.dumps(BODY).decode())
    text = file_of(**{"from": "body.text"})
    assert text == InputFile("/input/event.json", "hello")
    assert (text.size_bytes, "hello" in repr(text)) == (5, False)
    assert file_of(**{"from": "body.none"}, optional=True) is None
    otherwise = file_of(**{"from": "body.none"}, default="none")
    assert otherwise == InputFile("/input/event.json", "none")
    over = Overrides(file=InputFile("/old", "x"))
    assert mapped(spec(), {}, over) == over


def test_a_file_that_does_not_fit_is_told() -> None:
    file = {"path": "/input/event.json", "from": "body.none"}
    assert fault(file=file) == ("body.none", "nothing", "a value")
    assert fault(file=file | {"from": "body.list", "type": "text"})[2] == "a text"
    with pytest.raises(InvalidSpec) as caught:
        mapped(spec(file=file | {"from": "body"}), {"body": "x" * 65_537}, NOTHING)
    [one] = caught.value.faults
    assert one.expected == "at most 65536 bytes without NUL in file /input/event.json"


@pytest.mark.parametrize("path", ["event.json", "/", "/a/../b", "/./a", "/a//b", "/a:b", "/a/"])
def test_a_file_has_an_absolute_path(path: str) -> None:
    found, complaints = read(MapSpec, {"file": {"path": path, "from": "body"}})
    assert found is None
    assert complaints[0].path == ("file", "path")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=10,
)


@given(JSON)
def test_any_json_goes_through_whole_or_is_refused(value: Any) -> None:
    said = spec(env={"X": {"from": "body", "type": "json", "default": "null"}})
    try:
        text = dict(mapped(said, {"body": value}, NOTHING).env)["X"]
    except InvalidSpec:
        assert isinstance(value, str)
        assert "\0" in value
        return
    assert text == value if isinstance(value, str) else orjson.loads(text) == value


@given(JSON)
def test_what_is_said_of_a_value_does_not_tell_it(value: Any) -> None:
    if isinstance(value, str) and len(value) > 15:
        assert value not in sort_of(value)
    elif value is not None:
        assert sort_of(value).startswith(("a ", "true or false"))
