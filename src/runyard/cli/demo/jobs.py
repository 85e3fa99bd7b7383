"""Which jobs the demo runs, how it asks for each, and what must become of it.

The manifests are those of `examples/`. The flights job has data beside it that no package ships;
where they are not, the characters of Unicode take their place, which every Python has with it.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from runyard.cli.demo.ground import Ground
from runyard.model.run import State

MANIFESTS = Path(__file__).resolve().parent / "manifests"
#: In a clone of the project; a wheel has neither the script nor the data.
FLIGHTS = Path(__file__).resolve().parents[4] / "examples" / "flights"
_FLIGHTS_FILES = ("main.py", "flights.csv.zip")
_ALWAYS = ("retry", "timeout", "memory", "network", "cancel")
_BANK_PORT = "18641"  #: in the manifest; the demo takes one that is free
FLIGHTS_JOB, CHARACTERS_JOB = "flights", "characters"


@dataclass(frozen=True, slots=True)
class DemoJob:
    """One job of the demo. `endings` are those of its attempts, in order; `lines_until_cancel`:
    it is cancelled when it has printed so many."""

    name: str
    purpose: str
    state: State
    endings: Sequence[str]
    env: dict[str, str] = field(default_factory=dict)
    lines_until_cancel: int = 0


def has_flights() -> bool:
    """True where the flights of New York are beside their script."""
    return all((FLIGHTS / name).is_file() for name in _FLIGHTS_FILES)


def manifests(bank_port: int) -> list[dict[str, str]]:
    """The files to apply, as the REST API wants them. The bank is at `bank_port`, here."""
    paths = {name: MANIFESTS / f"{name}.yaml" for name in _ALWAYS}
    if has_flights():
        paths[FLIGHTS_JOB] = FLIGHTS / "runyard.yaml"
    else:
        paths[CHARACTERS_JOB] = MANIFESTS / f"{CHARACTERS_JOB}.yaml"
    texts = {name: path.read_text() for name, path in paths.items()}
    texts["network"] = texts["network"].replace(_BANK_PORT, str(bank_port))
    return [{"name": f"{name}.yaml", "text": text} for name, text in texts.items()]


def lay_out(ground: Ground) -> None:
    """Puts what tasks read where every user can read it."""
    if has_flights():
        for name in _FLIGHTS_FILES:
            shutil.copyfile(FLIGHTS / name, ground.files / name)
            (ground.files / name).chmod(0o644)


def jobs(ground: Ground, search_path: str) -> list[DemoJob]:
    """The jobs in the order in which they are asked for."""
    return [
        _sharded(ground, search_path),
        DemoJob(
            "import-orders",
            "fails twice, as what it needs is not there yet, and succeeds by retry",
            State.SUCCEEDED,
            ("failed", "failed", "succeeded"),
            {"EXPORT_FOLDER": str(ground.exchange / "export")},
        ),
        DemoJob(
            "slow-report",
            "takes two minutes and may take three seconds: times out, ends dead",
            State.DEAD,
            ("timed_out",),
        ),
        DemoJob(
            "sort-orders",
            "needs more memory than it has: killed, and succeeds with twice as much",
            State.SUCCEEDED,
            ("failed", "succeeded"),
            {"PATH": search_path},
        ),
        DemoJob(
            "fetch-rates",
            "its bank is away at first: waits for it, and goes on once it is back",
            State.SUCCEEDED,
            ("failed", "succeeded"),
            {"PATH": search_path},
        ),
        DemoJob(
            "reindex",
            "works through a long list until it is cancelled",
            State.CANCELLED,
            ("cancelled",),
            lines_until_cancel=3,
        ),
    ]


def _sharded(ground: Ground, search_path: str) -> DemoJob:
    env = {"PATH": search_path}
    if not has_flights():
        purpose = "every character of Unicode, an eighth of them a task"
        return DemoJob(CHARACTERS_JOB, purpose, State.SUCCEEDED, ("succeeded",), env)
    purpose = "all flights that left New York in 2013, a month a task"
    env["FLIGHTS"] = str(ground.files)
    return DemoJob(FLIGHTS_JOB, purpose, State.SUCCEEDED, ("succeeded",), env)
