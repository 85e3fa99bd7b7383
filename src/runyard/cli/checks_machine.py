"""What this machine offers to tasks: control groups, files in memory; and to people."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from runyard.cli.check import Check

_PYTHON_MIN = (3, 11)
_CGROUP = Path("/sys/fs/cgroup")
_MEMORY_FOLDER = Path("/dev/shm")  # noqa: S108  # what tmpfs(5) calls it; nothing is kept there
_CGROUP_ADVICE = (
    "memory is then measured less exactly; run as root, or by systemd with Delegate=yes"
)
_NO_MEMORY_FILES = Check(
    "files in memory",
    "warn",
    "none writable",
    "secrets mounted as files then touch the disk; mount a tmpfs at /dev/shm",
)


def checks(abilities: dict[str, Any] | None) -> Iterator[Check]:
    """`abilities` are what a running server says of its spawner, None without a server."""
    yield _python()
    if abilities is None:
        yield _cgroup()
        yield _memory_folder()
    else:
        yield from _told(abilities)
    yield _terminal()


def _python() -> Check:
    found = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    if sys.version_info < _PYTHON_MIN:
        return Check("python", "fail", found, "use Python 3.11 or later")
    if platform.system() != "Linux":
        return Check("python", "fail", found, "the cloud on this machine needs Linux")
    return Check("python", "ok", found)


def _cgroup() -> Check:
    """Without a server this only looks; what tasks really get is known once one has run."""
    kind = "v2" if (_CGROUP / "cgroup.controllers").exists() else "v1"
    if not _CGROUP.is_dir() or not any(_CGROUP.iterdir()):
        return Check("control groups", "warn", "none mounted", _CGROUP_ADVICE)
    own = _own_group()
    if not any(os.access(folder, os.W_OK) for folder in own):
        return Check("control groups", "warn", f"{kind}, not ours to divide", _CGROUP_ADVICE)
    return Check("control groups", "ok", f"{kind}, writable")


def _own_group() -> list[Path]:
    """The folders of the group that this process is in, in every hierarchy it may divide."""
    folders = []
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, group = line.split(":", 2)
        if controllers in ("", "memory"):
            folders.append(_CGROUP / controllers / group.lstrip("/"))
    return folders


def _memory_folder() -> Check:
    if os.access(_MEMORY_FOLDER, os.W_OK):
        return Check("files in memory", "ok", str(_MEMORY_FOLDER))
    return _NO_MEMORY_FILES


def _told(abilities: dict[str, Any]) -> Iterator[Check]:
    group, why = abilities.get("cgroup"), str(abilities.get("cgroup_reason", ""))
    if group:
        yield Check("control groups", "ok", f"{group} ({why})" if why else str(group))
    else:
        yield Check("control groups", "warn", f"none: {why}", _CGROUP_ADVICE)
    enforcer = abilities.get("memory_enforced_by")
    if enforcer == "cgroup":
        yield Check("memory limits", "ok", "held by control groups")
    else:
        yield Check("memory limits", "warn", f"held by {enforcer or 'nothing'}", _CGROUP_ADVICE)
    folder = abilities.get("memory_files")
    yield Check("files in memory", "ok", str(folder)) if folder else _NO_MEMORY_FILES
    user = str(abilities.get("user", ""))
    if user == "root":
        advice = "tasks may then do anything here: set RUNYARD_TASK_USER"
        yield Check("user of tasks", "warn", user, advice)
    else:
        yield Check("user of tasks", "ok", user)


def _terminal() -> Check:
    encoding = (sys.stdout.encoding or "").lower().replace("-", "")
    if encoding != "utf8":
        return Check(
            "terminal", "warn", f"encoding {encoding}", "set PYTHONUTF8=1 or a UTF-8 locale"
        )
    return Check("terminal", "ok", "a terminal" if sys.stdout.isatty() else "not a terminal")
