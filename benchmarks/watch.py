"""What watching costs: tasks that log much, and searches of what was logged.

    python -m benchmarks.watch [--json PATH] [--lines N] [--rules N] [--seconds S]

* Four tasks write 25,000 lines a second each, paced, once to files and once as tasks of a run,
  whose output goes through the spawner, and is read for measures and errors as it comes.
  `log_slowdown_percent`: how much longer the slowest takes.
* Ten million lines (a quarter of them structured) in four logs are searched with nothing of them in
  the page cache. `log_search_s`: the slower of a plain text and a field; `log_search_regex_s`: the
  slowest of five expressions, of which two have no plain text in them. Medians of three.
* 10,000 rules of jobs with a history are looked at as often as an engine does.
  `alert_cpu_percent_10k`: how much of a core that takes, all threads together.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import pwd
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter

import uvloop

from benchmarks.parts.answering import clock
from benchmarks.parts.ruling import alert_cpu_percent
from runyard.cloud_wiring import Ids
from runyard.config import Config
from runyard.gate.asking import Apply, Request
from runyard.gate.door import Committed
from runyard.localcloud.logging.format import STDOUT, encode_block
from runyard.localcloud.logging.search import Search, search
from runyard.localcloud.logging.wanted import Wanted
from runyard.log_watching import reading_logs
from runyard.measures import measuring
from runyard.model.event import Released
from runyard.model.ids import RunId
from runyard.model.job import JobSpec
from runyard.model.plan import RunRequest
from runyard.model.run import State
from runyard.telemetry.recorder import Recorder
from runyard.wiring import open_house, open_rows

NAME = "lines searched, cold"
UNIT = "a second"
LINES = 10_000_000
SECONDS = 10.0
TASKS = 4
LINES_PER_SECOND = 25_000
ROUNDS = 3
RULES = 10_000
BLOCK_LINES = 1_000
AT = 1_767_225_600_000_000
#: Writes what is due a hundred times a second, and tells how long it took beside its output.
WRITER = """
import os, sys, time
seconds, each, told = float(sys.argv[1]), int(sys.argv[2]) // 100, sys.argv[3]
lines = b"".join(b"%06d handled order 4711 for customer 0815 in 12 ms\\n" % n for n in range(each))
began = time.perf_counter()
for slot in range(round(seconds * 100)):
    rest = memoryview(lines)
    while rest:
        rest = rest[os.write(1, rest):]
    ahead = began + (slot + 1) / 100 - time.perf_counter()
    if ahead > 0:
        time.sleep(ahead)
with open(told + (os.environ.get("CLOUD_RUN_TASK_INDEX") or sys.argv[4]), "w") as file:
    file.write(str(time.perf_counter() - began))
