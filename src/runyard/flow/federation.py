"""Which roles somebody has whom an issuer knows.

An address counts only when the issuer says that it is verified. The accounts of Google may have
an address of any domain: there, a domain's rule is about the organisation that Google names.
"""

from __future__ import annotations

from collections.abc import Sequence

from runyard.model.federation import Rule
from runyard.model.principal import Grants, Identity

GOOGLE = "https://accounts.google.com"


def grants_of(rules: Sequence[Rule], identity: Identity) -> Grants:
    """All that the rules which fit give."""
    return tuple(rule.grant for rule in rules if _fits(rule.who, identity))


def _fits(who: str, identity: Identity) -> bool:
    if who.startswith("sub:"):
        return who == f"sub:{identity.subject}"
    address = identity.email.lower()
    if not who.startswith("@"):
        return who == address
    if identity.issuer == GOOGLE:
        return who == f"@{identity.domain.lower()}" and bool(address)
    return bool(address) and who == f"@{address.rpartition('@')[2]}"
