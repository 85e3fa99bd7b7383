"""How secret values lie on disk: envelopes of AES-256-GCM, each bound to what it holds.

A value is sealed by a data key of its own, made for that version alone, and the data key by a
key-encryption key, which is never in the database (`keys` says where it is). So a copy of the
database tells nothing, a new key-encryption key touches no value, and a version whose data key is
gone is gone.

    sealed data key   2 · id of the key that sealed it (8 bytes) · nonce (12) · AES-GCM(data key)
    sealed value      2 · nonce (12) · AES-GCM(value)
    form 1, before    1 · nonce (12) · AES-GCM(value), by the key-encryption key itself
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from hashlib import blake2b

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
_NONCE_BYTES = 12  # what AES-GCM is made for (NIST SP 800-38D, 8.2)
_ID_BYTES = 8
_FORM_1, _FORM_2 = b"\x01", b"\x02"  # the first byte of what is sealed: which form it has


@dataclass(frozen=True, slots=True)
class Place:
    """What a value is: it opens as nothing else."""

    project: str
    name: str
    version: int


@dataclass(frozen=True, slots=True)
class Envelope:
    """A sealed value with its sealed data key; `key_id` names the key that sealed that one."""

    key_id: str
    key_sealed: bytes
    sealed: bytes


class Unopened(Exception):
    """It was sealed by another key, or its bytes were changed."""


class SealingKey:
    """A key-encryption key."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)
        self._cloud = blake2b(key, digest_size=16).hexdigest()
        self._id = blake2b(key, digest_size=_ID_BYTES, person=b"runyard-key").digest()

    @property
    def id(self) -> str:
        """What it is called; tells nothing of it."""
        return self._id.hex()

    @property
    def cloud(self) -> str:
        """What a cloud is called whose first key this is."""
        return self._cloud

    def seal(self, place: Place, value: bytes) -> Envelope:
        """`value`, sealed by a new data key, and that by this key."""
        data_key = AESGCM.generate_key(bit_length=KEY_BYTES * 8)
        sealed = _FORM_2 + _sealed(AESGCM(data_key), value, _bound(b"value", place))
        return Envelope(self.id, self._wrapped(place, data_key), sealed)

    def open(self, place: Place, envelope: Envelope) -> bytes:
        """What `seal` sealed at `place`. Raises Unopened."""
        data_key = self._unwrapped(place, envelope.key_sealed)
        return _opened(AESGCM(data_key), envelope.sealed, _FORM_2, _bound(b"value", place))

    def reseal(self, place: Place, envelope: Envelope, by: SealingKey) -> Envelope:
        """The same value and data key, the data key sealed by another key. Raises Unopened."""
        data_key = self._unwrapped(place, envelope.key_sealed)
        return Envelope(by.id, by._wrapped(place, data_key), envelope.sealed)

    def open_form_1(self, name: str, version: int, sealed: bytes) -> bytes:
        """What this key itself sealed, before there were data keys. Raises Unopened."""
        return _opened(self._cipher, sealed, _FORM_1, f"{name}/{version}".encode())

    def seal_form_1(self, name: str, version: int, value: bytes) -> bytes:
        """As it was sealed before there were data keys."""
        return _FORM_1 + _sealed(self._cipher, value, f"{name}/{version}".encode())

    def _wrapped(self, place: Place, data_key: bytes) -> bytes:
        bound = _bound(b"key", place)
        return _FORM_2 + self._id + _sealed(self._cipher, data_key, bound)

    def _unwrapped(self, place: Place, key_sealed: bytes) -> bytes:
        return _opened(self._cipher, key_sealed, _FORM_2 + self._id, _bound(b"key", place))


def _sealed(cipher: AESGCM, value: bytes, bound: bytes) -> bytes:
    # A nonce must never come twice under one key, so it is the system's own chance, not one that a
    # test could seed.
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + cipher.encrypt(nonce, value, bound)


def _opened(cipher: AESGCM, sealed: bytes, head: bytes, bound: bytes) -> bytes:
    start = len(head)
    nonce, rest = sealed[start : start + _NONCE_BYTES], sealed[start + _NONCE_BYTES :]
    if not sealed.startswith(head):
        raise Unopened
    try:
        return cipher.decrypt(nonce, rest, bound)
    except (InvalidTag, ValueError):
        raise Unopened from None


def _bound(what: bytes, place: Place) -> bytes:
    """No name has a zero byte, so no two places are bound alike."""
    parts = (place.project, place.name, str(place.version))
    return b"\0".join((b"runyard", what, *(part.encode() for part in parts)))
