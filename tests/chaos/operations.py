"""A real server, killed again and again in the middle of applies, roll-backs and deletes.

`python -m tests.chaos.operations --kills 100 --seed 1 [--database postgresql]`

After each death the server is started again, and every operation must come to its end: complete or
undone. Then what is in force and what stands at the provider must be the same, job by job, and
nothing may be there for a job that is not.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sqlite3
import sys
import tempfile
import time
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

from tests.chaos.load import AWAY
from tests.chaos.yard import RealYard
from tests.support.postgresql import DURABLE, Server, running

NAMES = ("one", "two", "three")
REGIONS = ("us-central1", "europe-west1")
MOMENT_SECONDS = 0.12  #: about as long as an operation takes; the kill comes within
REST_SECONDS_MAX = 120.0
FINAL = {"complete", "undone"}
Document = dict[str, Any]


@dataclass(slots=True)
class OperationsResult:
    """What came of it. `in_the_middle`: kills that an operation lived through."""

    seed: int
    database: str
    kills: int = 0
    operations: int = 0
    in_the_middle: int = 0
    states: dict[str, int] = field(default_factory=dict)
    kinds: dict[str, int] = field(default_factory=dict)
    between: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def is_clean(self) -> bool:
        """True when nothing was left between."""
        return not (self.between or self.faults) and set(self.states) <= FINAL


def play(folder: Path, kills: int, seed: int, database: Server | None = None) -> OperationsResult:
    """Kill a server `kills` times, each time in the middle of a change."""
    yard, random = RealYard(folder / "state", database), Random(seed)
    began, kind = time.monotonic(), "sqlite" if database is None else "postgresql"
    result = OperationsResult(seed, kind)
    yard.prepare()
    yard.start()
    try:
        for _ in range(kills):
            _one_kill(yard, random, result)
        _count(yard, result)
        result.faults = yard.faults_logged()
    finally:
        yard.end()
    result.seconds = round(time.monotonic() - began, 1)
    return result


def _one_kill(yard: RealYard, random: Random, result: OperationsResult) -> None:
    begun = _change(yard, random)
    yard.wait(random.uniform(0, MOMENT_SECONDS))
    yard.kill_server()
    killed_at = time.time()  # noqa: TID251 - compared with instants that the server wrote
    result.kills += 1
    yard.start()
    operations = _at_rest(yard)
    ended = {one["id"]: one["ended_at"] for one in operations}
    if begun in ended and _seconds(ended[begun]) > killed_at:
        result.in_the_middle += 1
    result.between += _between(yard)


def _seconds(instant: str | None) -> float:
    return datetime.fromisoformat(instant).timestamp() if instant else 0.0


def _change(yard: RealYard, random: Random) -> str:
    """Ask for some change and do not wait for it; the operation's id."""
    in_force = [job["name"] for job in yard.api.pages("/api/v1/jobs", "jobs")]
    gone = [job["name"] for job in yard.api.call("GET", "/api/v1/deleted-jobs")[1]["jobs"]]
    what = random.choice(["apply", "delete", "delete", "rollback", "undelete"])
    names = gone if what == "undelete" else in_force
    if what != "apply" and names:
        name = random.choice(names)
        begun = (
            _ask(yard, "DELETE", f"/jobs/{name}?wait_seconds=0", None)
            if what == "delete"
            else _ask(yard, "POST", f"/jobs/{name}:{what}", {"confirm": True, "wait_seconds": 0})
        )
        if begun:
            return begun
    text = json.dumps(_manifest(random))
    files = {"files": [{"name": "runyard.yaml", "text": text}]}
    return _ask(yard, "POST", "/jobs:apply", files | {"confirm": True, "wait_seconds": 0})


def _ask(yard: RealYard, method: str, path: str, body: Any) -> str:
    status, answer = yard.api.call(method, f"/api/v1{path}", body)
    if status >= 400:
        return ""  # nothing to roll back to, nothing to have back: that is an answer too
    operation = answer["operation"]
    return str(operation["id"]) if operation else ""


def _manifest(random: Random) -> Document:
    jobs = random.sample(NAMES, random.randrange(1, len(NAMES) + 1))
    return {"project": "chaos", "jobs": {name: _job(random) for name in jobs}}


def _job(random: Random) -> Document:
    container = {
        "image": "any",
        "command": ["true"],
        "args": [str(random.randrange(10_000))],
    }
    task: Document = {"containers": [container]}
    if random.random() < 0.7:
        task["serviceAccount"] = random.choice(["reader", "writer"])
    job: Document = {
        "regions": random.sample(REGIONS, random.choice([1, 2])),
        "template": {"template": task},
    }
    if random.random() < 0.5:
        job["needs"] = {"buckets": [{"name": "reports", "access": "write"}]}
    return job


def _at_rest(yard: RealYard) -> list[Document]:
    """The newest operations, once all have ended."""
    until = time.monotonic() + REST_SECONDS_MAX
    while True:
        try:
            status, page = yard.api.call("GET", "/api/v1/operations?page_size=20")
            found: list[Document] = page["operations"] if status == 200 else []
        except AWAY:
            found, status = [], 0
        done = status == 200 and all(one["state"] in FINAL for one in found)
        if done or time.monotonic() > until:
            return found
        yard.wait(0.05)


def _between(yard: RealYard) -> list[str]:
    """Where what is in force and what stands at the provider are not the same."""
    in_force = {job["name"]: job for job in yard.api.pages("/api/v1/jobs", "jobs")}
    wrong = [
        f"{name} is held by {job['operation']}, blocked: {job['blocked']}"
        for name, job in in_force.items()
        if job["operation"] or job["blocked"]
    ]
    wanted = {
        (name, region): job["spec"]["template"]
        for name, job in in_force.items()
        for region in job["regions"]
    }
    with closing(sqlite3.connect(yard.folder / "cloud" / "cloud.db")) as cloud:
        rows = cloud.execute(
            "SELECT name, region, template_json FROM job WHERE deleted_at IS NULL"
        ).fetchall()
        holders = cloud.execute("SELECT DISTINCT holder FROM iam_hold").fetchall()
    stands = {(name, region): json.loads(template) for name, region, template in rows}
    for place in sorted(wanted.keys() | stands.keys()):
        if wanted.get(place) != stands.get(place):
            wrong.append(f"{place} is not as it is in force")
    for (holder,) in holders:
        if holder.partition("#")[0].rpartition("/")[2] not in in_force:
            wrong.append(f"access is left for {holder}, which is not in force")
    return wrong


def _count(yard: RealYard, result: OperationsResult) -> None:
    for one in yard.api.pages("/api/v1/operations", "operations"):
        result.operations += 1
        result.states[one["state"]] = result.states.get(one["state"], 0) + 1
        result.kinds[one["kind"]] = result.kinds.get(one["kind"], 0) + 1


def main() -> int:
    """Run it and print the result."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.operations")
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="runyard-chaos-"))
    with ExitStack() as stack:
        server = None
        if asked.database == "postgresql":
            server = stack.enter_context(running(DURABLE))
        result = play(folder, asked.kills, asked.seed, server)
    print(json.dumps(asdict(result), indent=1))
    print("clean" if result.is_clean else f"NOT CLEAN; kept: {folder}")
    if result.is_clean:
        shutil.rmtree(folder)
    return 0 if result.is_clean else 1


if __name__ == "__main__":
    sys.exit(main())
