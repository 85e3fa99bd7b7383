"""What the fan-out runner does a second, against the reference design, in one run, taking turns.

`python -m benchmarks.runner [--json PATH] [--quick] [--alone]`. Both services call the same
targets, a fast one and one that answers after 100 ms, with 1, 10 and 100 endpoints an execution,
for 1 and for 8 callers. Each figure is the median of the rounds; a ratio is the median of the
rounds' ratios. `--quick` proves that it works, and measures nothing; `--alone` leaves the reference
out.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter

from benchmarks._rivals import KEY, Rival, Service, install_reference, ours, reference, target
from benchmarks._wire import Load, call, post

NAME = "executions of 10 endpoints, 8 callers"
UNIT = "a second"
SLOW_MILLISECONDS = 100


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured."""

    rounds: int
    seconds: float
    endpoints: tuple[int, ...]
    starts: int
    thousand: int


FULL = Plan(rounds=5, seconds=0.5, endpoints=(1, 10, 100), starts=9, thousand=1000)
QUICK = Plan(rounds=1, seconds=0.05, endpoints=(1, 10), starts=1, thousand=20)


@dataclass(frozen=True, slots=True)
class Seen:
    """One slice: a service, so many endpoints and callers, and what came of it."""

    rate: float
    processor_us: float  #: of the service, an endpoint
    p50_ms: float
    p99_ms: float


def order(port: int, endpoints: int, max_workers: int | None = None) -> bytes:
    """The request for an execution."""
    asked: dict[str, object] = {"endpoints": [f"http://127.0.0.1:{port}/task"] * endpoints}
    if max_workers is not None:
        asked["max_workers"] = max_workers
    return post("/execute", json.dumps(asked).encode(), f"X-API-Key: {KEY}\r\n")


def look(service: Service, request: bytes, endpoints: int, callers: int, seconds: float) -> Seen:
    """One slice."""
    before = service.processor_seconds
    load = call(service.port, request, callers, seconds)
    spent = service.processor_seconds - before
    p50, p99 = _percentiles(load)
    return Seen(load.rate, spent / len(load.latencies) / endpoints * 1e6, p50, p99)


def _percentiles(load: Load) -> tuple[float, float]:
    if len(load.latencies) == 1:
        return load.latencies[0] * 1000, load.latencies[0] * 1000
    cuts = quantiles(load.latencies, n=100, method="inclusive")
    return cuts[49] * 1000, cuts[98] * 1000


def processors() -> tuple[set[int], set[int]]:
    """For the service, and for the callers and targets: one each where there are two."""
    there = sorted(os.sched_getaffinity(0))
    return {there[0]}, set(there[1:]) or {there[0]}


def measured(plan: Plan, rivals: list[Rival]) -> dict[str, object]:
    """Every figure."""
    mine, others = processors()
    os.sched_setaffinity(0, others)
    seen: dict[tuple[str, str, int, int], list[Seen]] = defaultdict(list)
    with ExitStack() as stack:
        ports = {
            "fast": stack.enter_context(target(0, others)),
            "slow": stack.enter_context(target(SLOW_MILLISECONDS, others)),
        }
        services = {each.name: stack.enter_context(each.running(mine)) for each in rivals}
        for number in range(plan.rounds):
            print(f"round {number + 1} of {plan.rounds}", file=sys.stderr, flush=True)
            for (kind, endpoints, callers), (name, service) in _slices(plan, services):
                request = order(ports[kind], endpoints)
                found = look(service, request, endpoints, callers, plan.seconds)
                seen[name, kind, endpoints, callers].append(found)
        thousand = _thousand(services["runner"], ports["slow"], plan)
        memory = {name: round(service.rss_mib, 1) for name, service in services.items()}
    starts = {each.name: median(_starts(each, mine, plan.starts)) for each in rivals}
    return {
        "ratio": _ratios(seen, plan),
        "thousand_slow_s": round(thousand, 3),
        "cold_start_s": round(starts["runner"], 3),
        "rss_mib": memory["runner"],
        "reference": {
            "cold_start_s": round(starts.get("reference", 0.0), 3),
            "rss_mib": memory.get("reference", 0.0),
        },
        "slices": [_told(key, of_key) for key, of_key in seen.items()],
    }


def _slices(
    plan: Plan, services: dict[str, Service]
) -> Iterator[tuple[tuple[str, int, int], tuple[str, Service]]]:
    """What is looked at in one round: the rivals take turns at each."""
    for kind in ("fast", "slow"):
        for endpoints in plan.endpoints:
            for callers in (1, 8):
                for service in services.items():
                    yield (kind, endpoints, callers), service


def _thousand(service: Service, port: int, plan: Plan) -> float:
    """Seconds of one execution of many slow endpoints, all side by side."""
    request = order(port, plan.thousand, plan.thousand)
    return median(call(service.port, request, 1, 0).latencies[0] for _ in range(plan.rounds))


def _starts(rival: Rival, mine: set[int], times: int) -> Iterator[float]:
    """How long it takes to start; the first time, which may compile bytecode, does not count."""
    for number in range(times + 1):
        with rival.running(mine) as service:
            if number:
                yield service.start_seconds


def _ratios(seen: dict[tuple[str, str, int, int], list[Seen]], plan: Plan) -> dict[str, float]:
    """Ours to theirs on the fast target, with 8 callers."""
    return {
        f"n{endpoints}": round(median(a.rate / b.rate for a, b in zip(us, them, strict=True)), 2)
        for endpoints in plan.endpoints
        if (us := seen["runner", "fast", endpoints, 8])
        and (them := seen.get(("reference", "fast", endpoints, 8)))
    }


def _told(key: tuple[str, str, int, int], of_key: list[Seen]) -> dict[str, object]:
    name, kind, endpoints, callers = key
    return {
        "service": name,
        "target": kind,
        "endpoints": endpoints,
        "callers": callers,
        "rate": round(median(each.rate for each in of_key), 1),
        "processor_us": round(median(each.processor_us for each in of_key), 1),
        "p50_ms": round(median(each.p50_ms for each in of_key), 2),
        "p99_ms": round(median(each.p99_ms for each in of_key), 2),
    }


def measure() -> float:
    """Executions a second on the fast target, for the table of all benchmarks."""
    mine, others = processors()
    with target(0, others) as port, ours().running(mine) as service:
        return call(service.port, order(port, 10), 8, 1.0).rate


def main() -> int:
    """Measure, print a table, write JSON if asked."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.runner")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--alone", action="store_true")
    asked = parser.parse_args()
    rivals = [ours()]
    if not asked.alone:
        install_reference()
        rivals.append(reference())
    began = perf_counter()
    found = measured(QUICK if asked.quick else FULL, rivals)
    print(
        f"{'service':10} {'target':6} {'n':>4} {'callers':>7} {'rate':>9} {'CPU µs':>8} p50/p99 ms"
    )
    slices = found["slices"]
    assert isinstance(slices, list)
    for each in sorted(slices, key=lambda e: (e["target"], e["endpoints"], e["callers"])):
        what = f"{each['service']:10} {each['target']:6} {each['endpoints']:4} {each['callers']:7}"
        cost = f"{each['rate']:9.1f} {each['processor_us']:8.1f}"
        print(f"{what} {cost} {each['p50_ms']:.1f}/{each['p99_ms']:.1f}")
    rest = {name: value for name, value in found.items() if name != "slices"}
    print(json.dumps(rest), f"in {perf_counter() - began:.0f} s")
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
