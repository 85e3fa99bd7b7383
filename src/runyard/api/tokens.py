"""Tokens: who may ask. Only digests are kept in memory, and they are compared in constant time.

A digest without salt is enough for a token that is 256 bits of chance: nobody can guess it, so
nobody gains by a table of digests.
"""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Callable
from hashlib import sha256
from hmac import compare_digest
from pathlib import Path

from runyard.model.errors import ConfigError

LOGGER = logging.getLogger("runyard.api")

_CHARACTERS_MIN = 20  #: 120 bits in base64; a shorter one was cut off or typed by hand
_BYTES_MAX = 4096
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class Tokens:
    """The tokens that are known, and whose they are."""

    def __init__(self, principals: dict[str, str]) -> None:
        """`principals`: by token, the name of who has it."""
        self._known = [(_digest(token), name) for token, name in principals.items()]

    def principal(self, token: str) -> str | None:
        """Whose `token` is, None when nobody's. Takes as long for a near miss as for a far one."""
        given, found = _digest(token), None
        for known, name in self._known:
            if compare_digest(given, known):
                found = name
        return found


def admin_token(path: Path, make: Callable[[], str]) -> str:
    """The token in the file `path`, made by `make` when there is no such file yet.

    The file appears whole or not at all, for its owner only. One that others may read is closed
    to them, with a warning. Raises ConfigError when it cannot be read or trusted.
    """
    try:
        return _read(path)
    except FileNotFoundError:
        _write_new(path, make())
        return _read(path)


def _read(path: Path) -> str:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise _unusable(path, f"cannot be read: {error.strerror}") from error
    try:
        _check_owner(path, os.fstat(handle), handle)
        token = os.read(handle, _BYTES_MAX).decode("ascii", "replace").strip()
    finally:
        os.close(handle)
    if len(token) < _CHARACTERS_MIN or not token.isprintable() or " " in token:
        raise _unusable(path, "holds no token")
    return token


def _check_owner(path: Path, found: os.stat_result, handle: int) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise _unusable(path, "is no file")
    if found.st_uid != os.geteuid():
        raise _unusable(path, "belongs to another user")
    if found.st_mode & _OTHERS:
        os.fchmod(handle, 0o600)
        LOGGER.warning(
            "the token file %s could be read by other users and is closed to them now; "
            "if they are not trusted, remove it and start again for a new token",
            path,
        )


def _write_new(path: Path, token: str) -> None:
    """Appears whole under its name; where another process was faster, that one's stays."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        draft.unlink(missing_ok=True)
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(token.encode() + b"\n")
            file.flush()
            os.fsync(handle)
        _link(draft, path)
    except OSError as error:
        raise _unusable(path, f"cannot be written: {error.strerror}") from error


def _link(draft: Path, path: Path) -> None:
    try:
        os.link(draft, path)
    except FileExistsError:
        return
    finally:
        draft.unlink()


def _digest(token: str) -> bytes:
    return sha256(token.encode("utf-8", "surrogateescape")).digest()


def _unusable(path: Path, why: str) -> ConfigError:
    return ConfigError(
        f"the token file {path} {why}",
        hint="remove it, and a new token is made at the next start",
    )
