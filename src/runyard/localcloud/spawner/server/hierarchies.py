"""Where control groups are on this machine, and a subtree of them that a user may fill.

A machine has them in one of three ways: v2 (one tree, https://docs.kernel.org/admin-guide/
cgroup-v2.html), v1 (a tree for each controller, .../cgroup-v1/), or hybrid (v1 trees for the
controllers and a v2 tree without any). Root makes the subtree under its own group, so that limits
set on the engine hold for tasks too, and gives it to the user that tasks run as. Another user needs
a group that was delegated to it (systemd: `Delegate=yes`, or the user's own slice).
"""

from __future__ import annotations

import json
import os
from contextlib import suppress

from runyard.localcloud.spawner.server.kernel import read, write

CONTROLLERS = ("memory", "cpu", "cpuacct")
_NOTE = "groups.json"
HOME = "home"  #: the group the spawner itself lives in, inside the subtree


class Subtree:
    """Folders that the spawner may make groups in, by controller. No folder: no groups.

    `kind` is v2, v1, hybrid or empty; `reason` says where they are, or why there are none.
    """

    __slots__ = ("bases", "kind", "reason")

    def __init__(self, kind: str, bases: dict[str, str], reason: str) -> None:
        self.kind = kind
        self.bases = bases
        self.reason = reason

    @property
    def folders(self) -> list[str]:
        """Every folder once; several controllers may share one."""
        return list(dict.fromkeys(self.bases.values()))


class Mount:
    """One mounted tree: which part of it (`root`) is seen at `point`."""

    __slots__ = ("controllers", "is_v2", "point", "root")

    def __init__(self, point: str, root: str, is_v2: bool, controllers: frozenset[str]) -> None:
        self.point = point
        self.root = root
        self.is_v2 = is_v2
        self.controllers = controllers

    def folder(self, group: str) -> str:
        """Where the group of this path (from /proc/PID/cgroup) is seen."""
        inside = os.path.relpath(group, self.root) if group.startswith(self.root) else "."
        return os.path.normpath(f"{self.point}/{inside}")


