"""Rules of the settings about whom an issuer knows, such as
`ann@example.com=admin, @example.com=viewer, sub:1234=operator@dev`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from runyard.model.principal import ANYWHERE, Grant, Role

RULE_EXPECTED = (
    "rules such as ann@example.com=admin, @example.com=viewer or sub:1234=operator@dev, separated "
    "by commas"
)
_RULE = re.compile(
    r"(?P<who>sub:[!-+\--<>-~]{1,255}|[^\s@,=]*@[^\s@,=]+)"
    r"=(?P<role>viewer|operator|admin)(?:@(?P<place>[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?))?"
)


@dataclass(frozen=True, slots=True)
class Rule:
    """Who (`address`, `@domain` or `sub:subject`), and what they get."""

    who: str
    grant: Grant


def rules_of(text: str) -> tuple[Rule, ...]:
    """The rules in a setting. Raises ValueError that says what was expected."""
    found = []
    for each in filter(None, (part.strip() for part in text.split(","))):
        match = _RULE.fullmatch(each)
        if match is None:
            raise ValueError(RULE_EXPECTED)
        place = match["place"] or ANYWHERE
        who = match["who"] if match["who"].startswith("sub:") else match["who"].lower()
        found.append(Rule(who, Grant(Role(match["role"]), place)))
    return tuple(found)
