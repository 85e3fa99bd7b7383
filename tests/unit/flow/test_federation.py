"""Rules about whom an issuer knows: read, and held against identities."""

from __future__ import annotations

import pytest

from runyard.flow.federation import GOOGLE, grants_of
from runyard.model.federation import rules_of
from runyard.model.principal import ANYWHERE, Grant, Identity, Role

RULES = rules_of(
    "Ann@Example.com=admin, @example.com=viewer,sub:1234=operator@dev , @example.com=operator@dev,"
)
OTHER = "https://issuer.example.org"


@pytest.mark.parametrize(
    ("identity", "expected"),
    [
        (
            Identity(OTHER, "1", "ann@example.com"),
            (Grant(Role.ADMIN), Grant(Role.VIEWER), Grant(Role.OPERATOR, "dev")),
        ),
        (
            Identity(OTHER, "1", "BOB@EXAMPLE.COM"),
            (Grant(Role.VIEWER), Grant(Role.OPERATOR, "dev")),
        ),
        (Identity(OTHER, "1234"), (Grant(Role.OPERATOR, "dev"),)),
        (Identity(OTHER, "1"), ()),
        (Identity(OTHER, "1", "bob@sub.example.com"), ()),
        (Identity(OTHER, "1", '"bob@example.com"@evil.com'), ()),
        (
            Identity(OTHER, "1", '"bob@evil.com"@example.com'),
            (Grant(Role.VIEWER), Grant(Role.OPERATOR, "dev")),
        ),
        (Identity(OTHER, "1", "bob@evil.com", "example.com"), ()),
        (Identity(GOOGLE, "1", "bob@example.com"), ()),
        (
            Identity(GOOGLE, "1", "bob@example.com", "example.com"),
            (Grant(Role.VIEWER), Grant(Role.OPERATOR, "dev")),
        ),
        (Identity(GOOGLE, "1", "", "example.com"), ()),
    ],
)
def test_a_rule_gives_what_it_says_to_whom_it_fits(
    identity: Identity, expected: tuple[Grant, ...]
) -> None:
    assert grants_of(RULES, identity) == expected


def test_no_rules_are_no_rules() -> None:
    assert rules_of(" ") == ()
    assert rules_of("a@b=viewer")[0].grant.environment == ANYWHERE


@pytest.mark.parametrize(
    "text", ["ann", "ann=admin", "ann@x", "ann@x=boss", "ann@x=admin@Prod", "=admin", "@=admin"]
)
def test_what_is_no_rule_says_what_one_is(text: str) -> None:
    with pytest.raises(ValueError, match="rules such as"):
        rules_of(f"a@b=viewer,{text}")
