"""Files that a person names: read with a bound, and with errors that say what is wrong."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO

from runyard.model.errors import Fault, InvalidSpec, NotFound, PermissionDenied, PlatformError


def read_bytes(path: Path, bytes_max: int) -> bytes:
    """The content of `path`, `InvalidSpec` when it is longer than `bytes_max` or no file.

    A pipe is read as long as someone writes to it (`runyard validate <(generate)`), and is never
    waited for when nobody does.
    """
    try:
        with open(path, "rb", opener=_at_once) as file:
            os.set_blocking(file.fileno(), True)
            content = file.read(bytes_max + 1)
            said = _size(file) if len(content) > bytes_max else ""
    except OSError as error:
        raise unreadable(path, error) from None
    if said:
        fault = Fault(str(path), said, f"at most {bytes_max} bytes", "split it")
        raise InvalidSpec(f"{path} is too long", faults=(fault,))
    return content


def unreadable(path: Path, error: OSError) -> PlatformError:
    """Why `path` cannot be read, as an error that its user can mend."""
    if isinstance(error, FileNotFoundError):
        return NotFound(f"there is no file {path}")
    if isinstance(error, PermissionError):
        return PermissionDenied(f"{path} is not yours to read")
    return InvalidSpec(f"{path} cannot be read: {error.strerror}")


def _at_once(path: str, flags: int) -> int:
    # Opening a pipe that nobody writes to would wait for ever.
    return os.open(path, flags | os.O_NONBLOCK)


def _size(file: BinaryIO) -> str:
    found = os.fstat(file.fileno())
    return f"{found.st_size} bytes" if stat.S_ISREG(found.st_mode) else "more"
