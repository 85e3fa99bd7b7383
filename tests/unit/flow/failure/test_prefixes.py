"""What stands before the words of a line is taken away, and nothing else is."""

from __future__ import annotations

import pytest

from runyard.flow.failure.prefixes import PIECES_MAX, bare


@pytest.mark.parametrize(
    "before",
    [
        "2026-01-02T03:04:05.678Z ",
        "2026-01-02 03:04:05,678 ",
        "2026/01/02 03:04:05 ",
        "[2026-01-02, 03:04:05 UTC] ",
        "2026-01-02T03:04:05+01:00\t",
        "2026-01-02 - ",
        "03:04:05 ",
        "[03:04:05.6] ",
        "Jan  2 03:04:05 ",
        "Jan 12 03:04:05 host shop[12]: ",
        "I0102 03:04:05.678901    12 run.go:34] ",
        "npm ERR! ",
        "npm error ",
        "remote: ",
        "│ ",
        "#12 34.5 ",
        "E   ",
        "(pid=3, ip=10.0.0.1) ",
        "web_1  | ",
        "[worker] ",
        "[worker-3:main]: ",
        "##[error] ",
        "ERROR - ",
        "CRITICAL | ",
        "2026-01-02 03:04:05 [main] ERROR - ",
        "web-1  | 2026-01-02 03:04:05 ",
    ],
)
def test_what_stands_before_the_words_is_taken_away(before: str) -> None:
    assert bare(f"{before}socket hang up").strip() == "socket hang up"


@pytest.mark.parametrize(
    "line",
    [
        "",
        "socket hang up",
        "    at com.shop.Job.run(Job.java:3)",
        "[Errno 13] Permission denied",
        "[Error: ORA-12170: TNS:Connect timeout occurred] {",
        "[WinError 5] Access is denied",
        "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed",
        "[HY000] [2002] Connection refused",
        "ERROR 1045 (28000): Access denied",
        "ERROR: no luck",
        "12 rows",
        "#12 pushing layers",
        "remote:end",
        "2026-01-02x",
    ],
)
def test_what_says_something_stays(line: str) -> None:
    assert bare(line) == line


def test_indentation_behind_a_prefix_stays() -> None:
    assert bare("│   on main.tf line 3:") == "  on main.tf line 3:"
    assert bare('#14 104.8   File "x.py", line 3') == '  File "x.py", line 3'


def test_only_so_many_pieces_are_taken_away() -> None:
    assert bare("[a] " * PIECES_MAX + "b") == "b"
    assert bare("[a] " * (PIECES_MAX + 1) + "b") == "[a] b"


def test_a_line_of_nothing_but_a_prefix_is_empty() -> None:
    assert bare("[worker]") == ""
    assert bare("│") == ""
