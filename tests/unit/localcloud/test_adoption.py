"""Jobs of before there were policies keep reading what they read; a cloud keeps its name."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from runyard.database.sqlite import InlineSqlite
from runyard.localcloud.facts import fact, settled
from runyard.localcloud.iam.names import secret_name
from runyard.localcloud.schema import migrate
from runyard.model.operation import StepKind
from runyard.provider.local.access import LocalAccess
from runyard.provider.local.adoption import adopt
from runyard.provider.port_access import Identity
from tests.support.cloud import START, TickingClock, make_template, make_world
from tests.support.fake_spawner import FakeSpawner


def make_job(name: str, account: str, *secrets: str, environment: str = "local") -> Identity:
    env: list[dict[str, Any]] = [
        {"name": f"S{number}", "valueSource": {"secretKeyRef": {"secret": secret}}}
        for number, secret in enumerate(secrets)
    ]
    template = make_template(env=env)
    template["template"]["serviceAccount"] = account
    return Identity("shop", environment, name, {"template": template}, {})


def test_jobs_of_before_read_what_they_name_and_no_more(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        world = await make_world(tmp_path, FakeSpawner(TickingClock()))
        cloud = world.neighbours
        for name in ("a", "b", "c"):
            await cloud.secrets.create("local", name, b"value")
        disabled = await cloud.accounts.create("shop", "disabled")
        await cloud.accounts.disable(disabled.email)
        jobs = [
            make_job("refused", "disabled", "c"),
            make_job("one", "one-job", "a", "b", "later"),
            make_job("two", "", "b"),
            make_job("none", "none-job"),
            make_job("one", "one-job", "c", environment="dev"),
        ]
        await adopt(world.database, cloud, jobs)
        await adopt(world.database, cloud, [make_job("late", "late-job", "a")])  # never again
        assert "job refused of project shop has no rights yet" in caplog.text
        readers = {}
        for project, name in (("local", "a"), ("local", "b"), ("local", "c"), ("dev", "c")):
            policy = await cloud.policies.policy(secret_name(project, name))
            readers[project, name] = {grant.member.partition("@")[0] for grant in policy.grants}
        assert readers["local", "a"] == {"serviceAccount:one-job"}
        assert len(readers["local", "b"]) == 2
        assert readers["local", "c"] == set()
        assert readers["dev", "c"] == {"serviceAccount:one-job"}
        # all of it is held for the job, and goes with it
        gone = Identity("shop", "local", "one", {}, {})
        done = await LocalAccess(cloud).do(StepKind.UNBIND, gone)
        kinds = [kind for kind, _ in done.touched]
        assert kinds == ["binding", "binding", "binding", "service account"]
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
