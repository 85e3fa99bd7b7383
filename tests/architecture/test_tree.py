"""The tree as it is published: no trace of one machine, locks that are whole, floors that rise."""

from __future__ import annotations

import re
import subprocess
import tomllib

import pytest

from tests.support.tree import ROOT, relative, tracked_files
from tools.floors import covered, faults, raised, read_floors, room_of

FLOORS = "coverage-floors.toml"
#: Written in pieces, so that this file does not hold what it looks for.
TRACES = [
    "/" + "work/",
    "/" + "root/",
    "/tmp/" + "brief",
    "/" + "home/runner",
    "pypi" + ".org",
    "python" + "hosted.org",
    "registry." + "npmjs",
    "deb." + "debian.org",
    "--" + "index-url",
    "--" + "find-links",
    "--" + "trusted-host",
]


def test_nothing_names_a_machine_or_a_registry() -> None:
    found = []
    for path in tracked_files():
        content = path.read_bytes().decode(errors="replace")
        found += [f"{relative(path)}: {trace}" for trace in TRACES if trace in content]
    assert found == []


LOCKS = [
    "requirements.lock",
    "requirements-dev.lock",
    "runner/requirements.lock",
    "examples/flights/requirements.lock",
    "deploy/linters.lock",
    "benchmarks/reference/requirements.lock",
]


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_pins_and_hashes_everything_and_nothing_else(name: str) -> None:
    text = (ROOT / name).read_text().replace("\\\n", "")
    lines = [
        line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")
    ]
    assert lines
    pinned = re.compile(r"[a-z0-9-]+==[^\s;]+( ; .+?)?( +--hash=sha256:[0-9a-f]{64})+\s*")
    assert [line for line in lines if not pinned.fullmatch(line)] == []


def test_the_locks_hold_what_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    runtime, dev = _pins("requirements.lock"), _pins("requirements-dev.lock")
    assert [each for each in project["dependencies"] if _name(each) not in runtime] == []
    extras = project["optional-dependencies"]["dev"]
    assert [each for each in extras if _name(each) not in dev] == []
    assert {name: pin for name, pin in dev.items() if name in runtime} == runtime


def test_the_runner_s_lock_fits_the_others() -> None:
    project = tomllib.loads((ROOT / "runner" / "pyproject.toml").read_text())["project"]
    runner = _pins("runner/requirements.lock")
    assert [each for each in project["dependencies"] if _name(each) not in runner] == []
    for lock in ("requirements.lock", "requirements-dev.lock"):
        beside = _pins(lock)
        assert {name: beside.get(name, pin) for name, pin in runner.items()} == runner


def _name(requirement: str) -> str:
    return re.split(r"[^A-Za-z0-9._-]", requirement)[0].lower().replace(".", "-").replace("_", "-")


def _pins(lock: str) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", (ROOT / lock).read_text(), re.M))


def test_no_floor_has_ever_been_lowered() -> None:
    log = subprocess.run(
        ["git", "log", "-p", "--format=", "--", FLOORS],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    now = read_floors((ROOT / FLOORS).read_text())
    before = [
        (room, int(floor)) for room, floor in re.findall(r"^-(\w+) = (\d+)$", log.stdout, re.M)
    ]
    assert [(room, floor) for room, floor in before if floor > now.get(room, 0)] == []


def test_floors() -> None:
    report = {
        "files": {
            "src/runyard/flow/a.py": _summary(9, 10, 0, 0),
            "src/runyard/flow/b/c.py": _summary(5, 6, 3, 4),
            "src/runyard/gate.py": _summary(0, 0, 0, 0),
            "runner/src/runyard_runner/rules/a.py": _summary(1, 1, 0, 0),
        }
    }
    assert [room_of(path) for path in report["files"]] == ["flow", "flow", "gate", "runner"]
    reached = covered(report)
    assert reached == {"flow": 85.0, "gate": 100.0, "runner": 100.0}
    assert faults(reached, {"flow": 85, "gate": 100, "gone": 100}) == []
    assert faults(reached, {"flow": 86}) == ["flow is covered to 85.0 %, and its floor is 86 %"]
    assert raised(reached, {"flow": 90, "gone": 50}) == {"flow": 90, "gate": 100, "runner": 100}


def _summary(lines: int, statements: int, branches: int, all_branches: int) -> dict[str, object]:
    return {
        "summary": {
            "covered_lines": lines,
            "num_statements": statements,
            "covered_branches": branches,
            "num_branches": all_branches,
        }
    }
