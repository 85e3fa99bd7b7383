"""Removing a folder that a task has had its hands on. Its processes must be dead.

Nothing is followed: symbolic links are removed, never entered, and every step is relative to an
open folder. Folders the task made unreadable are opened up first. Trees of any depth need two open
folders and no recursion: a nested folder is first moved up to the top. Mount points, files of other
users and immutable files cannot be removed; they are named.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress

STEP = 256  #: entries removed between two yields, so that a huge folder does not stop the loop
_LOOK = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def remove(path: str, left: list[str]) -> Iterator[None]:
    """Remove the folder `path`, a bit with each `next`; what stays is appended to `left`.

    A folder that is not there is removed already.
    """
    try:
        os.rmdir(path)
        return
    except FileNotFoundError:
        return
    except OSError:
        pass
    try:
        top = _open_up(path, None)
    except FileNotFoundError:
        return
    except OSError as error:
        left.append(f"{path}: {error.strerror}")
        return
    try:
        yield from _empty(top, path, left)
    finally:
        os.close(top)
    with suppress(FileNotFoundError):
        try:
            os.rmdir(path)
        except OSError as error:
            left.append(f"{path}: {error.strerror}")


def _empty(top: int, path: str, left: list[str]) -> Iterator[None]:
    """Remove all that is in `top`: files at once, folders one after the other, flattened."""
    stuck: set[str] = set()
    moved = 0
    while True:
        folders = [name for name, is_folder in _entries(top) if is_folder and name not in stuck]
        yield from _unlink_files(top, path, stuck, left)
        if not folders:
            return
        for name in folders:
            try:
                inner = _open_up(name, top)
            except OSError as error:
                stuck.add(name)
                left.append(f"{path}/{name}: {error.strerror}")
                continue
            try:
                for child, is_folder in _entries(inner):
                    if is_folder:
                        moved = _lift(child, inner, top, moved)
                yield from _unlink_files(inner, f"{path}/{name}", set(), left)
            finally:
                os.close(inner)
            try:
                os.rmdir(name, dir_fd=top)
            except OSError as error:
                stuck.add(name)
                left.append(f"{path}/{name}: {error.strerror}")
            yield


def _lift(child: str, inner: int, top: int, moved: int) -> int:
    """Move a nested folder up to the top under a name that is free; answers the next number."""
    while True:
        moved += 1
        name = f".lifted-{moved}"
        try:
            os.stat(name, dir_fd=top, follow_symlinks=False)
        except FileNotFoundError:
            break
    with suppress(OSError):  # moving a folder writes its "..": it must be ours to write
        os.close(_open_up(child, inner))
    with suppress(OSError):  # what cannot be moved makes the rmdir above fail, which is told
        os.rename(child, name, src_dir_fd=inner, dst_dir_fd=top)
    return moved


def _unlink_files(folder: int, path: str, stuck: set[str], left: list[str]) -> Iterator[None]:
    for number, (name, is_folder) in enumerate(_entries(folder)):
        if is_folder or name in stuck:
            continue
        try:
            os.unlink(name, dir_fd=folder)
        except FileNotFoundError:
            pass
        except OSError as error:
            stuck.add(name)
            left.append(f"{path}/{name}: {error.strerror}")
        if number % STEP == STEP - 1:
            yield


def _entries(folder: int) -> list[tuple[str, bool]]:
    with os.scandir(folder) as found:
        return [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in found]


def _open_up(name: str, within: int | None) -> int:
    """Open a folder, after giving ourselves all rights on it. Never through a link."""
    try:
        opened = os.open(name, _LOOK, dir_fd=within)
        if os.fstat(opened).st_mode & 0o700 == 0o700:
            return opened
        os.fchmod(opened, 0o700)
    except PermissionError:
        handle = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=within)
        try:
            os.chmod(f"/proc/self/fd/{handle}", 0o700)
        finally:
            os.close(handle)
        opened = os.open(name, _LOOK, dir_fd=within)
    return opened
