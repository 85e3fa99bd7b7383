"""Policies of this cloud's resources: read, set with an etag, bound and unbound, asked.

A grant is made by a person, or for somebody's sake (a holder, such as a job): `settle` makes
those of one holder what they shall be, and never touches what a person made or another needs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from runyard.database.port import Database, Tx
from runyard.localcloud.iam.book import Hold, IamBook
from runyard.localcloud.iam.names import is_googles, kind_of
from runyard.localcloud.iam.policy import Grant, Policy, policy_of
from runyard.model.errors import Fault, InvalidSpec

_PERMISSIONS_MAX = 100  #: of one TestIamPermissions (google.iam.v1.IAMPolicy)


@dataclass(frozen=True, slots=True)
class Settlement:
    """What settling a holder's grants changed."""

    added: tuple[Hold, ...] = ()
    removed: tuple[Hold, ...] = ()


class Policies:
    """The policies in `database`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._book = IamBook(database.dialect)

    async def policy(self, resource: str) -> Policy:
        """A resource's policy; an empty one when none was ever set. Raises InvalidSpec."""
        kind_of(resource)
        return await self._database.read(lambda tx: self._book.policy(tx, resource))

    async def set_policy(
        self, resource: str, bindings: Iterable[tuple[str, Iterable[str]]], etag: str = ""
    ) -> Policy:
        """Replace a resource's policy by (role, members).

        Raises InvalidSpec, and StaleEtag when `etag` is given and somebody was faster.
        """
        wanted = policy_of(bindings).grants
        return await self._change(resource, lambda _: wanted, etag)

    async def bind(self, resource: str, role: str, member: str) -> Policy:
        """Give a member a role; no effect when it has it. Raises InvalidSpec."""
        return await self._change(resource, lambda grants: grants | {Grant(role, member)})

    async def unbind(self, resource: str, role: str, member: str) -> Policy:
        """Take a role from a member; no effect when it has not got it. Raises InvalidSpec."""
        return await self._change(resource, lambda grants: grants - {Grant(role, member)})

    async def test_permissions(
        self, member: str, resource: str, permissions: Sequence[str]
    ) -> tuple[str, ...]:
        """Those of `permissions` that `member` has on a resource. Raises InvalidSpec."""
        if len(permissions) > _PERMISSIONS_MAX:
            fault = Fault(
                "permissions", f"{len(permissions)} of them", f"at most {_PERMISSIONS_MAX}"
            )
            raise InvalidSpec(str(fault), faults=(fault,))
        work = self._database.read
        had = await work(lambda tx: self._book.permissions(tx, member, resource))
        return tuple(each for each in permissions if each in had)

    async def settle(self, holder: str, wanted: Iterable[Hold]) -> Settlement:
        """Make `wanted` all that is granted for `holder`'s sake.

        Idempotent. Raises InvalidSpec for a role, a member or a resource that is none.
        """
        wish = frozenset(wanted)
        for hold in wish:
            kind_of(hold.resource)

        async def work(tx: Tx) -> Settlement:
            held = {hold for hold in await self._book.held(tx, holder) if hold.grant.role}
            added = [hold for hold in sorted(wish - held) if await self._give(tx, holder, hold)]
            removed = [hold for hold in sorted(held - wish) if await self._take(tx, holder, hold)]
            return Settlement(tuple(added), tuple(removed))

        return await self._database.write(work)

    async def _give(self, tx: Tx, holder: str, hold: Hold) -> bool:
        """True when nobody had given it before."""
        policy = await self._book.policy(tx, hold.resource)
        there = hold.grant in policy.grants
        if there and not await self._book.is_held(tx, hold):
            return False  # a person gave it, and only a person takes it
        if not there:
            await self._known(tx, [hold.grant])
            after = policy.with_grants(policy.grants | {hold.grant})
            await self._book.put_policy(tx, hold.resource, policy, after)
        await self._book.hold(tx, holder, hold)
        return not there

    async def _take(self, tx: Tx, holder: str, hold: Hold) -> bool:
        """True when nobody else needs it."""
        await self._book.let_go(tx, holder, hold)
        if await self._book.is_held(tx, hold):
            return False
        policy = await self._book.policy(tx, hold.resource)
        after = policy.with_grants(policy.grants - {hold.grant})
        await self._book.put_policy(tx, hold.resource, policy, after)
        return True

    async def _change(
        self,
        resource: str,
        change: Callable[[frozenset[Grant]], frozenset[Grant]],
        etag: str = "",
    ) -> Policy:
        kind_of(resource)

        async def work(tx: Tx) -> Policy:
            policy = await self._book.policy(tx, resource)
            policy.expect(etag)
            after = policy.with_grants(change(policy.grants))
            await self._known(tx, after.grants - policy.grants)
            await self._book.put_policy(tx, resource, policy, after)
            return after

        return await self._database.write(work)

    async def _known(self, tx: Tx, grants: Iterable[Grant]) -> None:
        """Raises InvalidSpec for a service account that there is not, as Google does."""
        for grant in sorted(grants):
            kind, _, email = grant.member.partition(":")
            if kind != "serviceAccount" or is_googles(email):
                continue
            account = await self._book.account(tx, email)
            if account is None or account.deleted_at is not None:
                fault = Fault("member", grant.member, "a service account that there is")
                raise InvalidSpec(f"service account {email} does not exist", faults=(fault,))
