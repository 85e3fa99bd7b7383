"""Values are sealed in envelopes; keys take over from one another, whoever dies in between."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from random import Random
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runyard.database.port import Database, Tx, Work
from runyard.database.sqlite import InlineSqlite
from runyard.localcloud.neighbours import Neighbours
from runyard.localcloud.schema import migrate
from runyard.localcloud.secrets.keys import RETIRED, KeyFiles, read_key
from runyard.localcloud.secrets.reading import Reader
from runyard.localcloud.secrets.rotation import Rotator
from runyard.localcloud.secrets.sealing import Envelope, Place, SealingKey, Unopened
from runyard.model.errors import ConfigError, Refused
from tests.support.cloud import START, TickingClock

T = TypeVar("T")
HERE = Place("local", "a", 1)
READER = Reader("user:root", trusted=True)
KEY, OTHER = SealingKey(b"k" * 32), SealingKey(b"o" * 32)


# -- envelopes -------------------------------------------------------------------------------------
@given(st.binary(max_size=200))
def test_a_sealed_value_is_only_good_where_it_was_sealed(value: bytes) -> None:
    made = KEY.seal(HERE, value)
    assert KEY.open(HERE, made) == value
    assert KEY.seal(HERE, value) != made
    anew = KEY.reseal(HERE, made, OTHER)
    assert anew.sealed == made.sealed
    assert OTHER.open(HERE, anew) == value
    for key, place, envelope in (
        (OTHER, HERE, made),
        (KEY, HERE, anew),
        (KEY, Place("dev", "a", 1), made),
        (KEY, Place("local", "b", 1), made),
        (KEY, Place("local", "a", 2), made),
        (KEY, HERE, Envelope(made.key_id, made.key_sealed[:-1], made.sealed)),
        (KEY, HERE, Envelope(made.key_id, made.key_sealed, made.sealed[:-1])),
        (KEY, HERE, Envelope(made.key_id, made.key_sealed, b"\x01" + made.sealed[1:])),
        (KEY, HERE, Envelope(made.key_id, made.key_sealed, b"")),
        (KEY, HERE, Envelope(made.key_id, b"", made.sealed)),
    ):
        with pytest.raises(Unopened):
            key.open(place, envelope)


@given(st.binary(max_size=200))
def test_what_was_sealed_before_there_were_data_keys_opens(value: bytes) -> None:
    sealed = KEY.seal_form_1("a", 1, value)
    assert KEY.open_form_1("a", 1, sealed) == value
    for key, name, version, bent in (
        (OTHER, "a", 1, sealed),
        (KEY, "b", 1, sealed),
        (KEY, "a", 2, sealed),
        (KEY, "a", 1, b"\x02" + sealed[1:]),
        (KEY, "a", 1, sealed[:5]),
    ):
        with pytest.raises(Unopened):
            key.open_form_1(name, version, bent)


def test_a_keys_id_tells_nothing_of_it() -> None:
    assert KEY.id != OTHER.id
    assert len(KEY.id) == 16
    assert b"k".hex() * 4 not in KEY.id


# -- key files -------------------------------------------------------------------------------------
def test_a_key_is_made_once_and_must_be_private(tmp_path: Path) -> None:
    path = tmp_path / "secrets.key"
    assert KeyFiles(path).sealing.id == KeyFiles(path).sealing.id
    path.chmod(0o640)
    with pytest.raises(ConfigError, match="others may read"):
        KeyFiles(path)
    path.chmod(0o600)
    path.write_bytes(b"short")
    with pytest.raises(ConfigError, match="no key of 32 bytes"):
        KeyFiles(path)
    assert [file.name for file in tmp_path.iterdir()] == ["secrets.key"]


def test_a_key_takes_over_from_another(tmp_path: Path) -> None:
    keys = KeyFiles(tmp_path / "secrets.key")
    old = keys.sealing.id
    assert keys.promote() == old  # nothing was staged: nothing happens
    assert [keys.rotating] == [False]
    keys.stage()
    new = keys.sealing.id
    keys.stage()
    assert keys.sealing.id == new != old
    assert [keys.rotating] == [True]
    assert [key.id for key in keys.opening()] == [new, old]
    assert keys.promote() == old
    assert [keys.sealing.id, keys.rotating] == [new, False]
    assert {key.id for key in keys.opening()} == {new, old}
    assert keys.find(old) is not None
    assert keys.find("0" * 16) is None
    kept = tmp_path / RETIRED / f"{old}.key"
    assert SealingKey(read_key(kept)).id == old
    assert {file.name for file in tmp_path.iterdir()} == {"secrets.key", RETIRED}
    assert (tmp_path / RETIRED).stat().st_mode & 0o077 == 0


def test_another_process_sees_the_keys_change(tmp_path: Path) -> None:
    one, other = KeyFiles(tmp_path / "secrets.key"), KeyFiles(tmp_path / "secrets.key")
    old = one.sealing.id
    one.stage()
    new = one.sealing.id
    assert (other.sealing.id, [other.rotating]) == (new, [True])
    assert other.find(new) is not None
    assert other.promote() == old
    assert (one.sealing.id, [one.rotating]) == (new, [False])
    assert one.promote() == new  # it was done already: nothing happens
    late = KeyFiles(tmp_path / "secrets.key")
    one.stage()
    one.promote()
    assert late.find(one.sealing.id) is not None
    assert late.sealing.id == one.sealing.id


def test_two_processes_may_rotate_at_once(tmp_path: Path) -> None:
    async def scenario(database: Database) -> None:
        values = await fill(tmp_path, database)
        both = [cloud_in(tmp_path, database) for _ in range(2)]
        done = await asyncio.gather(*(cloud.rotator.rotate() for cloud in both))
        assert await sealed_by(database) == {KeyFiles(tmp_path / "secrets.key").sealing.id}
        assert {one.left for one in done} == {0}
        for retired in (tmp_path / RETIRED).iterdir():
            retired.unlink()
        assert await values_in(tmp_path, database) == values

    with_database(scenario, tmp_path)


# -- rotation ------------------------------------------------------------------------------------
class Death(Exception):
    """The process is gone."""


class MortalDatabase:
    """A database whose process dies instead of making its `lives`-th write, from 0."""

    def __init__(self, database: Database, lives: int) -> None:
        self._database = database
        self.lives = lives
        self.dialect = database.dialect

    async def write(self, work: Work[T]) -> T:
        self.lives -= 1
        if self.lives < 0:
            raise Death
        return await self._database.write(work)

    async def read(self, work: Work[T]) -> T:
        return await self._database.read(work)

    async def listen(self, hear: Callable[[str], None], missed: Callable[[], None]) -> None:
        await self._database.listen(hear, missed)

    async def close(self) -> None:
        await self._database.close()


class MortalKeys(KeyFiles):
    """Keys whose process dies on the way from the old to the new one."""

    def promote(self) -> str:
        retired = self._path.parent / RETIRED
        retired.mkdir(mode=0o700, exist_ok=True)
        os.link(self._path, retired / f"{self._present.id}.key")
        raise Death


NAMES = [f"secret-{number}" for number in range(5)]


async def fill(folder: Path, database: Database) -> dict[str, bytes]:
    cloud = cloud_in(folder, database)
    values = {name: f"value of {name}".encode() for name in NAMES}
    for name, value in values.items():
        await cloud.secrets.create("local", name, value)
    return values


def cloud_in(folder: Path, database: Database) -> Neighbours:
    keys = KeyFiles(folder / "secrets.key")
    return Neighbours.over(database, keys, TickingClock(), Random(1).getrandbits)


async def values_in(folder: Path, database: Database) -> dict[str, bytes]:
    """Every value, by a process that has just come up."""
    cloud = cloud_in(folder, database)
    found = await cloud.reading.access("local", [(name, "latest") for name in NAMES], READER)
    return dict(zip(NAMES, found, strict=True))


async def sealed_by(database: Database) -> set[str]:
    rows = await database.read(lambda tx: tx.fetch("SELECT key_id FROM secret_version"))
    return {row[0] for row in rows}


def with_database(scenario: Callable[[Database], Awaitable[None]], path: Path) -> None:
    async def main() -> None:
        database = InlineSqlite(path / "cloud.db")
        await migrate(database, START)
        await scenario(database)
        await database.close()

    asyncio.run(main())


def test_a_new_key_seals_everything_and_changes_no_value(tmp_path: Path) -> None:
    async def scenario(database: Database) -> None:
        values = await fill(tmp_path, database)
        cloud = cloud_in(tmp_path, database)
        before = await sealed_by(database)
        done = await cloud.rotator.rotate()
        assert (done.sealed, done.left, {done.retired}) == (5, 0, before)
        assert await sealed_by(database) == {done.key}
        assert await values_in(tmp_path, database) == values
        # the old key is needed for nothing that is here
        (tmp_path / RETIRED / f"{done.retired}.key").unlink()
        assert await values_in(tmp_path, database) == values
        again = await cloud.rotator.rotate()
        assert (again.retired, again.sealed) == (done.key, 5)

    with_database(scenario, tmp_path)


@pytest.mark.parametrize("lives", range(4))
def test_whoever_dies_in_a_rotation_leaves_what_opens_and_goes_on(
    tmp_path: Path, lives: int
) -> None:
    async def scenario(database: Database) -> None:
        values = await fill(tmp_path, database)
        (before,) = await sealed_by(database)
        kind = MortalKeys if lives == 3 else KeyFiles
        keys = kind(tmp_path / "secrets.key")
        with pytest.raises(Death):
            await Rotator(MortalDatabase(database, lives), keys, batch=2).rotate()
        assert await values_in(tmp_path, database) == values
        cloud = cloud_in(tmp_path, database)
        await cloud.secrets.add_version("local", NAMES[0], b"written in between")
        await cloud.rotator.resume()
        values[NAMES[0]] = b"written in between"
        (after,) = await sealed_by(database)
        assert after != before
        assert not (tmp_path / "secrets.key.next").exists()
        (tmp_path / RETIRED / f"{before}.key").unlink()
        assert await values_in(tmp_path, database) == values

    with_database(scenario, tmp_path)


def test_values_written_during_a_rotation_are_sealed_by_the_new_key(tmp_path: Path) -> None:
    async def scenario(database: Database) -> None:
        await fill(tmp_path, database)
        cloud = cloud_in(tmp_path, database)
        rotation = asyncio.create_task(cloud.rotator.rotate())
        await asyncio.gather(
            *(cloud.secrets.add_version("local", name, b"new") for name in NAMES),
            *(values_in(tmp_path, database) for _ in range(3)),
        )
        done = await rotation
        assert await sealed_by(database) == {done.key}
        assert set((await values_in(tmp_path, database)).values()) == {b"new"}

    with_database(scenario, tmp_path)


def test_secrets_of_before_are_sealed_anew_when_a_cloud_comes_up(tmp_path: Path) -> None:
    async def scenario(database: Database) -> None:
        values = await fill(tmp_path, database)
        key = SealingKey(read_key(tmp_path / "secrets.key"))

        async def as_before(tx: Tx) -> None:
            for name, value in values.items():
                sealed = key.seal_form_1(name, 1, value)
                await tx.execute(
                    "UPDATE secret_version SET key_id = '', key_sealed = NULL, sealed = $1"
                    " WHERE name = $2",
                    (sealed, name),
                )

        await database.write(as_before)
        assert await values_in(tmp_path, database) == values
        await cloud_in(tmp_path, database).rotator.resume()
        assert await sealed_by(database) == {key.id}
        assert await values_in(tmp_path, database) == values

    with_database(scenario, tmp_path)


def test_a_backup_of_before_a_rotation_opens_by_the_retired_key(tmp_path: Path) -> None:
    backup = tmp_path / "backup.db"

    async def scenario(database: Database) -> None:
        values = await fill(tmp_path, database)
        with closing(sqlite3.connect(tmp_path / "cloud.db")) as connection:
            connection.execute("VACUUM INTO ?", (str(backup),))
        cloud = cloud_in(tmp_path, database)
        done = await cloud.rotator.rotate()
        restored = InlineSqlite(backup)
        assert await values_in(tmp_path, restored) == values
        await cloud_in(tmp_path, restored).rotator.resume()
        assert await sealed_by(restored) == {done.key}
        await restored.close()

    with_database(scenario, tmp_path)


def test_what_no_key_opens_is_counted_and_left(tmp_path: Path) -> None:
    async def scenario(database: Database) -> None:
        await fill(tmp_path, database)

        async def spoil(tx: Tx) -> None:
            await tx.execute("UPDATE secret_version SET key_id = 'ff' WHERE name = $1", (NAMES[0],))
            await tx.execute(
                "UPDATE secret_version SET key_sealed = x'02' WHERE name = $1", (NAMES[1],)
            )

        await database.write(spoil)
        cloud = cloud_in(tmp_path, database)
        done = await cloud.rotator.rotate()
        assert (done.sealed, done.left) == (3, 2)
        refs = [(name, "1") for name in NAMES]
        assert len(await cloud.reading.access("local", refs[2:], READER)) == 3
        for ref in refs[:2]:
            with pytest.raises(Refused, match="cannot be opened"):
                await cloud.reading.access("local", [ref], READER)

    with_database(scenario, tmp_path)
