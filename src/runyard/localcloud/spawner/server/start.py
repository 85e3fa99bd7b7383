"""Starting one task: its folders, its files in memory, its group, its pipes, its environment.

A task's environment is the order's and nothing else but

    RUNYARD_TASK        `<tag>:<key>`: by it a task's processes are found where there is no cgroup
    RUNYARD_OUTPUT      the file that the first task may write its result to (`result`)
    RUNYARD_MOUNT_ROOT  the folder that stands for `/` of secret files and empty folders (emptyDir);
                        only if there are any
    RUNYARD_INPUT       the file that its run brings, below that folder; only if it brings one
    PATH, HOME          DEFAULT_PATH and the working folder, only where the order sets none
"""

from __future__ import annotations

import errno
import os
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from runyard.localcloud.spawner.server import result
from runyard.localcloud.spawner.server.folders import Folders
from runyard.localcloud.spawner.server.groups import Group, Groups
from runyard.localcloud.spawner.server.order import File, Order
from runyard.localcloud.spawner.server.processes import MARKER

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
INPUT = "RUNYARD_INPUT"
_RLIMIT_ROOM = 128 << 20  #: below this the spawner itself might not get on while the limit is ours
#: ignored by us or by Python (signal(7)); tasks begin with the default
_IGNORED = (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT)


class NotStarted(Exception):
    """The task could not be started; the text says why, without a secret in it."""


class Ground:
    """What all tasks stand on. Empty `memory` or None `groups`: this machine has none."""

    __slots__ = ("folders", "groups", "home", "memory", "nofile", "tag", "user")

    def __init__(
        self, folders: Folders, memory: str, groups: Groups | None, tag: str, user: str
    ) -> None:
        self.folders = folders
        self.memory = memory
        self.groups = groups
        self.tag = tag
        self.user = user
        self.home = os.open(".", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.nofile = (soft, hard)  # tasks get the limit we came with; we take all we may
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))

    def close(self) -> None:
        """Remove the folders that were made for all tasks; they are empty."""
        for folder in (self.memory, self.folders.parent):
            with suppress(OSError):  # its parent may be closed to us: then the client does it
                os.rmdir(folder)


class Holdings:
    """What one task holds, to be removed at its end. Empty: it has none."""

    __slots__ = ("folder", "group", "memory_folder")

    def __init__(self) -> None:
        self.folder = ""
        self.memory_folder = ""
        self.group: Group | None = None


def prepare(order: Order, name: str, ground: Ground, held: Holdings) -> None:
    """Make what the task holds, noting it in `held` as it is made. Raises NotStarted."""
    mounts = ground.memory if order.files else ground.memory or ground.folders.parent
    if order.files and not ground.memory:
        raise NotStarted(
            "this machine has no memory filesystem (/dev/shm or XDG_RUNTIME_DIR) for secret files"
        )
    try:
        if not order.working_folder or order.task == 0:
            held.folder = ground.folders.make(name)
        if order.files or order.folders:
            folder = f"{mounts}/{name}-mounts"
            os.mkdir(folder, 0o700)
            held.memory_folder = folder
            for path in order.folders:
                _make_folders(folder, _parts(path))
            for file in order.files:
                _write_file(folder, file)
        if ground.groups:
            held.group = ground.groups.make(name, needs_cpu=order.vcpu_milli > 0)
    except OSError as error:
        where = f": {error.filename}" if error.filename else ""
        raise NotStarted(f"cannot prepare the task: {error.strerror}{where}") from None


def _write_file(root: str, file: File) -> None:
    parts = _parts(file.path)
    folder = _make_folders(root, parts[:-1])
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    opened = os.open(f"{folder}/{parts[-1]}", flags, 0o600)
    try:
        content = memoryview(file.content)
        while content:
            content = content[os.write(opened, content) :]
        os.fchmod(opened, file.mode & 0o777)
    finally:
        os.close(opened)


def _parts(path: str) -> list[str]:
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if not parts or ".." in parts or not path.startswith("/"):
        raise NotStarted(f"a mount needs an absolute path without '..', not {path!r}")
    return parts


def _make_folders(root: str, parts: list[str]) -> str:
    folder = root
    for part in parts:
        folder = f"{folder}/{part}"
        with suppress(FileExistsError):
            os.mkdir(folder, 0o700)
    return folder


