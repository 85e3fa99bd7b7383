"""What stands before the words of a line: times, levels, names of whoever wrote it. Pure.

Rules that look at the beginning of a line (the name of an exception, a frame of a stack) see the
same line whether a program wrote it by itself or by way of a logger, a builder or a supervisor.
"""

from __future__ import annotations

import re

PIECES_MAX = 6  #: pieces that are taken away from one line

_LEVEL = r"(?:TRACE|DEBUG|INFO|NOTICE|WARN(?:ING)?|ERROR|SEVERE|CRITICAL|FATAL)"
_PIECE = re.compile(
    r"\s{0,8}(?:"
    # 2024-01-02T03:04:05.678Z, [2024-01-02, 03:04:05 UTC], 2024/01/02 03:04:05
    r"[\[(<]?\d{4}[-/]\d\d[-/]\d\d(?:[ T,]{1,2}\d\d:\d\d(?::\d\d)?(?:[.,]\d{1,9})?)?"
    r"(?: ?(?:Z|UTC|GMT|[+-]\d\d:?\d\d))?[\])>]?"
    # 03:04:05,678 (log4j's short form), [03:04:05]
    r"|\[?\d\d:\d\d:\d\d(?:[.,]\d{1,9})?\]?"
    # Jan  2 03:04:05 host program[12]: (RFC 3164)
    r"|[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d(?: [\w.-]{1,60} [\w./-]{1,40}(?:\[\d{1,9}\])?:)?"
    # I0102 03:04:05.678901    12 file.go:34] (glog)
    r"|[IWEF]\d{4} \d\d:\d\d:\d\d\.\d{1,9} +\d{1,9} [\w./-]{1,60}:\d{1,6}\]"
    # npm, git's other side, a box of Terraform's, a step of BuildKit, pytest, ray, compose
    r"|npm (?:ERR!|error)|remote:|[│▕]|#\d{1,4} \d{1,6}\.\d{1,4}|E {2}(?= )"
    r"|\(pid=[^)\n]{1,80}\)|[\w.-]{1,40} {1,20}\|"
    # [worker], ##[error], but no code that a rule reads
    r"|(?:##)?\[(?!Err|WinErr|SSL|LDAP|HY\d)[A-Za-z][\w .:/#$-]{0,60}\]:?"
    rf"|{_LEVEL}(?= {{1,4}}[-|:] )"
    r")(?: ?[-|:](?= ))?(?=\s|$)"
)


def bare(line: str) -> str:
    """`line` without what stands before its words; its own indentation stays."""
    at = 0
    for _ in range(PIECES_MAX):
        piece = _PIECE.match(line, at)
        if piece is None:
            break
        at = piece.end()
    return line if at == 0 else line[at + 1 :]
