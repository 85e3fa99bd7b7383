"""Environments in force and their revisions, on every database."""

from __future__ import annotations

import asyncio

from runyard.database.port import Tx
from runyard.gate.environments import AppliedEnvironment, ApplyEnvironments
from runyard.model.environment import Environment
from runyard.store.environments import EnvironmentRow
from tests.support.databases import Grounds
from tests.support.gates import yard_on
from tests.support.runs import NOW

PLAIN, GUARDED = Environment(), Environment(approvals=2, regions=("us-east1",))


def test_environments_are_put_in_force_and_revised(grounds: Grounds) -> None:
    async def scene() -> None:
        async with grounds.furnished() as database:
            yard = yard_on(database)

            async def apply(
                project: str, by: str, **found: Environment
            ) -> list[AppliedEnvironment]:
                return await yard.gate.ask(ApplyEnvironments(project, found, by, NOW))

            first, other = await asyncio.gather(  # decided in one batch
                apply("shop", "ann", dev=PLAIN, prod=PLAIN), apply("bank", "ann", dev=PLAIN)
            )
            assert [(one.name, one.change) for one in first] == [
                ("dev", "created"), ("prod", "created"),
            ]  # fmt: skip
            assert [(one.name, one.revision) for one in other] == [("dev", 1)]
            again = await apply("shop", "bob", dev=PLAIN, prod=GUARDED)
            assert [(one.change, one.revision) for one in again] == [
                ("unchanged", 1), ("updated", 2),
            ]  # fmt: skip

            async def read(
                tx: Tx,
            ) -> tuple[list[EnvironmentRow], list[EnvironmentRow], list[tuple[str, int]]]:
                store = yard.store.environments
                kept = [(row.name, row.revision) for row in await store.revisions(tx)]
                assert await store.used(tx) == {}
                assert await store.of_project(tx, "nobody") == []
                return await store.named(tx, "dev"), await store.every(tx), kept

            named, every, revisions = await database.read(read)
            assert [(row.project, row.applied_by) for row in named] == [
                ("bank", "ann"), ("shop", "ann"),
            ]  # fmt: skip
            assert [(row.project, row.name, row.environment) for row in every] == [
                ("bank", "dev", PLAIN), ("shop", "dev", PLAIN), ("shop", "prod", GUARDED),
            ]  # fmt: skip
            assert (every[-1].applied_at, every[-1].applied_by) == (NOW, "bob")
            assert revisions == [("dev", 1), ("dev", 1), ("prod", 1), ("prod", 2)]

    asyncio.run(scene())
