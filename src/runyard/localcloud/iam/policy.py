"""Policies: who has which role on one resource. Values, and what becomes of them. Pure."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import dataclass, replace

from runyard.localcloud.iam.names import check_member, check_role, everybody
from runyard.localcloud.iam.roles import allows
from runyard.model.errors import Fault, InvalidSpec, StaleEtag

MEMBERS_MAX = 1500  #: principals in the bindings of one policy (cloud.google.com/iam/quotas)
NO_ETAG = "ACAB"  #: Google's etag of a policy that nobody has set yet


@dataclass(frozen=True, slots=True, order=True)
class Grant:
    """One member has one role."""

    role: str
    member: str


@dataclass(frozen=True, slots=True)
class Policy:
    """Everybody who has a role on a resource. `version` counts its changes, from 0: never set."""

    grants: frozenset[Grant] = frozenset()
    version: int = 0

    @property
    def etag(self) -> str:
        """Another one after each change: given back, it tells of changes made in between."""
        return base64.b64encode(self.version.to_bytes(8)).decode() if self.version else NO_ETAG

    @property
    def bindings(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """(role, its members), both in order: Google's form of it."""
        roles: dict[str, list[str]] = {}
        for grant in sorted(self.grants):
            roles.setdefault(grant.role, []).append(grant.member)
        return tuple((role, tuple(members)) for role, members in roles.items())

    def with_grants(self, grants: Iterable[Grant]) -> Policy:
        """The policy with exactly `grants`; itself when it has them. Raises InvalidSpec."""
        wanted = frozenset(grants)
        if wanted == self.grants:
            return self
        for grant in sorted(wanted - self.grants):
            check_role(grant.role)
            check_member(grant.member)
        members = len({grant.member for grant in wanted})
        if members > MEMBERS_MAX:
            fault = Fault("policy.bindings", f"{members} members", f"at most {MEMBERS_MAX}")
            raise InvalidSpec(str(fault), faults=(fault,))
        return replace(self, grants=wanted, version=self.version + 1)

    def expect(self, etag: str) -> None:
        """Raises StaleEtag when `etag` is given and another one than the policy's."""
        if etag and etag != self.etag:
            raise StaleEtag(
                "there were concurrent policy changes",
                hint="read the policy again, change that one, and set it with its etag",
            )

    def gives(self, member: str) -> frozenset[str]:
        """Every permission that the policy gives a member."""
        roles = {g.role for g in self.grants if g.member == member or everybody(g.member)}
        return frozenset(permission for role in roles for permission in allows(role))


def policy_of(bindings: Iterable[tuple[str, Iterable[str]]], version: int = 0) -> Policy:
    """The policy that (role, members) say."""
    return Policy(
        frozenset(Grant(role, each) for role, members in bindings for each in members), version
    )
