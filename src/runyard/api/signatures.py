"""Signatures of ID tokens, by the public keys of who signs them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "Ed25519")


class KnownKeys:
    """Public keys, as an issuer tells of them. Raises ValueError for what is no key."""

    def __init__(self, keys: Sequence[Mapping[str, Any]]) -> None:
        try:
            self._keys = KeySet.import_key_set({"keys": [dict(each) for each in keys]})
        except JoseError as error:
            raise ValueError(str(error)) from error

    @property
    def names(self) -> frozenset[str | None]:
        """The names (`kid`) that they have."""
        return frozenset(key.kid for key in self._keys.keys)

    def claims(self, text: str) -> Mapping[str, Any]:
        """What a token says that one of them signed. Raises ValueError, which says nothing of the
        token but what kind of fault it has."""
        try:
            return jwt.decode(text, self._keys, algorithms=list(ALGORITHMS)).claims
        except (JoseError, ValueError) as error:
            raise ValueError(type(error).__name__) from None
