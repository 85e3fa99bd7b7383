"""Secrets are sealed on disk, numbered, and found by version."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runyard.database.sqlite import InlineSqlite
from runyard.localcloud.schema import migrate
from runyard.localcloud.secrets.keeper import SecretBox
from runyard.localcloud.secrets.sealing import Sealer, load_key
from runyard.model.errors import ConfigError, NotFound, Refused
from tests.support.cloud import START, TickingClock


def with_box(path: Path, scenario: Callable[[SecretBox], Awaitable[None]]) -> None:
    async def main() -> None:
        database = InlineSqlite(path / "cloud.db")
        await migrate(database, START)
        await scenario(SecretBox(database, Sealer(load_key(path / "key")), TickingClock()))
        await database.close()

    asyncio.run(main())


def test_versions_are_numbered_and_latest_is_the_newest(tmp_path: Path) -> None:
    async def scenario(box: SecretBox) -> None:
        assert [await box.add_version("a", value) for value in (b"one", b"", b"three")] == [1, 2, 3]
        assert await box.add_version("b", b"other") == 1
        refs = [("a", "1"), ("a", "2"), ("a", "latest"), ("projects/p/secrets/b", "latest")]
        assert await box.access(refs) == [b"one", b"", b"three", b"other"]
        assert await box.names() == [("a", 3), ("b", 1)]

    with_box(tmp_path, scenario)


def test_everything_missing_is_named(tmp_path: Path) -> None:
    async def scenario(box: SecretBox) -> None:
        await box.add_version("a", b"one")
        with pytest.raises(NotFound) as caught:
            await box.access([("a", "1"), ("a", "2"), ("b", "latest"), ("a", "stable")])
        assert caught.value.message == (
            "secret a has no version 2; secret b has no version; secret a has no version stable"
        )

    with_box(tmp_path, scenario)


def test_nothing_of_a_value_is_on_disk(tmp_path: Path) -> None:
    value = b"a-value-that-is-easy-to-find-0123456789"

    async def scenario(box: SecretBox) -> None:
        await box.add_version("a", value)
        assert await box.access([("a", "1")]) == [value]

    with_box(tmp_path, scenario)
    for file in tmp_path.iterdir():
        assert value not in file.read_bytes()
        assert value[:12] not in file.read_bytes()
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600


def test_another_key_opens_nothing(tmp_path: Path) -> None:
    async def add(box: SecretBox) -> None:
        await box.add_version("a", b"one")

    async def read(box: SecretBox) -> None:
        with pytest.raises(Refused, match="secret a version 1 cannot be opened"):
            await box.access([("a", "latest")])

    with_box(tmp_path, add)
    (tmp_path / "key").unlink()
    with_box(tmp_path, read)


@given(st.binary(max_size=200))
def test_a_sealed_value_is_only_good_where_it_was_sealed(value: bytes) -> None:
    sealer = Sealer(b"k" * 32)
    sealed = sealer.seal("a", 1, value)
    assert sealer.open("a", 1, sealed) == value
    assert sealer.seal("a", 1, value) != sealed
    for name, version, bent in (
        ("b", 1, sealed),
        ("a", 2, sealed),
        ("a", 1, sealed[:-1]),
        ("a", 1, b"\x02" + sealed[1:]),
        ("a", 1, b""),
    ):
        with pytest.raises(Refused):
            sealer.open(name, version, bent)


def test_a_key_is_made_once_and_must_be_private(tmp_path: Path) -> None:
    path = tmp_path / "key"
    assert load_key(path) == load_key(path)
    path.chmod(0o640)
    with pytest.raises(ConfigError, match="others may read"):
        load_key(path)
    path.chmod(0o600)
    path.write_bytes(b"short")
    with pytest.raises(ConfigError, match="no key of 32 bytes"):
        load_key(path)
    assert [file.name for file in tmp_path.iterdir()] == ["key"]