"""

#: What is searched for: each is found in few lines or in none, so all of the logs are looked at.
LITERAL = Wanted(text="order 48291573 for")
FIELD = Wanted(fields=(("user.name", "zoe-77"),))
EXPRESSIONS = {
    "with_text": Wanted(pattern=r"order \d+ failed after (\d+) tries"),
    "alternatives": Wanted(pattern=r"connection refused|broken pipe|out of memory"),
    "either_case": Wanted(pattern=r"(?i)time-?out|refused by"),
    "without_text": Wanted(pattern=r"^\w+ \w+ 9{7}\d "),
    "anywhere": Wanted(pattern=r"\b\d{9}\b"),
}


# -- logging -------------------------------------------------------------------------------------
def slowdown(folder: Path, seconds: float) -> dict[str, float]:
    """How long the slowest of the writers takes, both ways."""
    told = folder / "told"
    told.mkdir()
    to_files = _to_files(folder, told / "file-", seconds)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_as_tasks(folder, told / "task-", seconds))
    as_tasks = max(float((told / f"task-{number}").read_text()) for number in range(TASKS))
    return {
        "log_to_file_s": to_files,
        "log_as_tasks_s": as_tasks,
        "log_slowdown_percent": 100 * (as_tasks / to_files - 1),
    }


def _to_files(folder: Path, told: Path, seconds: float) -> float:
    started = []
    for number in range(TASKS):
        with (folder / f"plain-{number}.log").open("wb") as file:
            words = [sys.executable, "-c", WRITER, *_words(told, seconds), str(number)]
            started.append(subprocess.Popen(words, stdout=file))  # noqa: S603  # our own program
    assert [one.wait() for one in started] == [0] * TASKS
    return max(float(Path(f"{told}{number}").read_text()) for number in range(TASKS))


def _words(told: Path, seconds: float) -> list[str]:
    return [str(seconds), str(LINES_PER_SECOND), str(told)]


async def _as_tasks(folder: Path, told: Path, seconds: float) -> None:
    over = asyncio.Event()

    measures: list[Recorder] = []

    def observe(done: Committed) -> None:
        for one in measures:
            one.observe(done.facts)
        if any(isinstance(fact, Released) for _, fact, _ in done.facts):
            over.set()

    settings = {
        "RUNYARD_STATE_FOLDER": str(folder / "state"),
        "RUNYARD_LOG_BYTES_MAX": "4Gi",
        "RUNYARD_TASK_USER": pwd.getpwuid(os.geteuid()).pw_name,  # who may run this interpreter
    }
    config = Config.load(settings)
    (folder / "state").mkdir()
    async with (
        open_rows(config, "bench") as rows,
        measuring(config, rows, "bench") as recorder,
        open_house(config, rows, "bench", observe, recorder) as house,
        reading_logs(rows, recorder, house.cloud.sights.viewer),
    ):
        measures.append(recorder)
        await house.engine.gate.ask(Apply([_spec(told, seconds)], "local", "bench", clock()))
        asked = Request(
            RunRequest("local", "chatty", "bench"), clock(), lambda: RunId(Ids("run")())
        )
        (run,) = (await house.engine.gate.ask(asked)).runs
        await over.wait()
        (found,) = await house.database.read(lambda tx: house.store.runs.get(tx, [run]))
        assert found.state is State.SUCCEEDED, found.reason


def _spec(told: Path, seconds: float) -> JobSpec:
    command = [sys.executable, "-c", WRITER, *_words(told, seconds)]
    task = {"containers": [{"image": "busybox", "command": command}], "maxRetries": 0}
    template = {"taskCount": TASKS, "template": task}
    return JobSpec.from_document({"project": "bench", "name": "chatty", "template": template})


# -- searching -----------------------------------------------------------------------------------
def written(folder: Path, lines: int) -> list[Path]:
    """Logs of so many lines together."""
    paths = [folder / f"searched-{number}.log" for number in range(TASKS)]
    for number, path in enumerate(paths):
        with path.open("wb") as file:
            for first in range(number * lines // TASKS, (number + 1) * lines // TASKS, BLOCK_LINES):
                text = "".join(_line(place) for place in range(first, first + BLOCK_LINES))
                file.write(encode_block(AT + first * 40, number, 0, STDOUT, text.encode()))
    return paths


def _line(place: int) -> str:
    order, customer = place * 7919 % 99_999_989, place * 104_729 % 1_000_003
    if place % 4 == 0:
        return (
            f'{{"message":"handled order {order}","severity":"INFO","ms":{customer % 900},'
            f'"user":{{"name":"user-{customer}"}}}}\n'
        )
    return f"handled order {order} for customer {customer} in {customer % 900} ms status=200\n"


def searched(paths: Sequence[Path], wanted: Wanted) -> float:
    """The seconds a search takes that begins with nothing in the page cache."""
    for path in paths:
        _forget(path)
    began = perf_counter()
    findings = search(paths, Search(wanted, 100, seconds_max=600))
    seconds = perf_counter() - began
    assert findings.complete
    return seconds


def _forget(path: Path) -> None:
    """Have the kernel drop what it holds of a file."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)  # what is not written yet is not dropped
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(descriptor)


def searches(folder: Path, lines: int) -> dict[str, float]:
    """The figures of searching so many lines."""
    paths = written(folder, lines)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    literal, field = (_median(paths, wanted) for wanted in (LITERAL, FIELD))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    slow = {name: _median(paths, wanted) for name, wanted in EXPRESSIONS.items()}
    return {
        "log_lines": float(lines),
        "log_mib": sum(path.stat().st_size for path in paths) / 2**20,
        "log_search_s": max(literal, field),
        "log_search_literal_s": literal,
        "log_search_field_s": field,
        "log_search_cpu_s": cpu / (2 * ROUNDS),
        "log_search_regex_s": max(slow.values()),
    } | {f"log_search_regex_{name}_s": value for name, value in slow.items()}


def _median(paths: Sequence[Path], wanted: Wanted) -> float:
    return statistics.median(searched(paths, wanted) for _ in range(ROUNDS))


def measure() -> float:
    """Lines a second, of fewer lines."""
    with tempfile.TemporaryDirectory(prefix="runyard-bench-") as folder:
        lines = 1_000_000
        return lines / searches(Path(folder), lines)["log_search_s"]


def main(words: list[str] | None = None) -> int:
    """Print the figures, and write them where asked to."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.watch")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--lines", type=int, default=LINES)
    parser.add_argument("--rules", type=int, default=RULES)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="how long tasks write")
    asked = parser.parse_args(words)
    with tempfile.TemporaryDirectory(prefix="runyard-bench-") as name:
        folder = Path(name)
        figures = slowdown(folder, asked.seconds) | searches(folder, asked.lines)
        figures["alert_cpu_percent_10k"] = alert_cpu_percent(folder, asked.rules)
    figures = {key: round(value, 3) for key, value in figures.items()}
    for key, value in figures.items():
        print(f"{key:36} {value:14,.3f}")
    if asked.json:
        asked.json.write_text(json.dumps(figures, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
