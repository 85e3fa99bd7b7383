"""Keys in the keyring of the system: one entry, written whole, and honest about a broken one."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from runyard.localcloud.secrets.keys import KeyFiles
from runyard.localcloud.secrets.sealing import Place
from runyard.localcloud.secrets.wallet import RETIRED_MAX, SERVICE, WalletKeys, system_keys
from runyard.model.errors import ConfigError

HERE = Place("local", "a", 1)


class Locked(Exception):
    """The keyring is locked."""


@dataclass
class FakeWallet:
    """A keyring that is a dictionary. It takes so many entries, and is locked then."""

    kept: dict[tuple[str, str], str] = field(default_factory=dict)
    writes: int = 100
    forgets: bool = False

    def get_password(self, service_name: str, username: str) -> str | None:
        return self.kept.get((service_name, username))

    def set_password(self, service_name: str, username: str, password: str) -> None:
        self.writes -= 1
        if self.writes < 0:
            raise Locked("it is locked")
        if not self.forgets:
            self.kept[service_name, username] = password


def keys_in(wallet: FakeWallet, first: bytes | None = None) -> WalletKeys:
    return WalletKeys(wallet, Locked, "here", lambda: first)


def test_a_key_takes_over_from_another() -> None:
    wallet = FakeWallet()
    keys = keys_in(wallet)
    old = keys.sealing
    assert keys.promote() == old.id  # nothing was staged: nothing happens
    envelope = old.seal(HERE, b"value")
    keys.stage()
    new = keys.sealing
    keys.stage()
    assert keys.sealing.id == new.id != old.id
    assert keys_in(wallet).rotating
    assert [key.id for key in keys_in(wallet).opening()] == [new.id, old.id]
    assert keys.promote() == old.id
    again = keys_in(wallet)
    assert (again.sealing.id, again.rotating) == (new.id, False)
    kept = again.find(old.id)
    assert kept is not None
    assert kept.open(HERE, envelope) == b"value"
    assert again.find("0" * 16) is None
    assert list(wallet.kept) == [(SERVICE, "here")]


def test_retired_keys_are_kept_as_far_as_an_entry_goes() -> None:
    wallet = FakeWallet()
    keys = keys_in(wallet)
    first = keys.sealing.id
    for _ in range(RETIRED_MAX + 1):
        keys.stage()
        keys.promote()
    assert keys.find(first) is None
    assert len(list(keys.opening())) == RETIRED_MAX + 1
    assert len(wallet.kept[SERVICE, "here"]) < 2000


def test_the_key_of_a_file_is_the_first_one(tmp_path: Path) -> None:
    path = tmp_path / "secrets.key"
    before = KeyFiles(path).sealing
    wallet = FakeWallet()
    modules: dict[str, Any] = {
        "keyring": wallet,
        "keyring.errors": SimpleNamespace(KeyringError=Locked),
    }
    keys = system_keys(path, modules.__getitem__)
    assert (keys.sealing.id, keys.sealing.cloud) == (before.id, before.cloud)
    path.unlink()
    assert system_keys(path, modules.__getitem__).sealing.id == before.id
    other = system_keys(tmp_path / "other.key", modules.__getitem__)
    assert other.sealing.id != before.id
    assert not (tmp_path / "other.key").exists()


def test_a_rotation_goes_on_when_the_keyring_was_locked_in_between() -> None:
    wallet = FakeWallet(writes=2)
    keys = keys_in(wallet)
    keys.stage()
    with pytest.raises(ConfigError, match="it is locked"):
        keys.promote()
    again = keys_in(wallet)
    assert again.rotating
    wallet.writes = 1
    again.promote()
    assert keys_in(wallet).sealing.id == keys.sealing.id


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        '{"present": "eHg=", "staged": null, "retired": []}',
        '{"present": "!", "staged": null, "retired": []}',
        json.dumps({"present": None, "staged": None, "retired": []}),
    ],
)
def test_an_entry_that_is_not_ours_is_left_alone(text: str) -> None:
    wallet = FakeWallet({(SERVICE, "here"): text})
    with pytest.raises(ConfigError, match="not what Runyard wrote"):
        keys_in(wallet)
    assert wallet.kept == {(SERVICE, "here"): text}


def test_a_keyring_that_cannot_be_used_is_named() -> None:
    with pytest.raises(ConfigError, match="it is locked"):
        keys_in(FakeWallet(writes=0))
    with pytest.raises(ConfigError, match="does not give back"):
        keys_in(FakeWallet(forgets=True))

    def missing(name: str) -> Any:
        raise ModuleNotFoundError(name)

    with pytest.raises(ConfigError, match="not installed") as caught:
        system_keys(Path("/nowhere/secrets.key"), missing)
    assert "runyard[keyring]" in caught.value.hint
