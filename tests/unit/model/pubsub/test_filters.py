"""Pub/Sub's filter language: what it says, what it refuses and where."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runyard.model.errors import InvalidSpec
from runyard.model.pubsub.filters import (
    DEPTH_MAX,
    All,
    Begins,
    Filter,
    Has,
    Is,
    Not,
    Some,
    matches,
    parse,
)

ORDER = {"kind": "order", "region": "europe-west1", "iana.org/language_tag": "en", "empty": ""}


@pytest.mark.parametrize(
    ("text", "passes"),
    [
        ("", True),
        ("  ", True),
        ("attributes:kind", True),
        ("attributes:Kind", False),
        ('attributes:"iana.org/language_tag"', True),
        ('attributes.kind = "order"', True),
        ('attributes.kind="Order"', False),
        ('attributes.kind != "order"', False),
        ('attributes.missing != "order"', True),
        ('attributes."iana.org/language_tag" = "en"', True),
        ('hasPrefix(attributes.region, "europe-")', True),
        ('hasPrefix(attributes.region, "asia-")', False),
        ('hasPrefix(attributes.missing, "")', False),
        ('hasPrefix(attributes.empty, "")', True),
        ("NOT attributes:kind", False),
        ("-attributes:missing", True),
        ("NOT NOT attributes:kind", True),
        ('attributes:kind AND attributes.region = "x"', False),
        ('attributes:missing OR attributes:kind OR attributes.kind = "x"', True),
        ("attributes:kind AND (attributes:missing OR attributes:region)", True),
        ("NOT (attributes:kind AND attributes:missing)", True),
    ],
)
def test_a_filter_says_which_messages_pass(text: str, passes: bool) -> None:
    assert matches(parse(text), ORDER) is passes


@pytest.mark.parametrize(
    ("text", "column", "expected", "hint"),
    [
        ("kind", 1, "attributes, hasPrefix, NOT or (", "for instance"),
        ("attribute:kind", 1, "attributes, hasPrefix, NOT or (", "did you mean 'attributes'?"),
        ("attributes kind", 12, ". or : after attributes", "for instance"),
        ("attributes.", 12, "an attribute's key", "quote"),
        ("attributes:=", 12, "an attribute's key", "quote"),
        ("attributes.kind", 16, "= or !=", "for instance"),
        ("attributes.kind:x", 16, "= or !=", "attributes:KEY"),
        ("attributes.kind = order", 19, 'a text in "quotes"', "double quotes"),
        ('attributes.kind = "order', 19, 'a text in "quotes"', "not closed"),
        ("attributes:a attributes:b", 14, "the end, AND or OR", ""),
        ("attributes:a and attributes:b", 14, "the end, AND or OR", "write AND"),
        ("attributes:a AND attributes:b OR attributes:c", 31, "the end, AND or OR", "parentheses"),
        ("(attributes:a AND attributes:b OR attributes:c)", 32, "), AND or OR", "parentheses"),
        ("(attributes:a", 14, "), AND or OR", ""),
        ("attributes:a AND", 17, "attributes, hasPrefix, NOT or (", "for instance"),
        ("hasPrefix attributes", 11, "(", ""),
        ('hasPrefix(attributes:a, "b")', 21, ".", ""),
        ('hasPrefix(attributes.a "b")', 24, ",", ""),
        ('hasPrefix(attributes.a, "b"', 28, ")", ""),
        ("(" * (DEPTH_MAX + 2), DEPTH_MAX + 2, "at most 20 parentheses", ""),
        ("-" * (DEPTH_MAX + 2) + "attributes:a", DEPTH_MAX + 2, "at most 20 parentheses", ""),
        ('attributes.a = "' + "x" * 256 + '"', 1, "at most 256 bytes", ""),
    ],
)
def test_what_is_no_filter_is_refused_where_it_is_wrong(
    text: str, column: int, expected: str, hint: str
) -> None:
    with pytest.raises(InvalidSpec, match="the filter is not understood") as caught:
        parse(text)
    (fault,) = caught.value.faults
    assert (fault.path, fault.line, fault.column) == ("filter", 1, column)
    assert fault.expected.startswith(expected)
    assert hint in fault.hint
    assert bool(hint) == bool(fault.hint)


_KEYS = st.text('ab-_/."\\ é', min_size=1, max_size=3)
_VALUES = st.text('ab"\\ é', max_size=3)
_FILTERS: st.SearchStrategy[Filter] = st.recursive(
    st.builds(Has, _KEYS) | st.builds(Is, _KEYS, _VALUES) | st.builds(Begins, _KEYS, _VALUES),
    lambda inner: (
        st.builds(Not, inner)
        | st.lists(inner, min_size=2, max_size=3).map(lambda parts: All(tuple(parts)))
        | st.lists(inner, min_size=2, max_size=3).map(lambda parts: Some(tuple(parts)))
    ),
    max_leaves=4,
)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _written(wanted: Filter) -> str:
    match wanted:
        case Has(key):
            return f"attributes:{_quoted(key)}"
        case Is(key, value):
            return f"attributes.{_quoted(key)}={_quoted(value)}"
        case Begins(key, prefix):
            return f"hasPrefix(attributes.{_quoted(key)},{_quoted(prefix)})"
        case Not(part):
            return f"-({_written(part)})"
        case All(parts):
            return " AND ".join(f"({_written(part)})" for part in parts)
        case Some(parts):
            return " OR ".join(f"({_written(part)})" for part in parts)


@given(_FILTERS, st.dictionaries(_KEYS, _VALUES, max_size=4))
def test_what_is_written_is_read(wanted: Filter, attributes: Mapping[str, str]) -> None:
    text = _written(wanted)
    if len(text.encode()) <= 256:
        assert parse(text) == wanted
        assert matches(parse(text), attributes) == matches(wanted, attributes)


@given(_FILTERS, st.dictionaries(_KEYS, _VALUES, max_size=4))
def test_not_is_the_opposite(wanted: Filter, attributes: Mapping[str, str]) -> None:
    assert matches(Not(wanted), attributes) is not matches(wanted, attributes)


@given(st.text('attributes:.=!"()-NOTANDOR ,hasPrefix\\', max_size=60))
def test_any_text_is_read_or_refused_with_a_place_in_it(text: str) -> None:
    try:
        parse(text)
    except InvalidSpec as error:
        (fault,) = error.faults
        assert 1 <= fault.column <= len(text) + 1
