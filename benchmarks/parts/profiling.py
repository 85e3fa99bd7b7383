"""Where the processor's time goes: the functions that take most of it, over all threads.

A profiler slows small functions more than large ones: these are shares to look at, not times.
"""

from __future__ import annotations

import cProfile
import pstats
import threading
from collections.abc import Callable
from pathlib import Path
from time import thread_time
from typing import Any

Function = tuple[str, int, str]


def shares(work: Callable[[], Any], most: int = 25) -> list[dict[str, str | float]]:
    """The functions that `work` spends most time in, each with its share of all."""
    profiles = [cProfile.Profile(thread_time)]

    def follow(*_: Any) -> None:
        """The first thing in a new thread: from here on a profiler of its own sees it."""
        profile = cProfile.Profile(thread_time)
        profiles.append(profile)
        profile.enable()

    threading.setprofile(follow)
    profiles[0].enable()
    try:
        work()
    finally:
        profiles[0].disable()
        threading.setprofile(None)
    return _largest(profiles, most)


def _largest(profiles: list[cProfile.Profile], most: int) -> list[dict[str, str | float]]:
    summed = pstats.Stats(profiles[0])
    for profile in profiles[1:]:
        summed.add(profile)
    rows: dict[Function, Any] = summed.stats  # type: ignore[attr-defined]
    own = {function: row[2] for function, row in rows.items()}
    whole = sum(own.values()) or 1.0
    largest = sorted(own, key=lambda function: own[function], reverse=True)[:most]
    return [{"function": _name(each), "share": round(own[each] / whole, 4)} for each in largest]


def _name(function: Function) -> str:
    path, line, name = function
    return name if path == "~" else f"{'/'.join(Path(path).parts[-2:])}:{line} {name}"
