"""Whatever a task prints becomes one whole entry for each line, in order."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runyard.localcloud.logging.format import SEVERITIES, STDOUT, decode, encode, encode_block

LINES = st.lists(
    st.binary(max_size=30).map(lambda line: line.replace(b"\n", b"/"))
    | st.text(max_size=20).map(lambda text: text.replace("\n", "/").encode("utf-8", "replace"))
    | st.sampled_from([b"plain words 123", b'{"message": "m"}', b"{", b"{}", '"\ue0ff"'.encode()]),
    min_size=1,
    max_size=12,
)


def entries(block: bytes) -> list[dict[str, Any]]:
    """What a block of lines became, read by another JSON library than wrote it."""
    lines = encode_block(5, 1, 2, STDOUT, block).split(b"\n")
    assert lines.pop() == b""
    return [orjson.loads(line) for line in lines]


@given(LINES)
def test_every_line_becomes_one_entry(lines: list[bytes]) -> None:
    found = entries(b"".join(line + b"\n" for line in lines))
    assert len(found) == len(lines)
    for line, entry in zip(lines, found, strict=True):
        assert {key: entry[key] for key in "tkns"} == {"t": 5, "k": 1, "n": 2, "s": "o"}
        assert entry["v"] in SEVERITIES
        assert decode(json.dumps(entry).encode()) == entry
        if "f" not in entry:
            assert entry["m"] == line.decode("utf-8", "backslashreplace")


@given(st.dictionaries(st.text(max_size=5), st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3), max_leaves=5), max_size=4))  # fmt: skip
def test_an_object_keeps_its_fields(fields: dict[str, Any]) -> None:
    for key in ("message", "severity"):
        fields.pop(key, None)
    line = json.dumps({**fields, "message": "text", "severity": "warning"})
    (entry,) = [json.loads(each) for each in encode_block(
        1, 0, 0, STDOUT, line.encode() + b"\n").splitlines()]  # fmt: skip
    assert (entry["v"], entry["m"]) == ("WARNING", "text")
    clean = json.dumps(fields, ensure_ascii=False).encode("utf-8", "replace")
    assert entry["f"] == json.loads(clean)


@pytest.mark.parametrize(
    "line",
    [
        b'{"a": NaN}',
        b'{"a": 1',
        b"{" * 5000 + b"}",
        b'{"a":' * 5000 + b"1" + b"}" * 5000,
        b'{"a": ' + b"9" * 5000 + b"}",
        b"{\xff}",
        b'"{}"',
    ],
)
def test_what_is_no_object_is_text(line: bytes) -> None:
    (entry,) = entries(line + b"\n")
    assert entry["v"] == "DEFAULT"
    assert entry["m"] == line.decode("utf-8", "backslashreplace")
    assert "f" not in entry


def test_one_plain_entry() -> None:
    assert encode(9, 1, 2, "s", "ERROR", 'a "b"\n') == (
        b'{"t":9,"k":1,"n":2,"s":"s","v":"ERROR","m":"a \\"b\\"\\n"}\n'
    )


@pytest.mark.parametrize("line", [b"", b"{", b"[]", b'{"t":1}', b"\xff", b'"t"'])
def test_a_torn_line_is_no_entry(line: bytes) -> None:
    assert decode(line) is None
