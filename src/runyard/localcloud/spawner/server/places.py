"""The folders of the spawner, and who it is: made while it still has the rights of its owner."""

from __future__ import annotations

import ctypes
import fcntl
import hashlib
import os
import pwd
import socket
import stat
import struct
from contextlib import suppress

LOCK = "spawner.lock"
SOCKET = "spawner.sock"
_PR_SET_DUMPABLE, _PR_SET_CHILD_SUBREAPER = 4, 36  # prctl(2)


class CannotStart(Exception):
    """The spawner cannot be had on this machine as asked; the text says why."""


def tag_of(folder: str) -> str:
    """A short name for the spawner of this folder, the same every time."""
    return hashlib.sha256(os.path.realpath(folder).encode()).hexdigest()[:12]


def lock(folder: str) -> int | None:
    """The lock of `folder`, held until the process ends; None if another spawner has it."""
    opened = os.open(f"{folder}/{LOCK}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(opened)
        return None
    return opened


def listen() -> socket.socket:
    """Our socket, in the current folder: a path of it may be longer than the 107 bytes allowed."""
    with suppress(FileNotFoundError):
        os.unlink(SOCKET)
    door = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    door.bind(SOCKET)
    os.umask(before)
    door.listen(64)
    door.setblocking(False)
    return door


def peer_uid(link: socket.socket) -> int:
    """The user at the other end (SO_PEERCRED, unix(7))."""
    packed = link.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return int(struct.unpack("3i", packed)[1])


class User:
    """Who tasks run as."""

    __slots__ = ("gid", "name", "uid")

    def __init__(self, name: str) -> None:
        """`name` counts only if we are root; else it is the user we are."""
        uid = os.geteuid()
        try:
            entry = pwd.getpwnam(name) if uid == 0 and name else pwd.getpwuid(uid)
        except KeyError:
            if uid == 0 and name:
                raise CannotStart(f"there is no user {name!r} on this machine") from None
            self.uid, self.gid, self.name = uid, os.getegid(), str(uid)
            return
        self.uid, self.gid, self.name = entry.pw_uid, entry.pw_gid, entry.pw_name

    def own(self, folder: str, mode: int = 0o700) -> None:
        """Make `folder` (its parent must be there), or check that nobody else made it."""
        with suppress(FileExistsError):
            os.mkdir(folder, 0o700)
            if os.geteuid() != self.uid:
                os.chown(folder, self.uid, self.gid)
        status = os.lstat(folder)
        if not stat.S_ISDIR(status.st_mode) or status.st_uid not in (self.uid, os.geteuid()):
            raise CannotStart(f"{folder} belongs to another user; remove it")
        if status.st_uid != self.uid:
            os.chown(folder, self.uid, self.gid)
        os.chmod(folder, mode)

    def become(self) -> None:
        """Be this user for good, and be nobody's to look into; orphans of our tasks come to us."""
        if os.geteuid() != self.uid:
            os.setgroups([self.gid])
            os.setresgid(self.gid, self.gid, self.gid)
            os.setresuid(self.uid, self.uid, self.uid)
        prctl = ctypes.CDLL(None, use_errno=True).prctl
        for option, value in ((_PR_SET_DUMPABLE, 0), (_PR_SET_CHILD_SUBREAPER, 1)):
            if prctl(option, value, 0, 0, 0) != 0:
                raise CannotStart(f"prctl({option}): {os.strerror(ctypes.get_errno())}")


def memory_folder(candidates: list[str]) -> str:
    """The first of `candidates` that lies in memory (tmpfs or ramfs); empty if none does."""
    with open("/proc/self/mountinfo") as file:
        lines = file.read().splitlines()
    for folder in candidates:
        real = os.path.realpath(folder)
        best, kind = "", ""
        for line in lines:
            before, _, after = line.partition(" - ")
            point = before.split()[4].encode().decode("unicode_escape")
            inside = real == point or real.startswith(point.rstrip("/") + "/")
            if inside and len(point) >= len(best):
                best, kind = point, after.split()[0]
        if kind in ("tmpfs", "ramfs") and os.access(real, os.W_OK | os.X_OK):
            return real
    return ""
