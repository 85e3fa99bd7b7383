"""`python -m tests.chaos --kills 50`: kill under load, then count what went wrong."""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random

from tests.chaos.load import AWAY, Load
from tests.chaos.work import Evidence, manifest
from tests.chaos.yard import RealYard
from tests.support.postgresql import DURABLE, Server, running

PAUSE_SECONDS = 0.2
REST_SECONDS_MAX = 240
DATABASES = ("sqlite", "postgresql")
#: What may die in one go, and how often.
DEATHS = {"server": 6, "spawner": 3, "server, spawner": 2, "while starting": 1}
DEATHS_ON_POSTGRESQL = {
    "server": 3,
    "engine": 5,
    "engine hangs": 2,
    "spawner": 3,
    "engine, spawner": 2,
    "while starting": 1,
    "postgresql": 4,
    "engine, postgresql": 2,
    "server, engine, spawner, postgresql": 1,
}


@dataclass(frozen=True, slots=True)
class Result:
    """What was done and what went wrong; all of the second part must be nothing."""

    database: str
    seed: int
    seconds: float
    kills: dict[str, int]
    runs: int
    task_attempts: int
    lost: list[str]
    doubled: list[str]
    over_the_limit: list[str]
    orphaned: list[str]
    left_behind: list[str]
    uncharged: list[str]
    refused: list[str]
    faults: list[str]

    @property
    def is_clean(self) -> bool:
        """True when nothing went wrong."""
        wrong = list(asdict(self).values())[6:]
        return not any(wrong)


def chaos(folder: Path, kills: int, seed: int, database: Server | None = None) -> Result:
    """Kill `kills` times under load, come to rest, and look. Runs are kept in `database`, or in
    the folder."""
    random = Random(seed)
    evidence = Evidence(folder / "evidence")
    folder.chmod(0o755)
    evidence.prepare()
    yard = RealYard(folder / "state", database)
    yard.prepare()
    began = time.monotonic()
    yard.start()
    try:
        files = {"files": [{"name": "chaos.json", "text": manifest(evidence)}]}
        status, answer = yard.api.call("POST", "/api/v1/jobs:apply", files)
        assert status == 200, answer
        load = Load(yard.api, random)
        load.begin()
        try:
            for _ in range(kills):
                _one_kill(yard, random)
        finally:
            yard.go_on()
            load.end()
        runs = come_to_rest(yard)
        return _look(yard, evidence, load, runs, seed, time.monotonic() - began)
    finally:
        yard.end()


def _one_kill(yard: RealYard, random: Random) -> None:
    """Wait a moment, kill something, start what is missing."""
    yard.wait(random.uniform(0.05, 1.6))
    deaths = DEATHS if yard.database is None else DEATHS_ON_POSTGRESQL
    what = random.choices(list(deaths), list(deaths.values()))[0]
    if "spawner" in what:
        yard.kill_spawner()
    if "postgresql" in what:
        yard.kill_database()
    if "engine" in what:
        hangs = "hangs" in what
        yard.kill_engine(signal.SIGSTOP if hangs else signal.SIGKILL, random)
    if "server" in what or what == "while starting":
        yard.kill_server()
    if "postgresql" in what:
        yard.start_database()
    if what == "while starting":
        yard.start_only()
        yard.wait(random.uniform(0.1, 0.9))
        yard.kill_server()
    yard.start_engines()
    if not yard.is_up():
        yard.start()


def come_to_rest(yard: RealYard) -> list[dict[str, object]]:
    """Every run, once all are final, an engine is at work and nothing is left to do: what a
    spawner that was killed left behind, the next one clears away."""
    until = time.monotonic() + REST_SECONDS_MAX
    while True:
        yard.start_engines()
        try:
            runs = yard.api.pages("/api/v1/runs", "runs")
            is_at_work = bool(_memory_files(yard))
        except AWAY:
            runs, is_at_work = [{"state": "away"}], False
        final = {"succeeded", "dead", "cancelled", "skipped"}
        is_at_rest = is_at_work and all(run["state"] in final for run in runs)
        if is_at_rest or time.monotonic() > until:
            yard.wait(1.0)  # releases follow ends
            return runs
        yard.wait(PAUSE_SECONDS)


