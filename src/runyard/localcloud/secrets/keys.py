"""Where key-encryption keys are kept: files of 32 bytes beside the database, mode 0600.

    secrets.key          the key in force
    secrets.key.next     its successor while a rotation is under way: it seals, both open
    retired-keys/ID.key  keys that were in force; they open what an old backup brings back

A rotation is `stage`, sealing everything anew, `promote`. Each of the two is one rename or link, so
whoever dies in between leaves a folder that can be read and a rotation that can go on. Several
processes may have the same files open: who asks for a key looks whether they were changed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from runyard.localcloud.secrets.sealing import KEY_BYTES, SealingKey
from runyard.model.errors import ConfigError

RETIRED = "retired-keys"


class Keys(Protocol):
    """The key-encryption keys that are at hand."""

    @property
    def sealing(self) -> SealingKey:
        """The key that seals from now on."""

    @property
    def rotating(self) -> bool:
        """True while another key is still to be retired."""

    def opening(self) -> Iterator[SealingKey]:
        """Every key that may open something, the likeliest first."""

    def find(self, key_id: str) -> SealingKey | None:
        """The key of this id."""

    def stage(self) -> None:
        """From now on a new key seals. No effect when one was staged before. Durable."""

    def promote(self) -> str:
        """The new key is the only one in force; the id of the one that is retired. Durable."""


class KeyFiles:
    """`Keys` in the files of `path` and beside it; a first key is made.

    Raises ConfigError when a file is no key or others may read it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._next = path.with_name(f"{path.name}.next")
        self._retired_folder = path.parent / RETIRED
        with suppress(FileExistsError):
            _make(path)
        self._load()

    @property
    def sealing(self) -> SealingKey:
        """See `Keys.sealing`."""
        self._look()
        return self._staged or self._present

    @property
    def rotating(self) -> bool:
        """See `Keys.rotating`."""
        self._look()
        return self._staged is not None

    def opening(self) -> Iterator[SealingKey]:
        """See `Keys.opening`."""
        self._look()
        return iter(self._known.values())

    def find(self, key_id: str) -> SealingKey | None:
        """See `Keys.find`."""
        if key_id not in self._known:
            self._look()
        return self._known.get(key_id)

    def stage(self) -> None:
        """See `Keys.stage`."""
        with suppress(FileExistsError):
            _make(self._next)
        self._load()

    def promote(self) -> str:
        """See `Keys.promote`."""
        self._look()
        retired = self._present.id
        if self._staged is None:
            return retired
        self._retired_folder.mkdir(mode=0o700, exist_ok=True)
        with suppress(FileExistsError):
            os.link(self._path, self._retired_folder / f"{retired}.key")
        _sync(self._retired_folder)
        with suppress(FileNotFoundError):  # another process was as far
            self._next.replace(self._path)
        _sync(self._path.parent)
        self._load()
        return retired

    def _look(self) -> None:
        """Read the files again when they are not those that were read."""
        if self._seen != self._marks():
            self._load()

    def _successor(self) -> SealingKey | None:
        with suppress(FileNotFoundError):
            return SealingKey(read_key(self._next))
        return None

    def _marks(self) -> tuple[tuple[int, int] | None, ...]:
        return tuple(_mark(path) for path in (self._path, self._next, self._retired_folder))

    def _load(self) -> None:
        self._seen = self._marks()
        self._present = SealingKey(read_key(self._path))
        self._staged = self._successor()
        retired = [
            SealingKey(read_key(path)) for path in sorted(self._retired_folder.glob("*.key"))
        ]
        first = [self._staged] if self._staged else []
        self._known = {key.id: key for key in (*first, self._present, *retired)}


def _mark(path: Path) -> tuple[int, int] | None:
    """What tells one file or folder from another one of the same name, and from a changed one."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns


def read_key(path: Path) -> bytes:
    """The key in `path`. Raises ConfigError when it is no key or others may read it."""
    if path.stat().st_mode & 0o077:
        raise ConfigError(f"others may read {path}", hint=f"chmod 600 {path}")
    key = path.read_bytes()
    if len(key) != KEY_BYTES:
        raise ConfigError(f"{path} is no key of {KEY_BYTES} bytes", hint="restore it from a backup")
    return key


def _make(path: Path) -> None:
    """Write it aside and link it into place: nobody ever sees half a key, and the first one wins.

    Raises FileExistsError when there is one already.
    """
    if path.exists():
        raise FileExistsError
    aside = path.with_name(f".{path.name}.{os.urandom(8).hex()}.new")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(descriptor, AESGCM.generate_key(bit_length=KEY_BYTES * 8))
        os.fsync(descriptor)
        os.link(aside, path)
    finally:
        os.close(descriptor)
        aside.unlink()
    _sync(path.parent)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
