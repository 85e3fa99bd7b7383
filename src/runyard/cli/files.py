"""Files that a person names: read with a bound, and with errors that say what is wrong."""

from __future__ import annotations

from pathlib import Path

from runyard.model.errors import Fault, InvalidSpec, NotFound, PermissionDenied


def read_bytes(path: Path, bytes_max: int) -> bytes:
    """The content of `path`, `InvalidSpec` when it is longer than `bytes_max` or no file."""
    try:
        with path.open("rb") as file:
            content = file.read(bytes_max + 1)
    except FileNotFoundError:
        raise NotFound(f"there is no file {path}") from None
    except PermissionError:
        raise PermissionDenied(f"{path} is not yours to read") from None
    except OSError as error:
        raise InvalidSpec(f"{path} cannot be read: {error.strerror}") from None
    if len(content) > bytes_max:
        fault = Fault(str(path), "more", f"at most {bytes_max} bytes")
        raise InvalidSpec(f"{path} is too long", faults=(fault,))
    return content
