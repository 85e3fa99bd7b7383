"""Jobs of before there were policies keep reading what they read; a cloud keeps its name."""

from __future__ import annotations

import asyncio
from pathlib import Path

from runyard.database.sqlite import InlineSqlite
from runyard.localcloud.cloudrun.resources import Job
from runyard.localcloud.facts import fact, settled
from runyard.localcloud.iam.names import secret_name
from runyard.localcloud.schema import migrate
from runyard.model.operation import StepKind
from runyard.provider.local.access import LocalAccess
from runyard.provider.local.adoption import adopt
from runyard.provider.port_access import Identity
from tests.support.cloud import START, TickingClock, make_template, make_world
from tests.support.fake_spawner import FakeSpawner


def make_job(name: str, region: str, account: str, *secrets: str) -> Job:
    env = [
        {"name": f"S{number}", "valueSource": {"secretKeyRef": {"secret": secret}}}
        for number, secret in enumerate(secrets)
    ]
    template = make_template(env=env)
    template["template"]["serviceAccount"] = account
    return Job("shop", region, name, "uid", 1, template, (), START, START)


def test_jobs_of_before_read_what_they_name_and_no_more(tmp_path: Path) -> None:
    async def main() -> None:
        world = await make_world(tmp_path, FakeSpawner(TickingClock()))
        cloud = world.neighbours
        for name in ("a", "b", "c"):
            await cloud.secrets.create("local", name, b"value")
        jobs = [
            make_job("one", "us-central1", "one-job", "a"),
            make_job("one", "europe-west1", "one-job", "b"),
            make_job("two", "us-central1", "", "b"),
            make_job("none", "us-central1", "none-job"),
        ]
        for _ in range(2):
            await adopt(cloud, jobs)
        readers = {}
        for name in ("a", "b", "c"):
            policy = await cloud.policies.policy(secret_name("local", name))
            readers[name] = {grant.member.partition("@")[0] for grant in policy.grants}
        assert readers["a"] == {"serviceAccount:one-job"}
        assert len(readers["b"]) == 2
        assert readers["c"] == set()
        assert [one.email for one in await cloud.accounts.accounts("shop")] == [
            "one-job@shop.iam.gserviceaccount.com"
        ]
        # applied again, the job has what its document says: all of it is held for the job
        gone = Identity("shop", "local", "one", {}, {})
        done = await LocalAccess(cloud).do(StepKind.UNBIND, gone)
        assert [kind for kind, _ in done.touched] == ["binding", "binding", "service account"]
        await world.close()

    asyncio.run(main())


def test_a_fact_is_written_once() -> None:
    async def main() -> None:
        database = InlineSqlite(":memory:")
        await migrate(database, START)
        assert await fact(database, "id") is None
        assert await settled(database, "id", "first") == "first"
        assert await settled(database, "id", "second") == "first"
        assert await fact(database, "id") == "first"
        await database.close()

    asyncio.run(main())
