"""The benchmark of the runner works: its callers, its targets, its figures, its file."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from benchmarks._rivals import PEERS
from tests.support.tree import ROOT


def test_a_quick_run_has_every_figure(tmp_path: Path) -> None:
    has_reference = (PEERS / "bin" / "gunicorn").exists()
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.runner", "--quick", "--json", tmp_path / "figures.json",
         *([] if has_reference else ["--alone"])],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert {"ratio", "thousand_slow_s", "cold_start_s", "rss_mib"} <= set(figures)
    assert set(figures["ratio"]) == ({"n1", "n10"} if has_reference else set())
    assert figures["thousand_slow_s"] >= 0.1  # its endpoints answer after 100 ms
    assert figures["cold_start_s"] > 0
    assert figures["rss_mib"] > 5
    ours = [each for each in figures["slices"] if each["service"] == "runner"]
    assert len(ours) == 8
    assert all(each["rate"] > 0 and each["p50_ms"] <= each["p99_ms"] for each in ours)
    assert all(each["p50_ms"] >= 100 for each in ours if each["target"] == "slow")
