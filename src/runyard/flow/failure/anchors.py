"""Plain texts without which an expression finds nothing, read from the expression itself. Pure.

To look for a plain text costs a hundredth of what it costs to try an expression, and of the
hundreds of expressions of `log_rules` nearly none has anything to find in a log. Only what these
rules use of the language of expressions is understood.
"""

from __future__ import annotations

import re

_TOKEN = re.compile(
    r"(?P<class>\[\^?\]?(?:\\.|[^\]\\])*\]|\\[bBdDwWsSAZ]|[.^$])|\\(?P<escaped>.)"
    r"|(?P<look>\(\?(?:<?!|<?=|[a-z]+\)))|(?P<opens>\((?:\?:|\?[a-z]+:)?)|(?P<closes>\))"
    r"|(?P<choice>\|)|(?P<least>\?\??|\*\??|\{0?,\d*\}\??|\{0\}\??)|(?P<more>\+\??|\{\d+,?\d*\}\??)"
    r"|(?P<plain>.)",
    re.DOTALL,
)
_NONE = frozenset({""})
_Tokens = list[re.Match[str]]


def anchors(pattern: str) -> frozenset[str]:
    """Plain texts in lower case, one of which at least is wherever `pattern` finds something, in
    whatever case. `""` among them means that nothing is known."""
    found, _ = _choices(list(_TOKEN.finditer(pattern)), 0)
    return found


def _choices(tokens: _Tokens, at: int) -> tuple[frozenset[str], int]:
    """The anchors of the alternatives from `at` on, and where they end."""
    found: frozenset[str] = frozenset()
    while True:
        one, at = _sequence(tokens, at)
        found |= one
        if at == len(tokens) or tokens[at].lastgroup == "closes":
            return (_NONE if "" in found else found), at
        at += 1


def _sequence(tokens: _Tokens, at: int) -> tuple[frozenset[str], int]:
    """The sharpest anchors of what stands in a row from `at` on, and where it ends."""
    candidates, run = [_NONE], ""
    while at < len(tokens) and tokens[at].lastgroup not in {"closes", "choice"}:
        kind, token = tokens[at].lastgroup, tokens[at]
        at += 1
        after = tokens[at].lastgroup if at < len(tokens) else None
        if kind in {"plain", "escaped"} and after != "least":
            run += (token["plain"] or token["escaped"]).lower()
            continue
        candidates.append(frozenset({run}))
        run = ""
        if kind in {"opens", "look"} and not token[0].endswith(")"):
            inner, end = _choices(tokens, at)
            at = end + 1
            after = tokens[at].lastgroup if at < len(tokens) else None
            if kind == "opens" and after != "least":
                candidates.append(inner)
    candidates.append(frozenset({run}))
    return max(candidates, key=_sharpness), at


def _sharpness(candidate: frozenset[str]) -> tuple[int, int]:
    return min(map(len, candidate)), -len(candidate)
