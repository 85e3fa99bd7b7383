"""Bringing up the spawner process, and taking away what only its owner can."""

from __future__ import annotations

import json
import os
import select
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import runyard
from runyard.localcloud.spawner.server.places import tag_of

VERSION = 1  #: of what is said over the socket; a spawner of another version is replaced
IDLE_SECONDS = 600.0  #: a spawner nobody needs (no client, no task) ends by itself after so long
READY_SECONDS = 120.0  #: to come up, the clearing away of a dead spawner's tasks included
_ROOT = str(Path(runyard.__file__).resolve().parent.parent)
# appended, not put first: nothing that lies beside us may stand in for the standard library
_CODE = (
    "import sys; sys.path.append(sys.argv.pop()); "
    "from runyard.localcloud.spawner.server.main import main; main()"
)


@dataclass(frozen=True, slots=True)
class Settings:
    """What a spawner is started with; `server.main.Settings` says what the fields mean."""

    folder: str
    work: str
    memory: tuple[str, ...]
    user: str
    cgroup: bool
    idle_seconds: float = IDLE_SECONDS
    version: str = f"{VERSION} {runyard.__version__}"

    def text(self) -> str:
        """As the process gets it. No secret is in it: anybody may read the arguments."""
        names = self.__dataclass_fields__
        return json.dumps({name: getattr(self, name) for name in names})


def settings_for(
    folder: Path, task_user: str, work_folder: Path | None, memory_folders: tuple[Path, ...]
) -> Settings:
    """Fill in what the caller leaves open.

    Working folders must be reachable by the user that tasks run as. The spawner's folder is not
    (it is closed to everybody else), so that under root they go to a folder in /var/tmp.
    """
    tag = tag_of(str(folder))
    if work_folder is None and os.geteuid() == 0 and task_user:
        work_folder = Path("/var/tmp") / f"runyard-{tag}"  # noqa: S108 - its owner is checked
    if not memory_folders:
        memory_folders = (Path("/dev/shm"), Path(f"/run/user/{os.geteuid()}"))  # noqa: S108
    return Settings(
        folder=str(folder.resolve()),
        work=str((work_folder or folder / "work").resolve()),
        memory=tuple(str(each) for each in memory_folders),
        user=task_user if os.geteuid() == 0 else "",
        cgroup=True,
    )


def launch(settings: Settings) -> str:
    """Start the process and wait until it is up. Blocks: call it in a thread.

    Answers `ready`, `busy` (another spawner has this folder) or the reason why it cannot start.
    """
    errors = _open_errors(Path(settings.folder) / "spawner.err")
    null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    reader, writer = os.pipe2(os.O_CLOEXEC)
    try:
        pid = os.posix_spawn(
            sys.executable,
            [sys.executable, "-I", "-S", "-X", "utf8", "-c", _CODE, settings.text(), _ROOT],
            {},
            file_actions=[
                (os.POSIX_SPAWN_DUP2, null, 0),
                (os.POSIX_SPAWN_DUP2, null, 1),
                (os.POSIX_SPAWN_DUP2, errors, 2),
                (os.POSIX_SPAWN_DUP2, writer, 3),
            ],
            setsid=True,
            setsigmask=(),
        )
    except OSError as error:
        os.close(reader)
        return f"cannot run {sys.executable}: {error.strerror}"
    finally:
        for fd in (errors, null, writer):
            os.close(fd)
    with suppress(ChildProcessError):  # somebody else may await all children of this process
        os.waitpid(pid, 0)  # it has gone into the background
    return _answer(reader) or f"it died while starting; see {settings.folder}/spawner.err"


def _open_errors(path: Path) -> int:
    """Where the process says why it dies. What the one before it said is kept beside it."""
    if path.exists() and path.stat().st_size:
        path.replace(path.with_suffix(".err.old"))
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)


def _answer(reader: int) -> str:
    waiting = select.poll()
    waiting.register(reader, select.POLLIN)
    with os.fdopen(reader, "rb") as file:
        if not waiting.poll(READY_SECONDS * 1000):
            return f"it did not come up within {READY_SECONDS:.0f} seconds"
        return file.read().decode("utf-8", "replace")


def remove_emptied(folders: list[str]) -> None:
    """Remove folders of an ended spawner that are empty; those that are not stay."""
    for folder in folders:
        with suppress(OSError):
            Path(folder).rmdir()
