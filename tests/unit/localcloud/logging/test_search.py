"""A search finds what looking at every entry would, whatever lies in the files."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runyard.localcloud.logging import search as searching
from runyard.localcloud.logging.format import STDOUT, encode, encode_block
from runyard.localcloud.logging.reader import read_page
from runyard.localcloud.logging.scanning import scan
from runyard.localcloud.logging.search import Findings, Search, search
from runyard.localcloud.logging.wanted import Matcher, Wanted

AT = 1_767_225_600_000_000
SECOND = 1_000_000


def entry(second: int, text: str, task: int = 0, severity: str = "DEFAULT") -> bytes:
    return encode(AT + second * SECOND, task, 0, STDOUT, severity, text)


def written(folder: Path, *contents: bytes) -> list[Path]:
    """Files, the newest first."""
    paths = []
    for number, content in enumerate(contents):
        path = folder / f"{number}.log"
        path.write_bytes(content)
        paths.append(path)
    return paths


def texts(findings: Findings) -> list[str]:
    return [one.entry.text for one in findings.found]


def found(paths: list[Path], limit: int = 100, **wanted: Any) -> list[str]:
    return texts(search(paths, Search(Wanted(**wanted), limit, processes=2)))


STRUCTURED = b"""\
plain words
{"message": "a user came", "severity": "warning", "user": {"name": "ada", "age": 36}, "ok": true}
{"message": "a user left", "severity": "ERROR", "user": {"name": "bob"}, "ratio": 0.5, "n.m": "x"}
{"message": "the m of \\"m\\": it is \\\\ quoted", "m": "not this one", "none": null}
{"no": "message", "list": [1], "date": "2026"}
caf\xc3\xa9 \xff torn
"""


@pytest.fixture
def structured(tmp_path: Path) -> list[Path]:
    torn = b'{"t":17672256000\n' + b"\n" + b'{"a":1}\n'
    return written(tmp_path, torn + encode_block(AT, 3, 0, STDOUT, STRUCTURED) + b'{"t":1,"k"')


@pytest.mark.parametrize(
    ("wanted", "lines"),
    [
        ({}, [0, 1, 2, 3, 4, 5]),
        ({"text": "user"}, [1, 2]),
        ({"text": 'of "m": it is \\'}, [3]),
        ({"text": "not this one"}, []),
        ({"text": "café \\xff"}, [5]),
        ({"text": "ada"}, []),
        ({"severities": ("WARNING", "ERROR")}, [1, 2]),
        ({"fields": (("user.name", "ada"),)}, [1]),
        ({"fields": (("user.age", "36"),)}, [1]),
        ({"fields": (("user.age", "37"),)}, []),
        ({"fields": (("ok", "true"),)}, [1]),
        ({"fields": (("ratio", "0.50"),)}, [2]),
        ({"fields": (("n.m", "x"),)}, [2]),
        ({"fields": (("none", "null"),)}, [3]),
        ({"fields": (("date", "2026"),)}, [4]),
        ({"fields": (("list", "[1]"),)}, []),
        ({"fields": (("user.name.first", "ada"),)}, []),
        ({"text": "user", "fields": (("user.name", "bob"),)}, [2]),
        ({"task": 3, "text": "plain"}, [0]),
        ({"task": 4}, []),
        ({"pattern": "^a user (came|left)$"}, [1, 2]),
        ({"pattern": "came|words"}, [0, 1]),
        ({"pattern": r"\w+é"}, [5]),
        ({"pattern": r"(?i)PLAIN"}, [0]),
        ({"pattern": r"(?i)KAME|\\ QUOTED"}, [3]),
        ({"pattern": r"(?i)CAFÉ"}, [5]),
        ({"pattern": r"(?i)W.RD|L.FT"}, [0, 2]),
        ({"pattern": r"w.rds", "task": 3}, [0]),
        ({"pattern": r"w.rds", "task": 4}, []),
        ({"pattern": r"\N{LATIN SMALL LETTER E WITH ACUTE}"}, [5]),
        ({"pattern": "é|user"}, [1, 2, 5]),
        ({"pattern": "^.{11}$"}, [0, 1, 2]),
        ({"pattern": "user", "severities": ("ERROR",)}, [2]),
        ({"pattern": "(?i)USER", "severities": ("ERROR",)}, [2]),
        ({"pattern": r"\x75ser|\x77ords"}, [0, 1, 2]),
    ],
)
def test_what_is_wanted_is_found(
    structured: list[Path], wanted: dict[str, Any], lines: list[int]
) -> None:
    every = [one.text for one in read_page(structured[0]).entries]
    assert len(every) == 6
    assert found(structured, **wanted) == [every[number] for number in lines]


def test_the_newest_are_kept_and_told_in_order(tmp_path: Path) -> None:
    paths = written(
        tmp_path,
        b"".join(entry(second, f"new {second}") for second in range(50, 60)),
        b"".join(entry(second, f"old {second}") for second in range(10)),
    )
    paths.append(tmp_path / "gone.log")
    assert found(paths, 3, text=" ") == ["new 57", "new 58", "new 59"]
    assert found(paths, 12, text=" ")[:3] == ["old 8", "old 9", "new 50"]
    assert found(paths, 12, pattern="old|new")[:3] == ["old 8", "old 9", "new 50"]
    assert found([], text="a") == []


def test_times_are_found_by_halving(tmp_path: Path) -> None:
    content = b"".join(entry(second, f"at {second} {'.' * 500}") for second in range(5000))
    paths = written(tmp_path, content)
    at: dict[str, Any] = {"since": AT + 3000 * SECOND, "before": AT + 3003 * SECOND}
    assert [text[:7] for text in found(paths, **at)] == ["at 3000", "at 3001", "at 3002"]
    asked = Search(Wanted(text="at ", **at), 10)
    assert search(paths, asked).bytes_searched < len(content)
    assert found(paths, since=AT + 9000 * SECOND) == []
    assert found(paths, before=AT) == []
    assert search(paths, Search(Wanted(since=AT + 9000 * SECOND), 1)).bytes_searched < 2**17
    torn = written(tmp_path, b"x" * 200_000 + b"\n" + entry(1, "last"))
    assert found(torn, since=AT) == ["last"]


def test_parts_of_a_file_are_searched_by_processes(
    tmp_path: Path,
) -> None:
    content = b"".join(entry(second, f"line {second}") for second in range(2000))
    paths = written(tmp_path, content, content)
    pieces = [
        scan(str(paths[0]), start, start + 777, Matcher(Wanted(text="line 1")), 2000)
        for start in range(0, len(content), 777)
    ]
    assert [line for piece in pieces for _, line in piece] == [
        line for line in content.splitlines() if b'"line 1' in line
    ]
    every = found(paths, 5000, pattern=r"line \d*7$")
    assert len(every) == 400
    assert found(paths, 3, pattern=r"7$") == ["line 1977", "line 1987", "line 1997"]


def test_an_expression_that_never_ends_is_cut_off(tmp_path: Path) -> None:
    paths = written(tmp_path, entry(1, "a" * 40 + "b"))
    findings = search(paths, Search(Wanted(pattern="(a+)+$"), 10, processes=1, seconds_max=0.3))
    assert (findings.found, findings.complete) == ((), False)


def test_a_line_without_an_end_is_no_line(tmp_path: Path) -> None:
    paths = written(tmp_path, b"x" * (9 * 2**20) + b"\n" + entry(1, "whole"))
    assert found(paths, text="whole") == ["whole"]
    assert found(written(tmp_path, b"whole" * 10), text="whole") == []
    long = "y" * (2**20 + 5)
    assert found(written(tmp_path, entry(1, long)), text="yyy") == [long]


words = st.text(st.sampled_from('ab1 "\\{}é\u2028\t'), max_size=6)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(words, max_size=8), words, st.integers(1, 5))
def test_plain_text_is_found_wherever_it_is(
    tmp_path: Path, lines: list[str], text: str, limit: int
) -> None:
    paths = written(tmp_path, b"".join(entry(place, line) for place, line in enumerate(lines)))
    assert found(paths, limit, text=text) == [line for line in lines if text in line][-limit:]


lines_written = st.text(st.sampled_from('abiIkKsS12 "\\é\u2028\u212a\u017f\t\x1f'), max_size=9)
TORN = ('{"t":1', '{"t":1,"k":0,"m":"ab', '{"t":1,"m":"a"', "", "{}", '"m":"ab"}', '"m":"a"x')
EXPRESSION_PIECES = (
    "a",
    "b",
    "iks",
    "ab",
    "i",
    ".",
    r"\d",
    r"\w+",
    r"\s",
    "[^a]",
    "(ab|1)",
    "(?:a|k)",
    "S?",
    "^",
    "$",
    "|",
    '"',
    r"\\",
    "é",
    r"\b",
    r"\u212a",
    r"\x1f",
    r"\x41bc",
    "(?=b)",
    "2{2}",
    "aba",
)
expressions = st.lists(st.sampled_from(EXPRESSION_PIECES), max_size=4)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.lists(lines_written | st.sampled_from(TORN).map(str.encode), max_size=8),
    st.sampled_from(("", "(?i)")),
    expressions,
)
def test_an_expression_is_found_wherever_it_is(
    tmp_path: Path, lines: list[str | bytes], flags: str, pieces: list[str]
) -> None:
    pattern = flags + "".join(pieces)
    content = [
        line + b"\n" if isinstance(line, bytes) else entry(place, line, severity="INFO")
        for place, line in enumerate(lines)
    ]
    (path,) = written(tmp_path, b"".join(content))
    hits = scan(str(path), 0, path.stat().st_size, Matcher(Wanted(pattern=pattern)), 9)
    every = [one.text for one in read_page(path).entries]
    assert [json.loads(line)["m"] for _, line in hits] == [
        text for text in every if re.search(pattern, text)
    ]


def test_the_program_needs_nothing_but_the_standard_library(tmp_path: Path) -> None:
    (path,) = written(tmp_path, entry(1, "here it is"))
    units = [(0, str(path), 0, path.stat().st_size), (1, str(tmp_path / "gone"), 0, 9)]
    order = {"wanted": Wanted(text="it").as_json(), "limit": 5, "units": units}
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", searching._CODE, searching._ROOT],
        input=json.dumps(order).encode(),
        capture_output=True,
        check=True,
    )
    first, second = (json.loads(line) for line in done.stdout.splitlines())
    assert first[0] == 0
    assert "here it is" in first[1][0][1]
    assert second == [1, []]
