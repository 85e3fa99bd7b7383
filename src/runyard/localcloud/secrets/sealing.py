"""How secret values lie on disk: AES-256-GCM, bound to their name and version.

The key is a file of its own (mode 0600), so that a copy of the database tells nothing.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from runyard.model.errors import ConfigError, Refused

KEY_BYTES = 32
_NONCE_BYTES = 12  # what AES-GCM is made for (NIST SP 800-38D, 8.2)
_FORM = b"\x01"  # the first byte of a sealed value: which form it has


class Sealer:
    """Seals and opens with one key."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def seal(self, name: str, version: int, value: bytes) -> bytes:
        """`value`, unreadable, and only good as this version of this name."""
        # A nonce must never come twice under one key, so it is the system's own chance, not one
        # that a test could seed.
        nonce = os.urandom(_NONCE_BYTES)
        return _FORM + nonce + self._cipher.encrypt(nonce, value, _bound(name, version))

    def open(self, name: str, version: int, sealed: bytes) -> bytes:
        """What was sealed. Raises Refused when the key is another one or the bytes were changed."""
        nonce, rest = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
        try:
            if sealed[:1] != _FORM:
                raise InvalidTag
            return self._cipher.decrypt(nonce, rest, _bound(name, version))
        except (InvalidTag, ValueError):
            raise Refused(
                f"secret {name} version {version} cannot be opened with this key",
                hint="restore the cloud's secrets.key that belongs to this database, or add the"
                " value again as a new version",
            ) from None


def load_key(path: Path) -> bytes:
    """The key in `path`, made if there is none yet.

    Raises ConfigError when it is no key or others may read it.
    """
    with suppress(FileExistsError):
        _make(path)
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
    aside = path.with_name(f".{path.name}.{os.getpid()}.new")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(descriptor, AESGCM.generate_key(bit_length=KEY_BYTES * 8))
        os.fsync(descriptor)
        os.link(aside, path)
    finally:
        os.close(descriptor)
        aside.unlink()


def _bound(name: str, version: int) -> bytes:
    return f"{name}/{version}".encode()
