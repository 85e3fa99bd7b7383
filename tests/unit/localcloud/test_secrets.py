"""Secrets by Secret Manager's rules: numbered versions, states, aliases, owners; and who reads."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, fields
from datetime import timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest

from runyard.database.port import Database
from runyard.database.sqlite import InlineSqlite
from runyard.localcloud.iam.book import Hold
from runyard.localcloud.iam.names import secret_name
from runyard.localcloud.iam.policy import Grant
from runyard.localcloud.iam.roles import ACCESSOR
from runyard.localcloud.neighbours import Neighbours
from runyard.localcloud.schema import migrate
from runyard.localcloud.secrets.keys import KeyFiles
from runyard.localcloud.secrets.reading import ACCESSES_KEPT, Reader
from runyard.model.errors import (
    AlreadyExists,
    InvalidSpec,
    NotFound,
    PermissionDenied,
    PlatformError,
    Refused,
    StaleEtag,
)
from runyard.model.secret import AccessOutcome, VersionState
from tests.support.cloud import START, TickingClock

ANNA = Reader("user:anna")
ANYBODY = Reader("user:root", trusted=True)
HERE = "local"


@dataclass(frozen=True)
class Cloud(Neighbours):
    clock: TickingClock
    database: Database

    async def read(self, *refs: tuple[str, str], reader: Reader = ANYBODY) -> list[bytes]:
        return await self.reading.access(HERE, refs, reader)

    async def outcomes(self) -> list[tuple[str, str, int, str]]:
        """Every access, oldest first, as (secret, version, found, outcome)."""
        found = await self.secrets.accesses(HERE)
        return [(one.secret, one.version, one.found, one.outcome) for one in reversed(found)]


def with_cloud(scenario: Callable[[Cloud], Awaitable[None]], path: Path | None = None) -> None:
    async def main(folder: Path) -> None:
        database, clock = InlineSqlite(folder / "cloud.db"), TickingClock()
        await migrate(database, START)
        keys, chance = KeyFiles(folder / "secrets.key"), Random(1).getrandbits
        made = Neighbours.over(database, keys, clock, chance)
        parts = {each.name: getattr(made, each.name) for each in fields(Neighbours)}
        await scenario(Cloud(**parts, clock=clock, database=database))
        await database.close()

    if path is not None:
        asyncio.run(main(path))
        return
    with TemporaryDirectory() as name:
        asyncio.run(main(Path(name)))


async def refused(kind: type[PlatformError], call: Awaitable[object]) -> PlatformError:
    with pytest.raises(kind) as caught:
        await call
    return caught.value


# -- secrets and versions --------------------------------------------------------------------------
def test_versions_are_numbered_and_latest_is_the_newest() -> None:
    async def scenario(cloud: Cloud) -> None:
        box = cloud.secrets
        assert (await box.create(HERE, "a", b"one")).newest == 1
        assert (await box.add_version(HERE, "a", b"")).newest == 2
        assert (await box.add_version(HERE, "a", b"three")).newest == 3
        assert (await box.create(HERE, "b", b"other")).newest == 1
        refs = [("a", "1"), ("a", "2"), ("a", "latest"), ("projects/p/secrets/b", "latest")]
        assert await cloud.read(*refs) == [b"one", b"", b"three", b"other"]
        assert [secret.name for secret in await box.secrets(HERE)] == ["a", "b"]
        assert [one.number for one in await box.versions(HERE, "a")] == [3, 2, 1]
        assert await box.secrets("dev") == []
        error = await refused(AlreadyExists, box.create(HERE, "a"))
        assert "add-version a" in error.hint
        error = await refused(NotFound, box.add_version(HERE, "c", b"x"))
        assert "secrets create c" in error.hint

    with_cloud(scenario)


def test_environments_have_secrets_of_their_own() -> None:
    async def scenario(cloud: Cloud) -> None:
        await cloud.secrets.create("dev", "a", b"of dev")
        await cloud.secrets.create("prod", "a", b"of prod")
        for environment in ("dev", "prod"):
            got = await cloud.reading.access(environment, [("a", "latest")], ANYBODY)
            assert got == [f"of {environment}".encode()]

    with_cloud(scenario)


def test_a_version_that_is_not_enabled_is_read_by_nobody() -> None:
    async def scenario(cloud: Cloud) -> None:
        box = cloud.secrets
        await box.create(HERE, "a", b"one")
        await box.add_version(HERE, "a", b"two")
        for _ in range(2):
            assert (await box.disable(HERE, "a", "latest")).state is VersionState.DISABLED
        error = await refused(Refused, cloud.read(("a", "latest")))
        assert error.message == "version 2 of secret a is disabled"
        assert await cloud.read(("a", "1")) == [b"one"]
        for _ in range(2):
            assert (await box.enable(HERE, "a", "2")).state is VersionState.ENABLED
        assert await cloud.read(("a", "latest")) == [b"two"]

    with_cloud(scenario)


def test_a_destroyed_version_is_gone_for_good() -> None:
    async def scenario(cloud: Cloud) -> None:
        box = cloud.secrets
        await box.create(HERE, "a", b"one")
        gone = await box.destroy(HERE, "a", "1")
        assert gone.state is VersionState.DESTROYED
        assert gone.destroyed_at is not None
        assert await box.destroy(HERE, "a", "1") == gone
        await refused(Refused, cloud.read(("a", "1")))
        for change in (box.enable, box.disable):
            error = await refused(Refused, change(HERE, "a", "1"))
            assert "its value is gone" in error.message
        rows = await cloud.database.read(
            lambda tx: tx.fetch("SELECT key_id, key_sealed, sealed FROM secret_version")
        )
        assert rows == [("", None, None)]
        assert (await box.add_version(HERE, "a", b"two")).newest == 2

    with_cloud(scenario)


def test_aliases_name_versions() -> None:
    async def scenario(cloud: Cloud) -> None:
        box = cloud.secrets
        await box.create(HERE, "a", b"one")
        await box.add_version(HERE, "a", b"two")
        assert (await box.set_alias(HERE, "a", "stable", 1)).aliases == (("stable", 1),)
        assert await cloud.read(("a", "stable")) == [b"one"]
        await box.set_alias(HERE, "a", "stable", 2)
        assert await cloud.read(("a", "stable")) == [b"two"]
        await box.set_alias(HERE, "a", "stable", None)
        await refused(NotFound, cloud.read(("a", "stable")))
        await refused(NotFound, box.set_alias(HERE, "a", "stable", 3))
        for alias in ("latest", "NEW", "1st", "", "x" * 64):
            await refused(InvalidSpec, box.set_alias(HERE, "a", alias, 1))
        for number in range(50):
            await box.set_alias(HERE, "a", f"a{number}", 1)
        await refused(InvalidSpec, box.set_alias(HERE, "a", "one-more", 1))

    with_cloud(scenario)


def test_an_etag_tells_of_changes_in_between() -> None:
    async def scenario(cloud: Cloud) -> None:
        box = cloud.secrets
        before = await box.create(HERE, "a", b"one")
        after = await box.set_labels(HERE, "a", {"team": "data"}, before.etag)
        assert after.labels == (("team", "data"),)
        assert after.etag != before.etag
        assert await box.set_labels(HERE, "a", {"team": "data"}, after.etag) == after
        await refused(StaleEtag, box.set_labels(HERE, "a", {}, before.etag))
        await refused(StaleEtag, box.set_alias(HERE, "a", "x", 1, before.etag))
        await refused(StaleEtag, box.delete(HERE, "a", before.etag))
        assert await box.secret(HERE, "a") == after

    with_cloud(scenario)


@pytest.mark.parametrize(
    "labels",
    [{"Team": "x"}, {"team": "X"}, {"": ""}, {f"l{n}": "" for n in range(65)}],
    ids=["key", "value", "empty", "many"],
)
def test_labels_that_google_would_refuse_are(labels: dict[str, str]) -> None:
    async def scenario(cloud: Cloud) -> None:
        await refused(InvalidSpec, cloud.secrets.create(HERE, "a", b"one", labels))
        assert await cloud.secrets.secrets(HERE) == []

    with_cloud(scenario)


def test_a_secret_that_jobs_read_is_deleted_by_force_only() -> None:
    async def scenario(cloud: Cloud) -> None:
        await cloud.secrets.create(HERE, "a", b"one")
        grant = Grant(ACCESSOR, "user:anna")
        await cloud.policies.settle("shop/report#secrets", [Hold(secret_name(HERE, "a"), grant)])
        error = await refused(Refused, cloud.secrets.delete(HERE, "a"))
        assert error.message == "secret a is read by jobs: shop/report"
        await cloud.secrets.delete(HERE, "a", forced=True)
        assert await cloud.secrets.secrets(HERE) == []
        await cloud.secrets.create(HERE, "a", b"another")
        await refused(PermissionDenied, cloud.read(("a", "latest"), reader=ANNA))
        assert await cloud.read(("a", "1")) == [b"another"]

    with_cloud(scenario)


def test_what_a_job_owns_is_retired_and_restored_with_it() -> None:
    async def scenario(cloud: Cloud) -> None:
        box, owner = cloud.secrets, ("shop", "report")
        labels = {"owner-project": "shop", "owner-job": "report"}
        await box.create(HERE, "own", b"one", labels)
        await box.add_version(HERE, "own", b"two")
        await box.disable(HERE, "own", "1")
        await box.create(HERE, "other", b"one", {"owner-job": "report"})
        await box.create(HERE, "shared", b"one")
        assert await box.retire(HERE, owner) == ["own"]
        assert await box.retire(HERE, owner) == []
        states = [one.state for one in await box.versions(HERE, "own")]
        assert states == [VersionState.DISABLED] * 2
        assert await box.restore(HERE, owner) == ["own"]
        assert await box.restore(HERE, owner) == []
        states = [one.state for one in await box.versions(HERE, "own")]
        assert states == [VersionState.ENABLED, VersionState.DISABLED]
        assert await cloud.read(("other", "1"), ("shared", "1")) == [b"one", b"one"]

    with_cloud(scenario)


# -- reading ---------------------------------------------------------------------------------------
def test_everything_that_is_in_the_way_is_named() -> None:
    async def scenario(cloud: Cloud) -> None:
        await cloud.secrets.create(HERE, "a", b"one")
        await cloud.secrets.create(HERE, "empty")
        refs = [("a", "1"), ("a", "2"), ("b", "latest"), ("a", "stable"), ("empty", "latest")]
        error = await refused(NotFound, cloud.read(*refs))
        assert error.message == (
            "secret a has no version 2; there is no secret b; secret a has no version stable;"
            " secret empty has no version"
        )
        outcomes = [outcome for *_, outcome in await cloud.outcomes()]
        assert outcomes == ["granted", "missing", "missing", "missing", "missing"]

    with_cloud(scenario)


def test_only_who_may_reads_and_every_wish_is_recorded() -> None:
    async def scenario(cloud: Cloud) -> None:
        await cloud.secrets.create(HERE, "a", b"one")
        task = Reader("serviceAccount:x@developer.gserviceaccount.com", "report-abcde", "run_1/2")
        error = await refused(PermissionDenied, cloud.read(("a", "latest"), reader=task))
        assert error.message == (
            f"{task.member} may not read secret a: it has no {ACCESSOR} on projects/local/secrets/a"
        )
        assert f"secrets grant a {task.member}" in error.hint
        await cloud.policies.bind(secret_name(HERE, "a"), ACCESSOR, task.member)
        assert await cloud.read(("a", "latest"), reader=task) == [b"one"]
        assert await cloud.reading.may(HERE, "a", task.member)
        assert not await cloud.reading.may(HERE, "a", "user:bert")
        newest, first = await cloud.secrets.accesses(HERE, "a")
        assert (first.outcome, first.found) == (AccessOutcome.DENIED, 0)
        assert (newest.outcome, newest.found) == (AccessOutcome.GRANTED, 1)
        assert (newest.version, newest.member) == ("latest", task.member)
        assert (newest.execution, newest.attempt) == ("report-abcde", "run_1/2")
        assert await cloud.secrets.accesses(HERE, "a", before=newest.number) == [first]
        assert await cloud.secrets.accesses(HERE, limit=1) == [newest]
        assert await cloud.secrets.accesses("dev") == []
        assert await cloud.secrets.accesses(HERE, "b") == []

    with_cloud(scenario)


def test_one_thing_in_the_way_gives_nothing_of_the_rest() -> None:
    async def scenario(cloud: Cloud) -> None:
        for name in ("a", "b"):
            await cloud.secrets.create(HERE, name, b"value")
        await cloud.policies.bind(secret_name(HERE, "a"), ACCESSOR, ANNA.member)
        refs = [("a", "1"), ("b", "1"), ("c", "1")]
        error = await refused(PermissionDenied, cloud.read(*refs, reader=ANNA))
        assert "may not read secret b" in error.message
        assert "there is no secret c" in error.message

    with_cloud(scenario)


def test_accesses_are_forgotten_after_long() -> None:
    async def scenario(cloud: Cloud) -> None:
        await cloud.secrets.create(HERE, "a", b"one")
        await cloud.read(("a", "1"))
        cloud.clock.now += ACCESSES_KEPT + timedelta(days=1)
        await cloud.read(("a", "latest"))
        assert [version for _, version, *_ in await cloud.outcomes()] == ["latest"]

    with_cloud(scenario)


# -- what lies on the disk ----------------------------------------------------------------------
def test_nothing_of_a_value_is_on_disk(tmp_path: Path) -> None:
    value = b"a-value-that-is-easy-to-find-0123456789"

    async def scenario(cloud: Cloud) -> None:
        await cloud.secrets.create(HERE, "a", value)
        assert await cloud.read(("a", "1")) == [value]

    with_cloud(scenario, tmp_path)
    for file in tmp_path.iterdir():
        assert value not in file.read_bytes()
        assert value[:12] not in file.read_bytes()
    assert (tmp_path / "secrets.key").stat().st_mode & 0o777 == 0o600


def test_another_key_opens_nothing(tmp_path: Path) -> None:
    async def add(cloud: Cloud) -> None:
        await cloud.secrets.create(HERE, "a", b"one")

    async def read(cloud: Cloud) -> None:
        await cloud.rotator.resume()
        error = await refused(Refused, cloud.read(("a", "latest")))
        assert error.message.startswith("secret a version 1 cannot be opened")

    with_cloud(add, tmp_path)
    (tmp_path / "secrets.key").unlink()
    with_cloud(read, tmp_path)
