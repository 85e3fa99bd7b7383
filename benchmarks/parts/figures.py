"""Figures of several rounds: gathered, told as they come, and made into medians."""

from __future__ import annotations

import statistics
import sys
from dataclasses import dataclass, field
from typing import Any

Round = dict[str, Any]
"""What one part found in one turn: a number, numbers by name, or a list of times."""

TARGETS = {
    "durable_runs_per_second.sqlite": ">= 4,000",
    "durable_runs_per_second.postgresql": ">= 2,500",
    "durable_runs_per_second.http": ">= 1,200",
    "trigger_to_start_ms.p50": "<= 3",
    "trigger_to_start_ms.p99": "<= 10",
    "spawn_ratio": ">= 0.5",
    "idle_rss_mib": "<= 110",
    "cold_start_s": "<= 1.0",
    "list_page_ms.p95": "<= 25",
}


@dataclass(slots=True)
class Figures:
    """All that was found, by key: `durable_runs_per_second.sqlite` and its like."""

    samples: dict[str, list[float]] = field(default_factory=dict)
    peers: dict[str, dict[str, Any]] = field(default_factory=dict)
    profile: list[dict[str, str | float]] = field(default_factory=list)

    def add(self, found: Round, told: str) -> None:
        """Take in what a part found, and tell it."""
        said = []
        for key, value in found.items():
            if key == "peer":
                self.peers |= value
            elif key == "profile":
                self.profile = value
            elif isinstance(value, dict):
                for name, number in value.items():
                    self.samples.setdefault(f"{key}.{name}", []).append(number)
                    said.append(f"{key}.{name} {_shown(number)}")
            else:
                numbers = value if isinstance(value, list) else [value]
                self.samples.setdefault(key, []).extend(numbers)
                said.append(f"{key} {_shown(statistics.median(numbers))}")
        print(f"{told}: {', '.join(said)}", file=sys.stderr, flush=True)

    def medians(self) -> dict[str, float]:
        """One number for each key; of times, the median and the 99th percentile."""
        found: dict[str, float] = {}
        for key, numbers in self.samples.items():
            if key == "trigger_to_start_ms":
                found[f"{key}.p50"] = statistics.median(numbers)
                found[f"{key}.p99"] = _percentile(numbers, 99)
            else:
                found[key] = statistics.median(numbers)
        return found

    def document(self) -> dict[str, Any]:
        """The figures as JSON: nested by the dots of their keys, with every sample beside them."""
        document: dict[str, Any] = {}
        for key, value in self.medians().items():
            *path, last = key.split(".")
            place = document
            for step in path:
                place = place.setdefault(step, {})
            place[last] = round(value, 4)
        for name, found in self.peers.items():
            rates = {"durable_runs_per_second", "cpu_ms_per_run"}
            measured = {key: document[key][name] for key in rates}
            document[name] = {"version": found["version"], "how": found["how"]} | measured
        if self.profile:
            document["profile"] = self.profile
        document["samples"] = {
            key: [round(number, 4) for number in numbers] for key, numbers in self.samples.items()
        }
        return document

    def table(self) -> str:
        """The figures for people, with their targets."""
        lines = []
        for key, value in self.medians().items():
            numbers = self.samples.get(key, [])
            span = f"({_shown(min(numbers))} to {_shown(max(numbers))})" if numbers else ""
            lines.append(f"{key:42} {_shown(value):>10} {TARGETS.get(key, ''):>9} {span}".rstrip())
        lines += [f"{each['share']:7.1%} {each['function']}" for each in self.profile[:10]]
        return "\n".join(lines)


def _percentile(numbers: list[float], percent: int) -> float:
    """The least number that so many percent of `numbers` do not exceed."""
    ranked = sorted(numbers)
    return ranked[max(0, -(-len(ranked) * percent // 100) - 1)]


def _shown(number: float) -> str:
    return f"{number:,.0f}" if abs(number) >= 1000 else f"{number:.3g}"
