"""YAML 1.2, exact places, and bounds: from a text to a tree."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from runyard.model.errors import Fault
from runyard.model.manifest.scalars import NotPlain, plain
from runyard.model.manifest.text import Source
from runyard.model.manifest.tree import DEPTH_MAX, NODES_MAX, Node, parse


def parsed(text: str) -> tuple[Any, list[Fault]]:
    faults: list[Fault] = []
    node = parse(Source("a.yaml", text), faults)
    return (None if node is None else values(node)), faults


def values(node: Node) -> Any:
    if isinstance(node.value, dict):
        return {key: values(child) for key, child in node.value.items()}
    if isinstance(node.value, list):
        return [values(child) for child in node.value]
    return node.value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("on", "on"), ("yes", "yes"), ("No", "No"), ("true", True), ("False", False),
        ("null", None), ("~", None), ("", None), ("nUll", "nUll"),
        ("0", 0), ("12", 12), ("-3", -3), ("+4", 4), ("0o17", 15), ("0x1F", 31),
        ("0b11", "0b11"), ("1_000", "1_000"), ("1,000", "1,000"),
        ("1.5", 1.5), ("1e3", 1000.0), (".5", 0.5), ("1.", 1.0), ("-1.5E-2", -0.015),
        ("12:30", "12:30"), ("2024-01-01", "2024-01-01"), ("1.2.3", "1.2.3"),
        ("-", "-"), (".", "."), ("+a", "+a"), ("=", "="), ("9223372036854775807", 2**63 - 1),
    ],
)  # fmt: skip
def test_a_plain_scalar_means_what_yaml_1_2_says(text: str, value: object) -> None:
    found = plain(text)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("0644", "0o644"), ("00", "0o0"), ("08", '"08"'), ("-012", "0o12"),
        ("9223372036854775808", "quotes"), ("0xFFFFFFFFFFFFFFFFFF", "quotes"),
        ("9" * 5000, "quotes"), (".nan", "quotes"), ("-.inf", "quotes"), (".INF", "quotes"),
        ("1e999", "quotes"),
    ],
)  # fmt: skip
def test_a_number_that_two_readers_read_differently_is_refused(text: str, hint: str) -> None:
    with pytest.raises(NotPlain) as caught:
        plain(text)
    assert hint in caught.value.hint


def test_json_is_read_too() -> None:
    assert parsed('{"a": [1, "b", {"c": null}],\t"d": "\\/é\\u00e9"}') == (
        {"a": [1, "b", {"c": None}], "d": "/éé"},
        [],
    )


def test_json_may_write_a_character_as_two_halves() -> None:
    text = "\\ud83d\\ude00 stays, \U0001f600\u20ac\U0010ffff does not, \\"
    assert parsed(json.dumps({"a": text, "\U0001f600": [text]})) == (
        {"a": text, "\U0001f600": [text]},
        [],
    )
    assert parsed(r"a: '\ud83d\ude00'") == ({"a": r"\ud83d\ude00"}, [])
    for half in (r'{"a": "\ud83d"}', r'{"a": "\ude00\ud83d"}', r'a: "\ud83d\ude00"'):
        node, faults = parsed(half)
        assert node is None
        assert len(faults) == 1, faults


def test_a_quoted_scalar_is_a_text() -> None:
    assert parsed('["1", \'~\', ""]')[0] == ["1", "~", ""]
    assert parsed("a: |\n  x\n  y\nb: >\n  x\n  y\n")[0] == {"a": "x\ny\n", "b": "x y\n"}


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("a: 1\na: 2", (2, 1), "each key once; the first one is at line 1"),
        ("a: {b: 1, 'b': 2}", (1, 11), "each key once"),
        ("a:\n\t- b", (2, 1), "YAML 1.2 or JSON"),
        ("a: b: c", (1, 5), "YAML 1.2 or JSON"),
        ("a: [1", (1, 6), "YAML 1.2 or JSON"),
        ("a: 'x", (1, 6), "YAML 1.2 or JSON"),
        ("a: *b", (1, 4), "an alias of an anchor that ends before it"),
        ("a: &b [*b]", (1, 8), "an alias of an anchor that ends before it"),
        ("1: a", (1, 1), "a key that is a text"),
        ("? [a]\n: b", (1, 3), "a key that is a text"),
        ("? {a: 1}\n: b", (1, 3), "a key that is a text"),
        ("~: a", (1, 1), "a key that is a text"),
        ("0644: a", (1, 1), "without a leading zero"),
        ("true: a", (1, 1), "a key that is a text"),
        ("a: &x {b: 1}\nc:\n  <<: *x", (3, 3), "merge keys"),
        ("a: !!str 1", (1, 4), "a value without a tag"),
        ("a: !python/object:os.system x", (1, 4), "a value without a tag"),
        ("a: ! x", (1, 4), "a value without a tag"),
        ("--- !x {a: 1}", (1, 5), "a value without a tag"),
        ("a: 0644", (1, 4), "without a leading zero"),
        ('a: "\\u0007"', (1, 4), "without control characters"),
        ('"\\u0000": a', (1, 1), "without control characters"),
        ("a: 1\n---\nb: 2", (2, 1), "one document a file"),
        ("%YAML 3.0\n---\na: 1", (1, 1), "YAML 1.2 or JSON"),
        ("é: 'é', x", (1, 7), "YAML 1.2 or JSON"),
    ],
)
def test_a_fault_has_its_place(text: str, place: tuple[int, int], words: str) -> None:
    _, faults = parsed(text)
    assert [(fault.line, fault.column) for fault in faults] == [place]
    assert words in faults[0].expected
    assert faults[0].file == "a.yaml"


def test_a_syntax_fault_shows_one_character_at_most() -> None:
    _, [fault] = parsed('env:\n  value: "s3cret" more s3cret')
    assert "s3cret" not in str(fault)
    assert fault.value == "'m'"


def test_a_merge_key_in_quotes_is_a_key() -> None:
    assert parsed("'<<': a") == ({"<<": "a"}, [])


def test_a_duplicate_key_leaves_the_first_value() -> None:
    assert parsed("a: 1\na: 2\nb: 3")[0] == {"a": 1, "b": 3}


def test_aliases_stand_for_their_values() -> None:
    assert parsed("a: &x [1, 2]\nb: *x\nc: {d: *x}") == (
        {"a": [1, 2], "b": [1, 2], "c": {"d": [1, 2]}},
        [],
    )


def test_depth_is_bounded() -> None:
    deep = "[" * DEPTH_MAX + "]" * DEPTH_MAX
    assert parsed(deep)[1] == []
    for text in ("[" * (DEPTH_MAX + 1) + "]" * (DEPTH_MAX + 1), "[" * 10_000, "{a: " * 10_000):
        _, [fault] = parsed(text)
        assert fault.expected == f"at most {DEPTH_MAX} levels of nesting"
        assert len(fault.path) < 200
    _, [fault] = parsed("- " * 10_000 + "a")
    assert (fault.line, fault.column) == (1, 2 * DEPTH_MAX + 1)


def test_a_bomb_of_aliases_is_refused() -> None:
    lines = ["l0: &l0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]" for n in range(1, 10)]
    _, [fault] = parsed("\n".join(lines))
    assert "aliases counted in full" in fault.expected
    assert fault.line == 6


def test_the_number_of_values_is_bounded() -> None:
    assert parsed("- a\n" * (NODES_MAX - 1))[1] == []
    _, [fault] = parsed("- a\n" * NODES_MAX)
    assert (fault.line, fault.column) == (NODES_MAX, 3)


def test_the_python_parser_gives_the_same_tree() -> None:
    text = 'a: &x [1, "b", {c: ~}]\nd: *x\n1: e\nf: [\n'
    faults: list[Fault] = []
    node = parse(Source("a.yaml", text[:-5]), faults, yaml.BaseLoader)
    assert node is not None
    assert (values(node), faults) == parsed(text[:-5])
    assert parse(Source("a.yaml", text), faults, yaml.BaseLoader) is None
    assert faults[-1].line == 4


class Broken:
    """A parser that gives up without saying where."""

    def __init__(self, text: str) -> None:
        self.text = text

    def check_event(self) -> bool:
        raise yaml.YAMLError

    def dispose(self) -> None:
        self.text = ""


def test_a_parser_that_does_not_say_where_is_believed() -> None:
    faults: list[Fault] = []
    assert parse(Source("a.yaml", "a: b"), faults, Broken) is None
    assert [(fault.line, fault.column, fault.expected) for fault in faults] == [
        (1, 1, "YAML 1.2 or JSON (not understood)")
    ]
