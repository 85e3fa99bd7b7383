"""The order of the rooms is held, and would be refused if it were not."""

from __future__ import annotations

import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from tests.support.tree import GUEST, ROOT, SOURCE

#: (file, an import that may not be, the contract that refuses it)
VIOLATIONS = [
    ("model/run.py", "runyard.flow.costing", "Imports point down"),
    ("flow/costing.py", "runyard.database.port", "Imports point down"),
    ("localcloud/__init__.py", "runyard.provider.port", "Imports point down"),
    ("localcloud/spawner/__init__.py", "runyard.gate", "Imports point down"),
    ("provider/__init__.py", "runyard.store", "Imports point down"),
    ("store/__init__.py", "runyard.channel", "Imports point down"),
    ("engine/__init__.py", "runyard.api", "Imports point down"),
    ("api/__init__.py", "runyard.engine", "Imports point down"),
    ("gate/__init__.py", "runyard.engine", "Imports point down"),
    ("flow/recovery.py", "random", "Decisions know nothing"),
    ("model/ids.py", "os", "Decisions know nothing"),
    ("engine/__init__.py", "runyard.config", "Settings are handed in"),
    ("store/__init__.py", "runyard.database.sqlite", "Only wiring names an adapter"),
    ("cli/__init__.py", "runyard.gate", "The command line talks HTTP"),
    ("cli/main.py", "runyard.wiring", "The command line talks HTTP"),
    ("engine/__init__.py", "runyard.localcloud.spawner.port", "The cloud on this machine"),
    ("cli/report.py", "runyard_runner.faults", "The runner imports nothing of ours"),
]

#: what stands in provider/ or channel/ and talks to nothing outside
NO_ADAPTERS = {"__init__", "__pycache__", "merging", "remembering"}


def lint(folder: Path) -> tuple[int, dict[str, str]]:
    """The exit status of import-linter in `folder`, and what it says of each broken contract."""
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache", "--no-logo"],
        cwd=folder,
        env={
            "PYTHONPATH": f"{folder / 'src'}:{folder / 'runner' / 'src'}",
            "PATH": "/usr/bin:/bin",
            "COLUMNS": "300",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    _, _, broken = done.stdout.partition("Broken contracts\n")
    assert "Contracts:" in done.stdout, done.stdout + done.stderr
    return done.returncode, _by_heading(broken)


def _by_heading(broken: str) -> dict[str, str]:
    """What stands under each heading; a heading is a line that the next one underlines."""
    said: dict[str, str] = {}
    heading = ""
    lines = broken.splitlines()
    for line, following in pairwise([*lines, ""]):
        if line and set(following) == {"-"} and len(following) == len(line):
            heading = line
        said[heading] = said.get(heading, "") + line + "\n"
    said.pop("", None)
    return said


@pytest.fixture(scope="module")
def refused(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What is said of a copy of the source with every violation put in."""
    copy = tmp_path_factory.mktemp("violated")
    shutil.copy(ROOT / "pyproject.toml", copy)
    for source in (SOURCE, GUEST):
        target_folder = copy / source.relative_to(ROOT)
        shutil.copytree(source, target_folder, ignore=shutil.ignore_patterns("__pycache__"))
    for name, target, _ in VIOLATIONS:
        path = copy / "src" / "runyard" / name
        path.write_text(path.read_text() + f"\nimport {target}\n")
    status, said = lint(copy)
    assert status == 1
    return said


def test_the_order_of_the_rooms_is_held() -> None:
    assert lint(ROOT) == (0, {})


@pytest.mark.parametrize(("name", "target", "contract"), VIOLATIONS)
def test_a_violation_is_refused(
    refused: dict[str, str], name: str, target: str, contract: str
) -> None:
    module = "runyard." + name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    (said,) = [text for heading, text in refused.items() if heading.startswith(contract)]
    assert f"{module} -> {target} (l." in said, said


def test_every_adapter_is_named_in_the_contract() -> None:
    """Whatever stands beside a port is an adapter, but what all adapters stand on."""
    contracts = (ROOT / "pyproject.toml").read_text()
    beside_ports = {
        f"runyard.{room}.{path.stem}"
        for room in ("provider", "channel")
        for path in (SOURCE / room).iterdir()
        if path.stem not in NO_ADAPTERS and not path.stem.startswith("port")
    }
    assert [each for each in sorted(beside_ports) if f'"{each}"' not in contracts] == []
