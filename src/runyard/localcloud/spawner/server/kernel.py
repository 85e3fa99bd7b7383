"""Small files of the kernel (/proc, control groups): read and written in one go.

No buffered file object: this is done a dozen times for every task.
"""

from __future__ import annotations

import os

_PIECE = 1 << 16


def read_bytes(path: str) -> bytes:
    """All of a file. Raises OSError."""
    opened = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        data = os.read(opened, _PIECE)
        while more := os.read(opened, _PIECE) if data else b"":
            data += more
        return data
    finally:
        os.close(opened)


def read(path: str) -> str:
    """The text of a file; empty if it cannot be read."""
    try:
        return read_bytes(path).decode()
    except OSError:
        return ""


def write(path: str, text: str) -> None:
    """Write a file at once. Raises OSError."""
    opened = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(opened, text.encode())
    finally:
        os.close(opened)
