"""The spawner's life: set up with the rights of its owner, drop them, serve until told to end.

Run by `launch.launch` as `python -I -S -c ...` with one argument, a JSON object (`Settings`).
It goes into the background, and writes `ready` or the reason why not into the pipe it was given.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import socket
import sys
import time
from typing import Any

from runyard.localcloud.spawner.server import leftovers, places
from runyard.localcloud.spawner.server.folders import Folders
from runyard.localcloud.spawner.server.groups import Groups
from runyard.localcloud.spawner.server.hierarchies import Subtree, delegate, recall, remember
from runyard.localcloud.spawner.server.journal import Journal
from runyard.localcloud.spawner.server.poll import Poll
from runyard.localcloud.spawner.server.service import Service
from runyard.localcloud.spawner.server.start import Ground
from runyard.localcloud.spawner.server.timers import Timers

READY, BUSY = "ready", "busy"  #: what the pipe says: up; another spawner has this folder


def micros() -> int:
    """Now, in microseconds since 1970 UTC."""
    return time.time_ns() // 1000


class Settings:
    """What the client says.

    folder  the client's own; socket, lock and journal lie in it
    work    where tasks get their working folders; made if needed
    memory  folders to look for a memory filesystem in, best first
    user    who tasks run as, if the client is root
    cgroup  false: do without control groups
    idle_seconds  end after so long without client, task or unsaved end
    """

    __slots__ = ("cgroup", "folder", "idle_seconds", "memory", "text", "user", "work")

    def __init__(self, text: str) -> None:
        self.text = text
        known: dict[str, Any] = json.loads(text)
        self.folder: str = known["folder"]
        self.work: str = known["work"]
        self.memory: list[str] = known["memory"]
        self.user: str = known["user"]
        self.cgroup: bool = known["cgroup"]
        self.idle_seconds: float = known["idle_seconds"]


def main() -> None:
    """Entry of the process. Descriptor 3 is the pipe to answer into."""
    if os.fork():
        os._exit(0)
    os.closerange(4, os.sysconf("SC_OPEN_MAX"))
    os.set_inheritable(3, False)
    os.umask(0o022)
    try:
        service = set_up(Settings(sys.argv[1]))
    except (places.CannotStart, OSError) as error:
        os.write(3, str(error).encode())
        sys.exit(1)
    os.write(3, (READY if service else BUSY).encode())
    os.close(3)
    if service:
        service.run()


def set_up(settings: Settings) -> Service | None:
    """Everything up to the first request; None if another spawner has this folder."""
    os.chdir(settings.folder)
    if places.lock(".") is None:
        return None
    owner = os.geteuid()
    user = places.User(settings.user)
    tag = places.tag_of(".")
    user.own(settings.work)
    memory = places.memory_folder(settings.memory)
    if memory:
        memory = f"{memory}/runyard-{tag}"
        user.own(memory)
    groups, subtree = _groups(settings, tag, user)
    before = recall()
    journal = Journal(".")
    folders = {"folder": settings.work, "memory_folder": memory}
    held = {kind: folder for kind, folder in folders.items() if folder}
    leftovers.clear(tag, held, [subtree, before], journal, micros())
    remember(subtree)
    door = places.listen()
    os.chdir("/")
    user.become()
    signals = _signals()
    name = f"{micros():x}"
    ground = Ground(Folders(settings.work, name), memory, groups, tag, user.name)
    gc.freeze()
    hello = {
        "instance": name,
        "pid": os.getpid(),
        "settings": settings.text,
        "cgroup": subtree.kind,
        "cgroup_reason": subtree.reason,
        "memory_enforced_by": "cgroup" if groups else "rlimit",
        "memory_files": memory,
        "user": user.name,
        "subtree": subtree.folders,
    }
    poll, timers = Poll(), Timers(time.monotonic)
    service = Service(ground, journal, poll, timers, micros, settings.idle_seconds)
    service.open(door, owner, hello, signals)
    return service


def _groups(settings: Settings, tag: str, user: places.User) -> tuple[Groups | None, Subtree]:
    if not settings.cgroup:
        return None, Subtree("", {}, "control groups are switched off")
    subtree = delegate(f"runyard-{tag}", user.uid, user.gid)
    if not subtree.kind:
        return None, subtree
    try:
        return Groups(subtree), subtree
    except OSError as error:
        return None, Subtree("", {}, f"{subtree.reason} cannot be used: {error.strerror}")


def _signals() -> socket.socket:
    """A socket that gets the number of every signal as a byte. A terminal's are not ours."""
    for each in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(each, signal.SIG_DFL)  # whatever who started us had ignored
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)
    reader, writer = socket.socketpair()
    reader.setblocking(False)
    writer.setblocking(False)
    signal.set_wakeup_fd(writer.detach(), warn_on_full_buffer=False)
    for number in (signal.SIGCHLD, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    return reader
