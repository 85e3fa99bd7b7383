"""The benchmarks still work: small, once, with every figure that is promised."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import engine, schedules, tasks, watch
from benchmarks.parts import peers
from benchmarks.parts.figures import TARGETS, Figures


def at(document: dict[str, Any], key: str) -> Any:
    for step in key.split("."):
        document = document[step]
    return document


def test_every_promised_figure_is_measured(tmp_path: Path) -> None:
    path = tmp_path / "figures.json"
    assert engine.main(["--quick", "--runs", "100", "--json", str(path)]) == 0
    document = json.loads(path.read_bytes())
    found = {key: at(document, key) for key in TARGETS}
    assert all(value > 0 for value in found.values()), found
    assert found["trigger_to_start_ms.p99"] >= found["trigger_to_start_ms.p50"]
    assert document["cpu_ms_per_run"].keys() == {"sqlite", "postgresql", "http"}
    shares = [each["share"] for each in document["profile"]]
    assert shares == sorted(shares, reverse=True)
    assert 0 < sum(shares) <= 1


def test_a_run_of_many_tasks_is_measured(tmp_path: Path) -> None:
    path = tmp_path / "tasks.json"
    assert tasks.main(["--tasks", "40", "--json", str(path)]) == 0
    figures = json.loads(path.read_bytes())
    assert figures["tasks_per_second"] > 0
    assert figures["memory_most_mib"] >= figures["memory_late_mib"] > 0


def test_logging_and_searching_are_measured(tmp_path: Path) -> None:
    path = tmp_path / "watch.json"
    few = ["--lines", "20000", "--seconds", "0.2", "--rules", "50"]
    assert watch.main([*few, "--json", str(path)]) == 0
    figures = json.loads(path.read_bytes())
    assert figures["log_lines"] == 20_000
    assert figures["log_slowdown_percent"] > -50
    assert figures["log_search_s"] >= figures["log_search_literal_s"] > 0
    assert figures["log_search_regex_s"] > 0
    assert figures["alert_cpu_percent_10k"] > 0


def test_a_part_that_there_is_not_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        engine.main(["--parts", "sqlite,steam"])
    assert ended.value.code == 2
    assert "there is no part steam" in capsys.readouterr().err


def test_every_peer_has_a_script_and_a_pinned_version() -> None:
    lock = peers.LOCK.read_text()
    for script, _, part in peers.PEERS.values():
        assert (peers.HERE / script).exists()
        assert 0 < part <= 1
        assert f"\n{script.partition('_')[0]}==" in f"\n{lock}"
    assert "--hash=sha256:" in lock


def test_figures_are_medians_and_percentiles(capsys: pytest.CaptureFixture[str]) -> None:
    figures = Figures()
    for number in (1.0, 5.0, 3.0):
        figures.add({"durable_runs_per_second": {"huey": number}}, "a round")
    figures.add({"cpu_ms_per_run": {"huey": 2.0}}, "a round")
    figures.add({"trigger_to_start_ms": [float(each) for each in range(1, 101)]}, "a round")
    figures.add({"peer": {"huey": {"version": "3", "how": "so"}}}, "a round")
    document = figures.document()
    assert document["trigger_to_start_ms"] == {"p50": 50.5, "p99": 99.0}
    assert document["huey"] == {
        "version": "3",
        "how": "so",
        "durable_runs_per_second": 3.0,
        "cpu_ms_per_run": 2.0,
    }
    assert "durable_runs_per_second.huey" in figures.table()
    assert capsys.readouterr().err.count("a round") == 6


def test_schedules_are_measured(tmp_path: Path) -> None:
    path = tmp_path / "schedules.json"
    assert schedules.main(["--quick", "--json", str(path)]) == 0
    document = json.loads(path.read_bytes())
    found = {key: at(document, key) for key in schedules.TARGETS}
    assert all(value > 0 for value in found.values()), found
    assert document["lateness_ms"]["max"] >= document["lateness_ms"]["p50"]
    assert document["memory_100k_mib"] > 0
    with pytest.raises(SystemExit):
        schedules.main(["--parts", "sundial"])
