"""The peers, each measured by its own script in `benchmarks/peers/`, in an environment of its own
that is made where there is none: pinned with hashes, never in Runyard's environment or lock."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parents[1] / "peers"
LOCK = HERE / "requirements.lock"
VENV = HERE.parents[1] / ".venv-peers"

#: Each with its script, whether it wants a PostgreSQL database, and its part of our runs.
PEERS = {
    "procrastinate": ("procrastinate_runs.py", True, 0.25),
    "dbos_sqlite": ("dbos_runs.py", False, 0.05),
    "dbos_postgresql": ("dbos_runs.py", True, 0.15),
    "huey": ("huey_runs.py", False, 0.5),
}


def prepare() -> None:
    """Make the environment, unless it is as the lock says."""
    kept = VENV / "requirements.lock"
    if kept.exists() and kept.read_bytes() == LOCK.read_bytes():
        return
    _run([sys.executable, "-m", "venv", "--clear", str(VENV)])
    pip = [str(VENV / "bin" / "python"), "-m", "pip", "install", "--quiet", "--require-hashes"]
    _run([*pip, "-r", str(LOCK)])
    kept.write_bytes(LOCK.read_bytes())


def rate(name: str, folder: Path, database: Callable[[], str], runs: int) -> dict[str, Any]:
    """What the peer's script printed: runs a second, CPU of each, its version and how."""
    script, wants_postgresql, part = PEERS[name]
    if wants_postgresql:
        place = database()
    elif name == "huey":
        place = str(folder / f"{name}.db")
    else:
        place = f"sqlite:///{folder / name}.db"
    python, count = str(VENV / "bin" / "python"), max(10, round(runs * part))
    said = _run([python, "-W", "ignore", str(HERE / script), place, str(count)])
    found: dict[str, Any] = json.loads(said.splitlines()[-1])
    return found


def ask(script: str, *words: str | int) -> dict[str, Any]:
    """What one of the peers' scripts printed."""
    python = str(VENV / "bin" / "python")
    said = _run([python, "-W", "ignore", str(HERE / script), *map(str, words)])
    found: dict[str, Any] = json.loads(said.splitlines()[-1])
    return found


def _run(words: list[str]) -> str:
    done = subprocess.run(words, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise RuntimeError(f"{' '.join(words)} failed: {done.stderr[-2000:]}")
    return done.stdout
