"""What is said between the cloud and its spawner."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

GRACE_SECONDS = 10.0  #: SIGTERM to SIGKILL (Cloud Run container contract, "forced termination")


@dataclass(frozen=True, slots=True)
class SecretFile:
    """A file kept in memory only. `path` is the mount path inside the container, absolute."""

    path: str
    content: bytes
    mode: int = 0o444


@dataclass(frozen=True, slots=True)
class TaskOrder:
    """One task attempt to start. `key` is `<execution>-task<index>/<attempt>`, used at most once.

    `argv` is run without a shell, `argv[0]` looked up in the PATH of `env`. `working_folder`
    empty: a fresh folder of its own, removed at the end. `redactions` are (name, value) of the
    secrets that must not reach the log. Limits of 0 mean none. `folders` are the mount paths of
    empty writable folders (emptyDir), made beside `files` under the task's mount root.
    """

    key: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    log_path: str
    task: int
    attempt: int
    timeout_seconds: float
    working_folder: str = ""
    folders: tuple[str, ...] = ()
    grace_seconds: float = GRACE_SECONDS
    memory_bytes: int = 0
    vcpu_milli: int = 0
    files: tuple[SecretFile, ...] = ()
    redactions: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    log_bytes_max: int = 0


@dataclass(frozen=True, slots=True)
class TaskEnd:
    """How a task attempt ended. At most one of `exit_code` and `signal` is set.

    `lost`: the spawner died and nobody knows; everything the task had was killed and removed.
    `not_started`: argv could not be executed, `message` says why. `removed` counts what was
    removed at the end by kind (folder, memory_folder, cgroup, process).
    `memory_measured_by` is `cgroup`, `rusage` or empty. `output` is what the first task wrote as
    its result, as JSON.
    """

    key: str
    exit_code: int | None
    signal: int | None
    started_at: datetime
    ended_at: datetime
    timed_out: bool = False
    stopped: bool = False
    out_of_memory: bool = False
    lost: bool = False
    not_started: bool = False
    message: str = ""
    cpu_milliseconds: int = 0
    memory_peak_bytes: int = 0
    memory_measured_by: str = ""
    log_bytes_dropped: int = 0
    output: str = ""
    removed: Mapping[str, int] = field(default_factory=dict)
    left: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Abilities:
    """What this machine grants the spawner, for `doctor` and for warnings in the run."""

    cgroup: str  # v2, v1, hybrid or empty
    cgroup_reason: str  # why there is none, or where it is
    memory_enforced_by: str  # cgroup, rlimit or empty
    memory_files: str  # the folder in memory that secret files go to, or empty
    user: str  # the user that tasks run as


class Spawner(Protocol):
    """The client's side. All calls raise `ProviderUnavailable` when the spawner cannot be had.

    `instance` names the spawner process this client talks to, known after `start`: equal as long
    as that process lives, another one after it was replaced. Who wrote down a key under the same
    instance may `spawn` it again without fear; under another one only `lost` can be right.
    """

    abilities: Abilities
    instance: str

    async def start(self) -> None:
        """Connect to the running spawner, or clean up after a dead one and start a new one."""

    async def close(self, *, stop: bool = False) -> None:
        """Let go of it; with `stop`, tell it to end once no task runs."""

    async def spawn(self, order: TaskOrder) -> bool:
        """Start a task attempt; False if a task with this key was started before."""

    async def stop(self, key: str) -> None:
        """SIGTERM, grace, SIGKILL to the whole group. Unknown or ended keys are ignored."""

    async def running(self) -> list[str]:
        """The keys that run now."""

    async def ends(self) -> list[TaskEnd]:
        """Ends not yet acknowledged, also those from before a restart; repeats until `forget`."""

    async def forget(self, keys: list[str]) -> None:
        """Acknowledge ends: the spawner may drop them."""

    async def lost(self, keys: list[str]) -> list[TaskEnd]:
        """Of `keys` thought to run, those the spawner knows nothing of, as ends with `lost`."""


Wake = Callable[[], None]  #: called from the event loop when `ends` has something new
