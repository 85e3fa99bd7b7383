"""The local cloud gives a job what its document asks for, and takes it away again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runyard.database.sqlite import InlineSqlite
from runyard.localcloud.iam.names import bucket_name, secret_name
from runyard.localcloud.iam.roles import ACCESS_SECRET, ACCESSOR
from runyard.localcloud.neighbours import Neighbours
from runyard.localcloud.schema import migrate
from runyard.localcloud.secrets.keys import KeyFiles
from runyard.model.errors import NotFound, ProviderRefused
from runyard.model.operation import StepKind
from runyard.model.secret import VersionState
from runyard.provider.local.access import LocalAccess
from runyard.provider.port_access import Identity, Settled
from tests.support.cloud import START, TickingClock

REPORT = "report-job@shop.iam.gserviceaccount.com"
DB, KEY = secret_name("local", "db"), secret_name("local", "key")
GIVING = (StepKind.IDENTITY, StepKind.SECRETS)
TAKING = (StepKind.UNBIND, StepKind.RETIRE)


@dataclass(frozen=True)
class Stage:
    cloud: Neighbours
    access: LocalAccess
    clock: TickingClock

    async def give(self, identity: Identity) -> list[Settled]:
        return [await self.access.do(kind, identity) for kind in GIVING]

    async def take(self, identity: Identity) -> list[Settled]:
        return [await self.access.do(kind, identity) for kind in TAKING]

    async def reads(self, email: str, *resources: str) -> list[bool]:
        member = f"serviceAccount:{email}"
        ask = self.cloud.policies.test_permissions
        return [bool(await ask(member, each, [ACCESS_SECRET])) for each in resources]

    async def everything(self) -> Any:
        """All that IAM and the secrets say."""
        policies = [
            (await self.cloud.policies.policy(each)).bindings
            for each in (DB, KEY, bucket_name("reports"), "projects/shop")
        ]
        versions = [
            [version.state for version in await self.cloud.secrets.versions("local", name)]
            for name in ("db", "key")
        ]
        return policies, await self.cloud.accounts.accounts("shop"), versions


def with_stage(folder: Path, scenario: Callable[[Stage], Awaitable[None]]) -> None:
    async def main() -> None:
        database, clock = InlineSqlite(":memory:"), TickingClock()
        await migrate(database, START)
        keys, chance = KeyFiles(folder / "secrets.key"), Random(1).getrandbits
        cloud = Neighbours.over(database, keys, clock, chance)
        labels = {"owner-project": "shop", "owner-job": "report"}
        await cloud.secrets.create("local", "db", b"value")
        await cloud.secrets.create("local", "key", b"value", labels)
        await scenario(Stage(cloud, LocalAccess(cloud), clock))
        await database.close()

    asyncio.run(main())


def test_what_an_identity_lacks_is_named_and_nothing_is_changed(tmp_path: Path) -> None:
    async def scenario(stage: Stage) -> None:
        wish = job(document("db:latest", buckets=[{"name": "reports", "access": "write"}]))
        before = await stage.everything()
        lacking = await stage.access.missing(wish)
        assert any("there is no service account" in words for words in lacking), lacking
        assert await stage.everything() == before
        await stage.give(wish)
        assert await stage.access.missing(wish) == ()
        await stage.cloud.policies.unbind(DB, ACCESSOR, f"serviceAccount:{REPORT}")
        await stage.cloud.accounts.disable(REPORT)
        await stage.cloud.secrets.disable("local", "db", "1")
        assert sorted(await stage.access.missing(wish)) == [
            f"service account {REPORT} is disabled",
            f"serviceAccount:{REPORT} has not {ACCESSOR} on {DB}",
            "version 1 of secret db is disabled",
        ]
        assert await stage.access.missing(job(document(account=""))) == ()

    with_stage(tmp_path, scenario)


def document(*secrets: str, account: str = "report-job", **needs: Any) -> dict[str, Any]:
    env = [
        {"name": f"S{number}", "valueSource": {"secretKeyRef": {"secret": secret, "version": at}}}
        for number, (secret, _, at) in enumerate(one.partition(":") for one in secrets)
    ]
    task: dict[str, Any] = {"containers": [{"image": "x", "env": env}]}
    if account:
        task["serviceAccount"] = account
    return {"template": {"template": task}, "needs": needs}


def job(wish: dict[str, Any] | None, before: dict[str, Any] | None = None) -> Identity:
    return Identity("shop", "local", "report", wish or {}, before or {})


def test_a_job_may_read_the_secrets_it_names_and_no_other(tmp_path: Path) -> None:
    async def scenario(stage: Stage) -> None:
        identity, secrets = await stage.give(job(document("db:latest")))
        assert identity.message == f"it runs as {REPORT}"
        assert identity.touched == (("service account", REPORT),)
        assert secrets.message == "it reads db"
        assert secrets.touched == (
            ("binding", f"{ACCESSOR} on projects/local/secrets/db for serviceAccount:{REPORT}"),
        )
        assert await stage.reads(REPORT, DB, KEY) == [True, False]
        again = await stage.give(job(document("db:latest")))
        assert [one.touched for one in again] == [(), ()]
        assert [one.message for one in again] == [identity.message, secrets.message]

    with_stage(tmp_path, scenario)


def test_another_revision_lets_go_of_what_it_does_not_need(tmp_path: Path) -> None:
    async def scenario(stage: Stage) -> None:
        first, second = document("db:latest"), document("projects/p/secrets/key:1")
        await stage.give(job(first))
        await stage.give(job(second, first))
        assert await stage.reads(REPORT, DB, KEY) == [False, True]
        third = document(account="other-job")
        await stage.give(job(third, second))
        assert await stage.reads(REPORT, DB, KEY) == [False, False]

    with_stage(tmp_path, scenario)


def test_volumes_and_needs_name_secrets_too(tmp_path: Path) -> None:
    async def scenario(stage: Stage) -> None:
        wish = document(secrets=["key"])
        wish["template"]["template"]["volumes"] = [
            {"name": "a", "secret": {"secret": "db", "items": [{"path": "x", "version": "1"}]}},
            {"name": "b", "secret": {"secret": "db"}},
            {"name": "c", "emptyDir": {}},
        ]
        await stage.give(job(wish))
        assert await stage.reads(REPORT, DB, KEY) == [True, True]

    with_stage(tmp_path, scenario)


def test_needs_are_roles_on_what_is_needed(tmp_path: Path) -> None:
    needs: dict[str, Any] = {
        "buckets": [{"name": "reports", "access": "write"}, {"name": "inputs"}],
        "topics": [{"name": "orders"}, {"name": "news", "access": "subscribe"}],
        "roles": ["roles/logging.logWriter", "roles/bigquery.dataViewer"],
    }

    async def scenario(stage: Stage) -> None:
        done = await stage.access.do(StepKind.IDENTITY, job(document(**needs)))
        assert "roles/bigquery.dataViewer allows nothing on this machine" in done.message
        got = [name.partition(" for ")[0] for kind, name in done.touched if kind == "binding"]
        assert got == [
            "roles/storage.objectViewer on projects/_/buckets/inputs",
            "roles/storage.objectUser on projects/_/buckets/reports",
            "roles/bigquery.dataViewer on projects/shop",
            "roles/logging.logWriter on projects/shop",
            "roles/pubsub.subscriber on projects/shop/topics/news",
            "roles/pubsub.publisher on projects/shop/topics/orders",
        ]
        await stage.access.undo(StepKind.IDENTITY, job(document(**needs)), done.undo)
        assert (await stage.cloud.policies.policy(bucket_name("reports"))).bindings == ()
        assert await stage.cloud.accounts.accounts("shop") == []

    with_stage(tmp_path, scenario)


def test_a_job_without_an_account_gives_its_rights_to_the_default_one(tmp_path: Path) -> None:
    async def scenario(stage: Stage) -> None:
        identity, _ = await stage.give(job(document("db:latest", account="")))
        assert "default" in identity.message
        assert identity.touched == ()
        (binding,) = (await stage.cloud.policies.policy(DB)).bindings
        assert binding[1][0].endswith("-compute@developer.gserviceaccount.com")
        await stage.take(job(None, document("db:latest", account="")))
        assert (await stage.cloud.policies.policy(DB)).bindings == ()

    with_stage(tmp_path, scenario)


def test_what_cannot_be_read_is_all_named(tmp_path: Path) -> None:
    async def scenario(stage: Stage) -> None:
        await stage.cloud.secrets.disable("local", "key", "1")
        wish = job(document("db:7", "nowhere:latest", "key:latest", "db:stable"))
        with pytest.raises(ProviderRefused) as caught:
            await stage.access.do(StepKind.SECRETS, wish)
        assert caught.value.message == (
            "job report cannot read its secrets: secret db has no version 7; secret db has no"
            " version stable; version 1 of secret key is disabled; there is no secret nowhere"
        )
        assert "apply again" in caught.value.hint
        assert (await stage.cloud.policies.policy(DB)).bindings == ()

    with_stage(tmp_path, scenario)


def test_a_disabled_account_is_refused(tmp_path: Path) -> None:
    async def scenario(stage: Stage) -> None:
        made = await stage.cloud.accounts.create("shop", "report-job")
        await stage.cloud.accounts.disable(made.email)
        with pytest.raises(ProviderRefused, match="is disabled"):
            await stage.access.do(StepKind.IDENTITY, job(document()))

    with_stage(tmp_path, scenario)


def test_deleting_a_job_takes_all_that_was_there_for_it_alone(tmp_path: Path) -> None:
    async def scenario(stage: Stage) -> None:
        wish = document("db:latest", "key:latest", roles=["roles/logging.logWriter"])
        await stage.give(job(wish))
        other = Identity("shop", "local", "other", document("db:latest"), {})
        await stage.give(other)
        unbound, retired = await stage.take(job(None, wish))
        assert [kind for kind, _ in unbound.touched] == ["binding", "binding"]
        assert retired.touched == (("access to secret", "key"),)
        assert await stage.reads(REPORT, DB, KEY) == [True, False]
        (key,) = await stage.cloud.secrets.versions("local", "key")
        assert key.state is VersionState.DISABLED
        gone = (await stage.take(replace(other, document={}, before=other.document)))[0]
        assert ("service account", REPORT) in gone.touched
        with pytest.raises(NotFound):
            await stage.cloud.accounts.account(REPORT)
        again = await stage.take(job(None, wish))
        assert [one.touched for one in again] == [(), ()]

    with_stage(tmp_path, scenario)


def test_what_a_job_owns_comes_back_with_it(tmp_path: Path) -> None:
    wish = document("key:latest")

    async def state(stage: Stage) -> VersionState:
        return (await stage.cloud.secrets.versions("local", "key"))[0].state

    async def scenario(stage: Stage) -> None:
        await stage.give(job(wish))
        await stage.take(job(None, wish))
        assert await state(stage) is VersionState.DISABLED
        with pytest.raises(ProviderRefused, match="no secret nowhere"):
            await stage.access.do(StepKind.SECRETS, job(document("key:latest", "nowhere:1")))
        assert await state(stage) is VersionState.DISABLED
        _, secrets = await stage.give(job(wish))
        assert await state(stage) is VersionState.ENABLED
        for _ in range(2):
            await stage.access.undo(StepKind.SECRETS, job(wish), secrets.undo)
            assert await state(stage) is VersionState.DISABLED
        await stage.give(job(wish))
        assert await stage.reads(REPORT, KEY) == [True]

    with_stage(tmp_path, scenario)


DOCUMENTS = st.sampled_from(
    [
        {},
        document("db:latest"),
        document("db:1", "key:latest", roles=["roles/logging.logWriter"]),
        document("key:1", account="other-job", buckets=[{"name": "reports"}]),
        document("db:latest", account=""),
    ]
)


@given(before=DOCUMENTS, after=DOCUMENTS, known=st.booleans())
def test_undoing_leaves_all_as_it_was(
    tmp_path_factory: pytest.TempPathFactory,
    before: dict[str, Any],
    after: dict[str, Any],
    known: bool,
) -> None:
    """Whether the step had answered or not, and asked twice."""

    async def scenario(stage: Stage) -> None:
        if before:
            await stage.give(job(before))
        was = await stage.everything()
        identity = job(after, before)
        steps = GIVING if after else TAKING
        done = [(kind, await stage.access.do(kind, identity)) for kind in steps]
        for kind, settled in reversed(done):
            for _ in range(2):
                await stage.access.undo(kind, identity, settled.undo if known else ())
        assert await stage.everything() == was

    with_stage(tmp_path_factory.mktemp("keys"), scenario)