def _look(
    yard: RealYard,
    evidence: Evidence,
    load: Load,
    runs: list[dict[str, object]],
    seed: int,
    seconds: float,
) -> Result:
    by_id = {str(run["id"]): run for run in runs}
    final = {"succeeded", "dead", "cancelled", "skipped"}
    lost = [run for run in load.acknowledged.values() if run not in by_id]
    lost += [f"{key} is {run['state']}" for key, run in by_id.items() if run["state"] not in final]
    lost += [_death(run) for run in runs if run["state"] == "dead" and run["job"] != "slow"]
    return Result(
        database="sqlite" if yard.database is None else "postgresql",
        seed=seed,
        seconds=round(seconds, 1),
        kills=yard.kills,
        runs=len(runs),
        task_attempts=evidence.starts(),
        lost=lost,
        doubled=evidence.doubled() + _doubled_keys(load),
        over_the_limit=evidence.overlaps(),
        orphaned=[str(pid) for pid in yard.tasks(evidence.folder)],
        left_behind=_left_behind(yard),
        uncharged=_uncharged(yard, list(by_id)),
        refused=load.refused,
        faults=yard.faults_logged(),
    )


def _death(run: dict[str, object]) -> str:
    return f"{run['id']} ({run['job']}) died of us: {run['reason']}"


def _doubled_keys(load: Load) -> list[str]:
    runs = list(load.acknowledged.values())
    return [run for run in set(runs) if runs.count(run) > 1]


def _left_behind(yard: RealYard) -> list[str]:
    """Folders and cgroups of tasks that are still there."""
    where = _memory_files(yard)
    assert where, "no engine says where memory files go"
    name = Path(where).name
    places = [Path("/var/tmp") / name, Path(where)]
    places += list(Path("/sys/fs/cgroup").glob(f"**/{name}"))
    return [
        str(path)
        for place in places
        if place.is_dir()
        for path in place.iterdir()
        if path.is_dir() and path.name != "home"  # the spawner's own cgroup
    ]


def _memory_files(yard: RealYard) -> str:
    """Where files in memory are kept; empty as long as no engine with a spawner has told."""
    status, answer = yard.api.call("GET", "/api/v1/status")
    return str(answer["abilities"].get("memory_files") or "") if status == 200 else ""


def _uncharged(yard: RealYard, runs: list[str]) -> list[str]:
    """Attempts of final runs without exactly one charge."""
    wrong = []
    for run in runs:
        status, answer = yard.api.call("GET", f"/api/v1/runs/{run}")
        assert status == 200, answer
        for attempt in answer["attempts"]:
            if attempt["charge"] is None:
                wrong.append(f"{run}/{attempt['number']}")
        if len(answer["attempts"]) != answer["attempt"]:
            wrong.append(f"{run}: {len(answer['attempts'])} of {answer['attempt']} attempts known")
    return wrong


def main() -> int:
    """Run it and print the result."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--database", choices=DATABASES, default="sqlite")
    parser.add_argument("--keep", action="store_true", help="keep the folder")
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="runyard-chaos-"))
    with ExitStack() as stack:
        server = None
        if asked.database == "postgresql":
            server = stack.enter_context(running(DURABLE))
        result = chaos(folder, asked.kills, asked.seed, server)
    print(json.dumps(asdict(result), indent=1))
    print("clean" if result.is_clean else f"NOT CLEAN; kept: {folder}")
    if result.is_clean and not asked.keep:
        shutil.rmtree(folder)
    return 0 if result.is_clean else 1


if __name__ == "__main__":
    sys.exit(main())
