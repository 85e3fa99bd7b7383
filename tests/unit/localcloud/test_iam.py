"""Service accounts and policies, by Google's rules, and grants that are there for a job's sake."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runyard.database.sqlite import InlineSqlite
from runyard.localcloud.iam.book import Hold
from runyard.localcloud.iam.directory import Directory
from runyard.localcloud.iam.names import (
    ancestors,
    bucket_name,
    default_email,
    email_of,
    job_name,
    kind_of,
    project_name,
    secret_name,
    secrets_project,
    topic_name,
)
from runyard.localcloud.iam.policies import Policies
from runyard.localcloud.iam.policy import MEMBERS_MAX, NO_ETAG, Grant, Policy
from runyard.localcloud.iam.roles import ACCESS_SECRET, ACCESSOR, ROLES, allows
from runyard.localcloud.schema import migrate
from runyard.model.errors import (
    AlreadyExists,
    InvalidSpec,
    NotFound,
    PlatformError,
    QuotaExceeded,
    StaleEtag,
)
from tests.support.cloud import START, TickingClock

DB, KEY = secret_name("local", "db"), secret_name("local", "key")
ANNA, BERT = "user:anna@example.com", "user:bert@example.com"


@dataclass(frozen=True)
class Iam:
    policies: Policies
    accounts: Directory
    clock: TickingClock


def with_iam(scenario: Callable[[Iam], Awaitable[None]]) -> None:
    async def main() -> None:
        database, clock = InlineSqlite(":memory:"), TickingClock()
        await migrate(database, START)
        iam = Iam(Policies(database), Directory(database, clock, Random(1).getrandbits), clock)
        await scenario(iam)
        await database.close()

    asyncio.run(main())


async def refused(kind: type[PlatformError], call: Awaitable[object]) -> PlatformError:
    with pytest.raises(kind) as caught:
        await call
    return caught.value


# -- names ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("resource", "kind", "above"),
    [
        (project_name("shop"), "project", ()),
        (job_name("shop:dev", "us-central1", "a"), "job", ("projects/shop:dev",)),
        (DB, "secret", ("projects/local",)),
        (bucket_name("reports"), "bucket", ()),
        (topic_name("shop", "orders"), "topic", ("projects/shop",)),
        ("projects/shop/serviceAccounts/a@b.c", "serviceAccount", ("projects/shop",)),
    ],
)
def test_a_resource_is_under_its_projects_policy(
    resource: str, kind: str, above: tuple[str, ...]
) -> None:
    assert kind_of(resource) == kind
    assert ancestors(resource) == (resource, *above)


def test_what_is_no_resource_is_refused() -> None:
    with pytest.raises(InvalidSpec, match="resource is 'projects/shop/moons/a'"):
        kind_of("projects/shop/moons/a")


def test_emails_are_googles() -> None:
    assert email_of("shop", "report") == "report@shop.iam.gserviceaccount.com"
    assert email_of("shop:dev", "report") == "report@dev.shop.iam.gserviceaccount.com"
    assert email_of("shop", "a@other.iam.gserviceaccount.com") == "a@other.iam.gserviceaccount.com"
    assert email_of("shop", "") == default_email("shop") != default_email("shop:dev")
    number, _, rest = default_email("shop").partition("-")
    assert len(number) == 12
    assert rest == "compute@developer.gserviceaccount.com"


def test_the_projects_of_an_environment_share_their_secrets() -> None:
    assert secrets_project("shop") == secrets_project("bank") == "local"
    assert secrets_project("shop:dev") == "dev"


# -- roles ---------------------------------------------------------------------------------------
def test_only_who_is_meant_to_reads_secrets() -> None:
    readers = {role for role in ROLES if ACCESS_SECRET in allows(role)}
    assert readers == {"roles/owner", "roles/secretmanager.admin", ACCESSOR}


def test_executors_neither_look_nor_override() -> None:
    assert allows("roles/run.jobsExecutor") == {"run.jobs.run", "run.executions.cancel"}
    assert "run.executions.cancel" not in allows("roles/run.invoker")
    assert "run.jobs.setIamPolicy" not in allows("roles/run.developer")
    assert allows("roles/bigquery.dataViewer") == frozenset()


# -- policies ------------------------------------------------------------------------------------
def test_a_policy_changes_only_by_its_present_etag() -> None:
    async def scenario(iam: Iam) -> None:
        assert (await iam.policies.policy(DB)).etag == NO_ETAG
        first = await iam.policies.set_policy(DB, [(ACCESSOR, [ANNA])], NO_ETAG)
        assert await iam.policies.policy(DB) == first
        await refused(StaleEtag, iam.policies.set_policy(DB, [(ACCESSOR, [BERT])], NO_ETAG))
        assert (await iam.policies.policy(DB)).bindings == ((ACCESSOR, (ANNA,)),)
        second = await iam.policies.set_policy(DB, [(ACCESSOR, [BERT])], first.etag)
        assert second.etag not in (first.etag, NO_ETAG)
        same = await iam.policies.set_policy(DB, [(ACCESSOR, [BERT])])
        assert same == second

    with_iam(scenario)


def test_binding_twice_is_binding_once() -> None:
    async def scenario(iam: Iam) -> None:
        first = await iam.policies.bind(DB, ACCESSOR, ANNA)
        assert await iam.policies.bind(DB, ACCESSOR, ANNA) == first
        gone = await iam.policies.unbind(DB, ACCESSOR, ANNA)
        assert gone.bindings == ()
        assert await iam.policies.unbind(DB, ACCESSOR, ANNA) == gone

    with_iam(scenario)


@pytest.mark.parametrize(
    ("role", "member", "words"),
    [
        ("secretAccessor", ANNA, "role is 'secretAccessor'"),
        (ACCESSOR, "anna@example.com", "member is 'anna@example.com'"),
        (ACCESSOR, "serviceAccount:x@shop.iam.gserviceaccount.com", "does not exist"),
    ],
)
def test_what_google_would_not_bind_is_refused(role: str, member: str, words: str) -> None:
    async def scenario(iam: Iam) -> None:
        error = await refused(InvalidSpec, iam.policies.bind(DB, role, member))
        assert words in error.message
        assert (await iam.policies.policy(DB)).etag == NO_ETAG

    with_iam(scenario)


def test_a_policy_holds_so_many_members() -> None:
    grants = [Grant(ACCESSOR, f"user:u{n}@example.com") for n in range(MEMBERS_MAX)]
    full = Policy().with_grants(grants)
    with pytest.raises(InvalidSpec, match="1501 members"):
        full.with_grants([*grants, Grant(ACCESSOR, ANNA)])


def test_permissions_come_from_the_resource_and_its_project() -> None:
    async def scenario(iam: Iam) -> None:
        async def may(member: str, resource: str) -> bool:
            return bool(await iam.policies.test_permissions(member, resource, [ACCESS_SECRET]))

        assert not await may(ANNA, DB)
        await iam.policies.bind(DB, ACCESSOR, ANNA)
        assert await may(ANNA, DB)
        assert not await may(ANNA, KEY)
        assert not await may(BERT, DB)
        await iam.policies.bind("projects/local", "roles/secretmanager.admin", BERT)
        assert await may(BERT, DB)
        assert await may(BERT, KEY)
        assert not await may(BERT, secret_name("dev", "db"))
        await iam.policies.bind(KEY, ACCESSOR, "allUsers")
        assert await may(ANNA, KEY)
        asked = ["run.jobs.run", ACCESS_SECRET, "secretmanager.versions.add"]
        assert await iam.policies.test_permissions(BERT, DB, asked) == tuple(asked[1:])
        await refused(InvalidSpec, iam.policies.test_permissions(ANNA, DB, ["a.b.c"] * 101))

    with_iam(scenario)


# -- service accounts ------------------------------------------------------------------------------
def test_the_life_of_a_service_account() -> None:
    async def scenario(iam: Iam) -> None:
        made = await iam.accounts.create("shop", "reporter", "Reports")
        assert len(made.unique_id) == 21
        assert made.name == f"projects/shop/serviceAccounts/{made.email}"
        assert await iam.accounts.account(made.email) == made
        assert await iam.accounts.accounts("shop") == [made]
        await refused(AlreadyExists, iam.accounts.create("shop", "reporter"))
        await refused(InvalidSpec, iam.accounts.create("shop", "short"))
        await refused(NotFound, iam.accounts.account("nobody@shop.iam.gserviceaccount.com"))

    with_iam(scenario)


def test_a_disabled_account_may_nothing() -> None:
    async def scenario(iam: Iam) -> None:
        email = (await iam.accounts.create("shop", "reporter")).email
        member = f"serviceAccount:{email}"
        await iam.policies.bind(DB, ACCESSOR, member)
        for disabled, wanted in ((True, ()), (True, ()), (False, (ACCESS_SECRET,))):
            await iam.accounts.disable(email, disabled)
            got = await iam.policies.test_permissions(member, DB, [ACCESS_SECRET])
            assert got == wanted

    with_iam(scenario)


def test_a_deleted_account_comes_back_with_its_roles_within_30_days() -> None:
    async def scenario(iam: Iam) -> None:
        made = await iam.accounts.create("shop", "reporter")
        member = f"serviceAccount:{made.email}"
        await iam.policies.bind(DB, ACCESSOR, member)
        await iam.accounts.delete(made.email)
        await refused(NotFound, iam.accounts.delete(made.email))
        assert (await iam.policies.policy(DB)).bindings == ((ACCESSOR, (made.deleted_member,)),)
        assert await iam.policies.test_permissions(member, DB, [ACCESS_SECRET]) == ()
        iam.clock.now += timedelta(days=29)
        assert await iam.accounts.undelete(made.unique_id) == made
        assert await iam.policies.test_permissions(member, DB, [ACCESS_SECRET]) == (ACCESS_SECRET,)
        await refused(NotFound, iam.accounts.undelete(made.unique_id))

        await iam.accounts.delete(made.email)
        iam.clock.now += timedelta(days=31)
        await refused(NotFound, iam.accounts.undelete(made.unique_id))

    with_iam(scenario)


def test_a_new_account_of_an_old_email_has_nothing_of_the_old_one() -> None:
    async def scenario(iam: Iam) -> None:
        old = await iam.accounts.create("shop", "reporter")
        await iam.policies.bind(DB, ACCESSOR, f"serviceAccount:{old.email}")
        await iam.accounts.delete(old.email)
        new = await iam.accounts.create("shop", "reporter")
        assert new.unique_id != old.unique_id
        member = f"serviceAccount:{new.email}"
        assert await iam.policies.test_permissions(member, DB, [ACCESS_SECRET]) == ()
        await refused(AlreadyExists, iam.accounts.undelete(old.unique_id))

    with_iam(scenario)


def test_a_project_has_so_many_accounts() -> None:
    async def scenario(iam: Iam) -> None:
        for number in range(100):
            await iam.accounts.create("shop", f"account-{number}")
        await refused(QuotaExceeded, iam.accounts.create("shop", "one-more"))
        await iam.accounts.create("bank", "one-more")

    with_iam(scenario)


# -- for a holder's sake ---------------------------------------------------------------------------
def test_an_account_goes_with_the_last_job_that_it_was_made_for() -> None:
    email = email_of("shop", "reporter")

    async def scenario(iam: Iam) -> None:
        first, made = await iam.accounts.ensure("job a", "shop", email)
        assert made
        assert await iam.accounts.ensure("job b", "shop", email) == (first, False)
        assert await iam.accounts.ensure("job b", "shop", email) == (first, False)
        assert await iam.accounts.release("job a", keeping=email) == []
        assert await iam.accounts.release("job a") == []
        assert [each.email for each in await iam.accounts.release("job b")] == [email]
        assert await iam.accounts.release("job b") == []
        again, made = await iam.accounts.ensure("job a", "shop", email)
        assert made
        assert again == first  # had back, not made anew
        await iam.accounts.release("job a")
        iam.clock.now += timedelta(days=31)
        anew, made = await iam.accounts.ensure("job a", "shop", email)
        assert made
        assert anew.unique_id != first.unique_id

    with_iam(scenario)


def test_an_account_that_a_person_made_stays() -> None:
    async def scenario(iam: Iam) -> None:
        made = await iam.accounts.create("shop", "reporter")
        assert await iam.accounts.ensure("job a", "shop", made.email) == (made, False)
        assert await iam.accounts.release("job a") == []
        assert await iam.accounts.account(made.email) == made

    with_iam(scenario)


GRANTS = [
    Hold(DB, Grant(ACCESSOR, ANNA)),
    Hold(DB, Grant(ACCESSOR, BERT)),
    Hold(KEY, Grant(ACCESSOR, ANNA)),
]
STEPS = st.lists(
    st.tuples(st.sampled_from(["a", "b"]), st.sets(st.sampled_from(GRANTS))), max_size=8
)


@given(person=st.sets(st.sampled_from(GRANTS)), steps=STEPS)
def test_what_is_granted_is_what_people_gave_and_what_holders_want(
    person: set[Hold], steps: list[tuple[str, set[Hold]]]
) -> None:
    async def scenario(iam: Iam) -> None:
        for hold in sorted(person):
            await iam.policies.bind(hold.resource, hold.grant.role, hold.grant.member)
        wanted: dict[str, set[Hold]] = {}
        before = set(person)
        for holder, wish in steps:
            wanted[holder] = wish
            done = await iam.policies.settle(holder, wish)
            now = {
                Hold(resource, grant)
                for resource in (DB, KEY)
                for grant in (await iam.policies.policy(resource)).grants
            }
            assert now == person.union(*wanted.values())
            assert set(done.added) == now - before
            assert set(done.removed) == before - now
            assert (await iam.policies.settle(holder, wish)).added == ()
            before = now

    with_iam(scenario)