def remember(subtree: Subtree) -> None:
    """Write down in the current folder where our groups are: the next may be elsewhere."""
    opened = os.open(_NOTE, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        os.write(opened, json.dumps({"kind": subtree.kind, "bases": subtree.bases}).encode())
    finally:
        os.close(opened)


def recall() -> Subtree:
    """Where the groups of the spawner before us are; an empty one if it had none."""
    try:
        known = json.loads(read(_NOTE))
        return Subtree(known["kind"], dict(known["bases"]), "")
    except (ValueError, KeyError, TypeError):
        return Subtree("", {}, "")


def mounts(mountinfo: str) -> list[Mount]:
    """The cgroup trees in the text of /proc/self/mountinfo (proc(5))."""
    found = []
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        kind, _, rest = after.partition(" ")
        if kind not in ("cgroup", "cgroup2"):
            continue
        fields = before.split()
        options = frozenset(rest.rpartition(" ")[2].split(","))
        found.append(Mount(fields[4], fields[3], kind == "cgroup2", options))
    return found


def own_folders(mountinfo: str, memberships: str) -> tuple[dict[str, str], str]:
    """Our own group's folder by v1 controller, and in the v2 tree (empty if there is none).

    `memberships` is the text of /proc/self/cgroup: `number:controllers:path` a line.
    """
    paths: dict[str, str] = {}
    for line in memberships.splitlines():
        _, controllers, path = line.split(":", 2)
        for controller in controllers.split(","):
            paths[controller] = path
    v1: dict[str, str] = {}
    v2 = ""
    for mount in mounts(mountinfo):
        if mount.is_v2:
            v2 = v2 or mount.folder(paths.get("", "/"))
            continue
        for controller in CONTROLLERS:
            if controller in mount.controllers and controller in paths:
                v1.setdefault(controller, mount.folder(paths[controller]))
    return v1, v2


def delegate(name: str, uid: int, gid: int) -> Subtree:
    """Make the subtree `name` for user `uid`. Never raises: the reason says what was missing."""
    v1, v2 = own_folders(read("/proc/self/mountinfo"), read("/proc/self/cgroup"))
    if "memory" in v1:
        return _delegate_v1(v1, "hybrid" if v2 else "v1", name, uid, gid)
    if v2:
        return _delegate_v2(v2, name, uid, gid)
    return Subtree("", {}, "no cgroup tree with a memory controller is mounted")


def _delegate_v1(own: dict[str, str], kind: str, name: str, uid: int, gid: int) -> Subtree:
    bases: dict[str, str] = {}
    for controller, folder in own.items():
        base = f"{folder}/{name}"
        try:
            _make(base)
            _make(f"{base}/{HOME}")
            _give(base, uid, gid, ("tasks", "cgroup.procs"))
            _give(f"{base}/{HOME}", uid, gid, ("tasks", "cgroup.procs"))
        except OSError as error:
            if controller == "memory":
                return Subtree("", {}, f"may not make a cgroup in {folder}: {error.strerror}")
            continue  # cpu and cpuacct are welcome, not needed
        bases[controller] = base
    return Subtree(kind, bases, f"cgroup {kind} under {bases['memory']}")


def _delegate_v2(own: str, name: str, uid: int, gid: int) -> Subtree:
    """Try, in this order: beside us, inside our own group, at the top of what we see."""
    top = own
    while os.path.exists(f"{os.path.dirname(top)}/cgroup.controllers"):
        top = os.path.dirname(top)
    reasons = []
    for parent in dict.fromkeys((own, os.path.dirname(own), top)):
        base = f"{parent}/{name}"
        try:
            _offer_memory(parent, own)
            _make(base)
            for controller in ("memory", "cpu"):
                with suppress(OSError):
                    write(f"{base}/cgroup.subtree_control", f"+{controller}")
            if "memory" not in read(f"{base}/cgroup.subtree_control").split():
                raise OSError(0, "the memory controller is not passed on")
            _make(f"{base}/{HOME}")
            files = ("cgroup.procs", "cgroup.subtree_control", "cgroup.threads")
            _give(base, uid, gid, files)
            _give(f"{base}/{HOME}", uid, gid, ("cgroup.procs", "cgroup.threads"))
            write(f"{base}/{HOME}/cgroup.procs", "0")
        except OSError as error:
            reasons.append(f"{parent}: {error.strerror}")
            for folder in (f"{base}/{HOME}", base):
                with suppress(OSError):
                    os.rmdir(folder)
            continue
        return Subtree("v2", {"memory": base, "cpu": base}, f"cgroup v2 under {base}")
    return Subtree("", {}, "no delegated cgroup: " + "; ".join(reasons))


def _offer_memory(parent: str, own: str) -> None:
    """Let groups made in `parent` have memory limits, as v2 asks of every group above a limit.

    A group with processes of its own cannot do so. Where the only ones in our own group are we and
    who started us (a systemd service with `Delegate=yes`), we all move one group further down.
    """
    control = f"{parent}/cgroup.subtree_control"
    if "memory" in read(control).split():
        return
    try:
        write(control, "+memory +cpu")
    except OSError:
        members = {int(pid) for pid in read(f"{own}/cgroup.procs").split()}
        if parent != own or not members or not members <= {os.getpid(), os.getppid()}:
            raise
        inner = f"{own}/runyard-engine"
        _make(inner)
        for pid in members:
            write(f"{inner}/cgroup.procs", str(pid))
        write(control, "+memory +cpu")


def _make(folder: str) -> None:
    with suppress(FileExistsError):
        os.mkdir(folder, 0o755)


def _give(folder: str, uid: int, gid: int, files: tuple[str, ...]) -> None:
    if os.geteuid() == uid:
        return
    os.chown(folder, uid, gid)
    for file in files:
        with suppress(FileNotFoundError):
            os.chown(f"{folder}/{file}", uid, gid)
