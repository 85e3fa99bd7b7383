"""What IAM keeps, asked within a transaction: policies, service accounts, and for whose sake."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from runyard.database.port import Row, Tx
from runyard.localcloud.iam.accounts import ServiceAccount
from runyard.localcloud.iam.names import ancestors
from runyard.localcloud.iam.policy import Grant, Policy
from runyard.localcloud.schema import load_queries
from runyard.model.instants import from_micros, to_micros


@dataclass(frozen=True, slots=True, order=True)
class Hold:
    """A grant on a resource that is there for somebody's sake."""

    resource: str
    grant: Grant


class IamBook:
    """IAM's rows, in the words of `dialect`."""

    def __init__(self, dialect: str) -> None:
        self._sql = load_queries(dialect)

    # -- policies --------------------------------------------------------------------------------
    async def policy(self, tx: Tx, resource: str) -> Policy:
        """The policy of a resource; an empty one when none was ever set."""
        versions = await tx.fetch(self._sql["policy_version"], (resource,))
        rows = await tx.fetch(self._sql["grants_of_resource"], (resource,))
        grants = frozenset(Grant(role, member) for role, member in rows)
        return Policy(grants, int(versions[0][0]) if versions else 0)

    async def put_policy(self, tx: Tx, resource: str, before: Policy, after: Policy) -> None:
        """Keep `after` where `before` was. Nobody holds what is gone."""
        if after == before:
            return
        gone = [(resource, g.role, g.member) for g in before.grants - after.grants]
        new = [(resource, g.role, g.member) for g in after.grants - before.grants]
        await tx.execute_many(self._sql["grant_remove"], gone)
        await tx.execute_many(self._sql["holds_remove_grant"], gone)
        await tx.execute_many(self._sql["grant_add"], new)
        await tx.execute(self._sql["policy_put"], (resource, after.version))

    async def forget(self, tx: Tx, resource: str) -> None:
        """The resource is gone, and its policy with it."""
        for query in ("grants_forget", "holds_forget", "policy_forget"):
            await tx.execute(self._sql[query], (resource,))

    async def permissions(self, tx: Tx, member: str, resource: str) -> frozenset[str]:
        """What a member may do with a resource, by its own policy and its project's.

        A service account that is disabled or deleted may nothing.
        """
        kind, _, email = member.partition(":")
        if kind == "serviceAccount":
            account = await self.account(tx, email)
            if account is not None and (account.disabled or account.deleted_at is not None):
                return frozenset()
        policies = [await self.policy(tx, each) for each in ancestors(resource)]
        return frozenset(given for policy in policies for given in policy.gives(member))

    # -- holds -----------------------------------------------------------------------------------
    async def held(self, tx: Tx, holder: str) -> frozenset[Hold]:
        """Every grant that is there for a holder's sake."""
        rows = await tx.fetch(self._sql["holds_of_holder"], (holder,))
        return frozenset(Hold(resource, Grant(role, member)) for resource, role, member in rows)

    async def is_held(self, tx: Tx, hold: Hold) -> bool:
        """True when a grant is there for anybody's sake."""
        key = (hold.resource, hold.grant.role, hold.grant.member)
        return bool(await tx.fetch(self._sql["holders_of_grant"], key))

    async def holders(self, tx: Tx, resource: str) -> list[str]:
        """For whose sake anything is granted on a resource, in order."""
        return [row[0] for row in await tx.fetch(self._sql["holders_of_resource"], (resource,))]

    async def hold(self, tx: Tx, holder: str, hold: Hold) -> None:
        """From now on a grant is there for `holder`'s sake too."""
        row = (holder, hold.resource, hold.grant.role, hold.grant.member)
        await tx.execute(self._sql["hold_add"], row)

    async def let_go(self, tx: Tx, holder: str, hold: Hold) -> None:
        """`holder` does not need a grant any more."""
        row = (holder, hold.resource, hold.grant.role, hold.grant.member)
        await tx.execute(self._sql["hold_remove"], row)

    # -- service accounts ------------------------------------------------------------------------
    async def account(self, tx: Tx, email: str) -> ServiceAccount | None:
        """The account of an email, else the one that was deleted last."""
        rows = await tx.fetch(self._sql["account_by_email"], (email,))
        return _account_of(rows[0]) if rows else None

    async def account_by_unique_id(self, tx: Tx, unique_id: str) -> ServiceAccount | None:
        """An account, deleted or not."""
        rows = await tx.fetch(self._sql["account_by_unique_id"], (unique_id,))
        return _account_of(rows[0]) if rows else None

    async def accounts(self, tx: Tx, project: str) -> list[ServiceAccount]:
        """A project's accounts that are not deleted, by email."""
        return [
            _account_of(row) for row in await tx.fetch(self._sql["accounts_of_project"], (project,))
        ]

    async def put_account(self, tx: Tx, account: ServiceAccount) -> None:
        """Keep an account as it is now."""
        deleted = None if account.deleted_at is None else to_micros(account.deleted_at)
        row = (
            account.unique_id, account.email, account.project, account.display_name,
            to_micros(account.created_at), int(account.disabled), deleted, int(account.kept),
        )  # fmt: skip
        await tx.execute(self._sql["account_put"], row)

    async def rename_member(self, tx: Tx, before: str, after: str) -> None:
        """Every policy that names `before` names `after`; so a new account of an old email has
        nothing of the old one."""
        for resource, role, member in await tx.fetch(self._sql["grants_of_member"], (before,)):
            policy = await self.policy(tx, resource)
            grants = (policy.grants - {Grant(role, member)}) | {Grant(role, after)}
            holders = await tx.fetch(self._sql["holders_of_grant"], (resource, role, member))
            await self.put_policy(tx, resource, policy, policy.with_grants(grants))
            for (holder,) in holders:
                await self.hold(tx, holder, Hold(resource, Grant(role, after)))

    async def purge_accounts(self, tx: Tx, deleted_before: datetime) -> None:
        """Forget accounts that cannot be had back any more."""
        await tx.execute(self._sql["accounts_purge"], (to_micros(deleted_before),))


def _account_of(row: Row) -> ServiceAccount:
    return ServiceAccount(
        unique_id=row[0],
        email=row[1],
        project=row[2],
        display_name=row[3],
        created_at=from_micros(row[4]),
        disabled=bool(row[5]),
        deleted_at=None if row[6] is None else from_micros(row[6]),
        kept=bool(row[7]),
    )
