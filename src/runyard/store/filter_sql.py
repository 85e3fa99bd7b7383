"""A filter as a condition in SQL. Only the texts of this file and of its caller get into it; every
value is bound, so there is nothing that a filter could smuggle in.

Each condition is true or false, never unknown: NOT is then the opposite in SQL too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from runyard.database.port import Value
from runyard.model.filters import And, Comparison, Expression, Not, Or

Bound = Callable[[Value], str]  #: the placeholder of a new parameter
_LAST = chr(0x10FFFF)


@dataclass(frozen=True, slots=True)
class Column:
    """The SQL of a field. `present`: the condition that there is a value; empty: there always is.

    With `keyed`, `sql` is a condition on the row with a place for the key's placeholder and one for
    the condition on the value (`{key}`, `{value}`); `sql_value` is what that one is about.
    """

    sql: str
    present: str = ""
    keyed: bool = False
    sql_value: str = ""


def condition(expression: Expression, columns: Mapping[str, Column], bound: Bound) -> str:
    """`expression` in SQL. A field without a column raises KeyError: that is a mistake of ours."""
    match expression:
        case Not(part):
            return f"NOT {condition(part, columns, bound)}"
        case And(parts):
            return f"({' AND '.join(condition(part, columns, bound) for part in parts)})"
        case Or(parts):
            return f"({' OR '.join(condition(part, columns, bound) for part in parts)})"
    return _compared(expression, columns[expression.field], bound)


def _compared(asked: Comparison, column: Column, bound: Bound) -> str:
    if column.keyed:
        key = bound(asked.key)
        there = asked.operator == "there"
        value = "" if there else f" AND {_on(asked, column.sql_value, bound)}"
        return column.sql.format(key=key, value=value)
    if asked.operator == "there":
        return f"({column.present or '1 = 1'})"
    tested = _on(asked, column.sql, bound)
    return f"({column.present} AND {tested})" if column.present else f"({tested})"


def _on(asked: Comparison, sql: str, bound: Bound) -> str:
    if not asked.prefix:
        return f"{sql} {_OPERATORS[asked.operator]} {bound(asked.value)}"
    first = str(asked.value)
    if not first:
        return "1 = 1"
    # A range, which an index serves; texts are compared by their characters in both databases.
    after = following(first)
    above = f"{sql} >= {bound(first)}"
    return f"{above} AND {sql} < {bound(after)}" if after else above


_OPERATORS = {"=": "=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}


def following(prefix: str) -> str:
    """The first text after all that begin with `prefix`; empty when there is none."""
    kept = prefix.rstrip(_LAST)
    if not kept:
        return ""
    code = ord(kept[-1]) + 1
    return kept[:-1] + chr(0xE000 if code == 0xD800 else code)  # no halves of characters
