"""The service accounts of this cloud: made, disabled, deleted, had back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from runyard.database.port import Database, Tx
from runyard.localcloud.iam.accounts import (
    ACCOUNTS_MAX,
    UNDELETE_WITHIN,
    ServiceAccount,
    unique_id,
)
from runyard.localcloud.iam.book import Hold, IamBook
from runyard.localcloud.iam.names import account_member, check_account_id, email_of
from runyard.localcloud.iam.policy import Grant
from runyard.model.errors import AlreadyExists, NotFound, QuotaExceeded

_FOR_ITS_SAKE = Grant("", "")  #: how a hold of an account itself is written


class Directory:
    """The service accounts in `database`. `chance(bits)` gives a random number of so many bits."""

    def __init__(
        self, database: Database, clock: Callable[[], datetime], chance: Callable[[int], int]
    ) -> None:
        self._database = database
        self._clock = clock
        self._chance = chance
        self._book = IamBook(database.dialect)

    async def create(self, project: str, account_id: str, display_name: str = "") -> ServiceAccount:
        """A new service account of a project.

        Raises InvalidSpec, AlreadyExists, QuotaExceeded (100 of a project).
        """
        check_account_id(account_id)
        new = self._new(project, email_of(project, account_id), display_name, kept=True)

        async def work(tx: Tx) -> ServiceAccount:
            found = await self._book.account(tx, new.email)
            if found is not None and found.deleted_at is None:
                raise AlreadyExists(f"service account {new.email} already exists")
            await self._add(tx, new)
            return new

        return await self._database.write(work)

    async def account(self, email: str) -> ServiceAccount:
        """The service account of this email. Raises NotFound, also when it is deleted."""
        return await self._database.read(lambda tx: self._live(tx, email))

    async def accounts(self, project: str) -> list[ServiceAccount]:
        """A project's service accounts, by email."""
        return await self._database.read(lambda tx: self._book.accounts(tx, project))

    async def disable(self, email: str, disabled: bool = True) -> ServiceAccount:
        """From now on the account may nothing, or (not `disabled`) what its roles allow again.

        Idempotent. Raises NotFound.
        """

        async def work(tx: Tx) -> ServiceAccount:
            after = replace(await self._live(tx, email), disabled=disabled)
            await self._book.put_account(tx, after)
            return after

        return await self._database.write(work)

    async def delete(self, email: str) -> ServiceAccount:
        """Delete an account; for 30 days it can be had back. Raises NotFound."""
        now = self._clock()

        async def work(tx: Tx) -> ServiceAccount:
            return await self._delete(tx, await self._live(tx, email), now)

        return await self._database.write(work)

    async def undelete(self, unique_id: str) -> ServiceAccount:
        """Have a deleted account back, with its roles.

        Raises NotFound when it was never there or for too long not, AlreadyExists when another one
        has its email now.
        """
        now = self._clock()

        async def work(tx: Tx) -> ServiceAccount:
            found = await self._book.account_by_unique_id(tx, unique_id)
            if (
                found is None
                or found.deleted_at is None
                or found.deleted_at < now - UNDELETE_WITHIN
            ):
                raise NotFound(
                    f"there is no deleted service account {unique_id}",
                    hint="one can be had back for 30 days; create it anew and bind its roles",
                )
            other = await self._book.account(tx, found.email)
            if other is not None and other.deleted_at is None:
                raise AlreadyExists(f"there is another service account {found.email} now")
            return await self._undelete(tx, found)

        return await self._database.write(work)

    # -- for a holder's sake -----------------------------------------------------------------------
    async def ensure(self, holder: str, project: str, email: str) -> tuple[ServiceAccount, bool]:
        """The service account of `email`, and True when it had to be made (or had back).

        It is there for `holder`'s sake as for that of others, unless a person made it: `release`
        of the last one deletes it. Raises QuotaExceeded.
        """
        new = self._new(project, email, "", kept=False)

        async def work(tx: Tx) -> tuple[ServiceAccount, bool]:
            found = await self._book.account(tx, email)
            if found is not None and found.deleted_at is None:
                made = False
            else:
                made = True
                found = await self._make(tx, found, new)
            if not found.kept:
                await self._book.hold(tx, holder, Hold(found.name, _FOR_ITS_SAKE))
            return found, made

        return await self._database.write(work)

    async def release(self, holder: str, keeping: str = "") -> list[ServiceAccount]:
        """`holder` needs no account but that of the email `keeping`. Those that nobody needs any
        more are deleted, and returned. Idempotent."""
        now = self._clock()

        async def work(tx: Tx) -> list[ServiceAccount]:
            held = [hold for hold in await self._book.held(tx, holder) if not hold.grant.role]
            gone: list[ServiceAccount] = []
            for hold in sorted(held):
                email = hold.resource.rpartition("/")[2]
                if email == keeping:
                    continue
                await self._book.let_go(tx, holder, hold)
                account = await self._book.account(tx, email)
                if account and not account.deleted_at and not await self._book.is_held(tx, hold):
                    gone.append(await self._delete(tx, account, now))
            return gone

        return await self._database.write(work)

    async def _make(
        self, tx: Tx, before: ServiceAccount | None, new: ServiceAccount
    ) -> ServiceAccount:
        """The one that went with its last holder is had back; what a person deleted is not."""
        oldest = new.created_at - UNDELETE_WITHIN
        if before and before.deleted_at and before.deleted_at >= oldest and not before.kept:
            return await self._undelete(tx, before)
        await self._add(tx, new)
        return new

    # -- rows --------------------------------------------------------------------------------------
    def _new(self, project: str, email: str, display_name: str, *, kept: bool) -> ServiceAccount:
        identity = unique_id(self._chance(80))
        return ServiceAccount(identity, email, project, display_name, self._clock(), kept=kept)

    async def _add(self, tx: Tx, account: ServiceAccount) -> None:
        if len(await self._book.accounts(tx, account.project)) >= ACCOUNTS_MAX:
            raise QuotaExceeded(
                f"project {account.project} has {ACCOUNTS_MAX} service accounts, its quota",
                hint="delete those that no job uses",
            )
        await self._book.purge_accounts(tx, account.created_at - UNDELETE_WITHIN)
        await self._book.put_account(tx, account)

    async def _live(self, tx: Tx, email: str) -> ServiceAccount:
        found = await self._book.account(tx, email)
        if found is None or found.deleted_at is not None:
            raise NotFound(f"there is no service account {email}")
        return found

    async def _delete(self, tx: Tx, account: ServiceAccount, now: datetime) -> ServiceAccount:
        after = replace(account, deleted_at=now)
        await self._book.put_account(tx, after)
        member = account_member(account.email)
        await self._book.rename_member(tx, member, account.deleted_member)
        return after

    async def _undelete(self, tx: Tx, account: ServiceAccount) -> ServiceAccount:
        after = replace(account, deleted_at=None)
        await self._book.put_account(tx, after)
        member = account_member(account.email)
        await self._book.rename_member(tx, account.deleted_member, member)
        return after
