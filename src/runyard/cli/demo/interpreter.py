"""A Python that tasks can use: they may run as another user, whom a home folder may keep out."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from runyard.model.errors import Refused

SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_TRIED = "import csv, json, sys, unicodedata, zipfile; sys.exit(sys.version_info < (3, 8))"
_SECONDS_MAX = 30.0


def search_path(task_user: str, candidates: Iterable[Path] | None = None) -> str:
    """A PATH on which `python3` is one that the user of tasks can run.

    `task_user` counts only if we are root. `candidates` are folders; ours and the usual ones if
    none are given. Raises Refused when there is none.
    """
    folders = list(dict.fromkeys(_folders() if candidates is None else candidates))
    for folder in folders:
        if _runs(folder / "python3", task_user):
            return f"{folder}:{SEARCH_PATH}"
    raise Refused(
        f"none of these is a Python that the user {_user(task_user)} can run: "
        + ", ".join(str(folder / "python3") for folder in folders),
        hint="install one that every user can reach (Debian and Ubuntu: apt-get install python3), "
        "or do not be root",
    )


def _folders() -> Iterable[Path]:
    yield Path(sys.executable).parent
    for folder in SEARCH_PATH.split(":"):
        if shutil.which("python3", path=folder):
            yield Path(folder)


def _user(task_user: str) -> str:
    return task_user if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name


def _runs(python: Path, task_user: str) -> bool:
    """Tries it, as the user of tasks, with nothing in its environment."""
    try:
        entry = pwd.getpwnam(task_user) if os.geteuid() == 0 else None
        done = subprocess.run(  # noqa: S603  # a fixed program
            [python, "-c", _TRIED],
            user=entry.pw_uid if entry else None,
            group=entry.pw_gid if entry else None,
            extra_groups=[] if entry else None,
            env={},
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS_MAX,
            check=False,
        )
    except (OSError, KeyError, subprocess.SubprocessError):
        return False
    return done.returncode == 0