def pipes() -> list[int]:
    """Two pipes: reading and writing end of each. Raises NotStarted."""
    ends: list[int] = []
    try:
        for _ in range(2):
            ends += os.pipe2(os.O_CLOEXEC)
    except OSError as error:
        for fd in ends:
            os.close(fd)
        raise NotStarted(f"no pipe for its output: {error.strerror}") from None
    return ends


def spawn(order: Order, ground: Ground, held: Holdings, out: int, err: int) -> int:
    """Start the task's first process, in a session of its own; its pid. Raises NotStarted.

    Its standard input is ours, /dev/null.
    """
    folder = order.working_folder or held.folder
    env = dict(order.env)
    env.setdefault("PATH", DEFAULT_PATH)
    env.setdefault("HOME", folder)
    env[MARKER] = f"{ground.tag}:{order.key}"
    if order.task == 0:
        env[result.VARIABLE] = f"{held.folder}/{result.FILE}"
    if held.memory_folder:
        env["RUNYARD_MOUNT_ROOT"] = held.memory_folder
        if INPUT in env:  # it names one of the files
            env[INPUT] = f"{held.memory_folder}{env[INPUT]}"
    try:
        os.chdir(folder)
    except OSError as error:
        raise NotStarted(f"working folder {folder}: {_for(ground.user, error)}") from None
    try:
        program = _find(order.argv[0], env["PATH"])
        with _inside(held.group, ground), _limited(order, ground, held.group):
            pid = os.posix_spawn(
                program,
                order.argv,
                env,
                file_actions=[
                    (os.POSIX_SPAWN_DUP2, out, 1),
                    (os.POSIX_SPAWN_DUP2, err, 2),
                ],
                setsid=True,
                setsigmask=(),
                setsigdef=_IGNORED,
            )
    except OSError as error:
        said = _no_interpreter(order.argv[0], error) or _for(ground.user, error)
        raise NotStarted(f"cannot run {order.argv[0]!r}: {said}") from None
    except (ValueError, IndexError) as error:
        raise NotStarted(f"arguments or environment cannot be passed on: {error}") from None
    finally:
        os.fchdir(ground.home)
    if order.memory_bytes and not held.group:
        with suppress(ProcessLookupError):
            limit = (order.memory_bytes, order.memory_bytes)
            resource.prlimit(pid, resource.RLIMIT_DATA, limit)
    return pid


def _no_interpreter(name: str, error: OSError) -> str:
    """The kernel says of a script without its interpreter that the script is not there."""
    if error.errno != errno.ENOENT or not os.path.exists(name):
        return ""
    return "it is there, but the interpreter that its first line names is not"


def _for(user: str, error: OSError) -> str:
    said = error.strerror or str(error)
    return f"{said} (as user {user})" if error.errno in (errno.EACCES, errno.EPERM) else said


def _find(name: str, path: str) -> str:
    """The program `name` means, looked for in `path` as execvp(3) does. Raises OSError."""
    if "/" in name:
        return name
    denied = False
    for folder in path.split(":"):
        program = f"{folder or '.'}/{name}"
        if os.access(program, os.X_OK) and not os.path.isdir(program):
            return program
        denied = denied or os.path.exists(program)
    number = errno.EACCES if denied else errno.ENOENT
    words = "found in PATH but may not be run" if denied else "not found in PATH"
    raise OSError(number, words)


@contextmanager
def _inside(group: Group | None, ground: Ground) -> Iterator[None]:
    if group is None or ground.groups is None:
        yield
        return
    try:
        try:
            group.enter()
        except OSError as error:
            raise NotStarted(f"cannot enter its control group: {error.strerror}") from None
        yield
    finally:
        ground.groups.leave()


@contextmanager
def _limited(order: Order, ground: Ground, group: Group | None) -> Iterator[None]:
    """Our own soft limits are what the child begins with."""
    soft, hard = ground.nofile
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    bound = group is None and order.memory_bytes >= _RLIMIT_ROOM
    before = resource.getrlimit(resource.RLIMIT_DATA)
    if bound:
        ceiling = before[1]
        most = order.memory_bytes
        if ceiling != resource.RLIM_INFINITY:
            most = min(most, ceiling)
        resource.setrlimit(resource.RLIMIT_DATA, (most, ceiling))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        if bound:
            resource.setrlimit(resource.RLIMIT_DATA, before)
