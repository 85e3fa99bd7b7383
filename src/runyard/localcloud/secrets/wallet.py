"""Key-encryption keys in the keyring of the operating system, in one entry.

The entry is a JSON text: the key in force, its successor while a rotation is under way, and those
that were retired, newest first. Each change is one write of the whole entry, so whoever dies in
between leaves the one before or the one after.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from runyard.localcloud.secrets.keys import read_key
from runyard.localcloud.secrets.sealing import KEY_BYTES, SealingKey
from runyard.model.errors import ConfigError

SERVICE = "runyard"  #: what the entry is filed under
RETIRED_MAX = 16  #: entries of some keyrings hold no more than about 2,000 bytes


class Wallet(Protocol):
    """What the library `keyring` offers."""

    def get_password(self, service_name: str, username: str) -> str | None:
        """A text that is kept."""

    def set_password(self, service_name: str, username: str, password: str) -> None:
        """Keep a text."""


@dataclass(frozen=True, slots=True)
class _Entry:
    present: bytes
    staged: bytes | None = None
    retired: tuple[bytes, ...] = ()


class WalletKeys:
    """`keys.Keys` in `wallet`, under a name. `first` gives the key of a cloud that has had one
    elsewhere, if there was one; else a first one is made.

    Raises ConfigError when the keyring does not answer (`failures` are its errors) or what it keeps
    is no entry of ours.
    """

    def __init__(
        self,
        wallet: Wallet,
        failures: type[Exception],
        name: str,
        first: Callable[[], bytes | None],
    ) -> None:
        self._wallet = wallet
        self._failures = failures
        self._name = name
        if not self._look():
            self._keep(_Entry(first() or _new_key()))

    @property
    def sealing(self) -> SealingKey:
        """See `Keys.sealing`."""
        self._look()
        return self._sealing

    @property
    def rotating(self) -> bool:
        """See `Keys.rotating`."""
        self._look()
        return self._entry.staged is not None

    def opening(self) -> Iterator[SealingKey]:
        """See `Keys.opening`."""
        return iter(self._known.values())

    def find(self, key_id: str) -> SealingKey | None:
        """See `Keys.find`."""
        if key_id not in self._known:
            self._look()
        return self._known.get(key_id)

    def stage(self) -> None:
        """See `Keys.stage`."""
        self._look()
        if self._entry.staged is None:
            self._keep(replace(self._entry, staged=_new_key()))

    def promote(self) -> str:
        """See `Keys.promote`."""
        self._look()
        before = self._entry
        if before.staged is not None:
            retired = (before.present, *before.retired)[:RETIRED_MAX]
            self._keep(_Entry(before.staged, None, retired))
        return SealingKey(before.present).id

    def _look(self) -> bool:
        """Read the entry, which another process may have changed; False when there is none."""
        found = self._asked(lambda: self._wallet.get_password(SERVICE, self._name))
        if found is not None:
            self._take(_read(found))
        return found is not None

    def _keep(self, entry: _Entry) -> None:
        text = _written(entry)
        self._asked(lambda: self._wallet.set_password(SERVICE, self._name, text))
        if self._asked(lambda: self._wallet.get_password(SERVICE, self._name)) != text:
            raise _unusable("it does not give back what was put into it")
        self._take(entry)

    def _take(self, entry: _Entry) -> None:
        self._entry = entry
        first = [entry.staged] if entry.staged else []
        keys = [SealingKey(key) for key in (*first, entry.present, *entry.retired)]
        self._sealing = keys[0]
        self._known = {key.id: key for key in keys}

    def _asked(self, ask: Callable[[], Any]) -> Any:
        try:
            return ask()
        except self._failures as error:
            raise _unusable(str(error) or type(error).__name__) from error


def _new_key() -> bytes:
    return AESGCM.generate_key(bit_length=KEY_BYTES * 8)


def _written(entry: _Entry) -> str:
    keys = {
        "present": _text(entry.present),
        "staged": _text(entry.staged) if entry.staged else None,
        "retired": [_text(key) for key in entry.retired],
    }
    return json.dumps({"v": 1} | keys)


def _read(text: str) -> _Entry:
    try:
        kept = json.loads(text)
        staged = _key(kept["staged"]) if kept["staged"] else None
        return _Entry(_key(kept["present"]), staged, tuple(_key(one) for one in kept["retired"]))
    except (KeyError, TypeError, ValueError):
        raise _unusable("its entry for this state folder is not what Runyard wrote") from None


def _text(key: bytes) -> str:
    return base64.b64encode(key).decode()


def _key(text: str) -> bytes:
    key = base64.b64decode(text, validate=True)
    if len(key) != KEY_BYTES:
        raise ValueError("no key")
    return key


def _unusable(why: str) -> ConfigError:
    return ConfigError(
        f"the keyring of the operating system cannot be used: {why}",
        hint="unlock it, or set secrets_key to file",
    )


def system_keys(path: Path, load: Callable[[str], Any] = import_module) -> WalletKeys:
    """The keys in the keyring of this system, of the cloud whose key would else be in `path`; a
    file that is there gives the first one. `load` loads a module.

    Raises ConfigError, also when the library that speaks to keyrings is not installed.
    """
    try:
        wallet, failures = load("keyring"), load("keyring.errors").KeyringError
    except ModuleNotFoundError:
        raise ConfigError(
            "secrets_key is keyring, and the library for it is not installed",
            hint="pip install 'runyard[keyring]', or set secrets_key to file",
        ) from None
    return WalletKeys(
        wallet, failures, str(path), lambda: read_key(path) if path.exists() else None
    )
