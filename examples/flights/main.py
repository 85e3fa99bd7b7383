"""One month of the flights that left New York in 2013: how many, how late, and where to worst.

A Cloud Run task: task 0 does January, task 11 December. It needs Python's standard library only
and reads `flights.csv.zip` beside itself. What it prints are structured log lines: JSON objects
whose `severity` and `message` Cloud Logging (and Runyard) know, and whose other keys are figures.
"""

from __future__ import annotations

import calendar
import csv
import io
import json
import os
import sys
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

DATA = Path(__file__).resolve().parent / "flights.csv.zip"
LATE_MINUTES = 15  #: a flight is late from here on (US Bureau of Transportation Statistics)
ROUTE_FLIGHTS_MIN = 30  #: a route with fewer flights a month says little


def flights(month: int) -> Iterator[dict[str, str]]:
    """The rows of a month; the file is read from its packed form, line by line."""
    with zipfile.ZipFile(DATA) as archive, archive.open("flights.csv") as packed:
        lines = io.TextIOWrapper(packed, encoding="utf-8", newline="")
        head = next(lines)
        wanted = (line for line in lines if line.startswith(f"2013,{month},"))
        yield from csv.DictReader(wanted, fieldnames=head.strip().split(","))


def say(severity: str, message: str, **figures: object) -> None:
    """One structured log line."""
    print(json.dumps({"severity": severity, "message": message, **figures}), flush=True)


def main() -> int:
    """Works out the month that the task's index names."""
    index = int(os.environ["CLOUD_RUN_TASK_INDEX"])
    month = index + 1
    name = calendar.month_name[month]
    count = cancelled = late = 0
    delays: dict[str, list[int]] = defaultdict(list)
    for flight in flights(month):
        count += 1
        if flight["dep_delay"] in ("", "NA"):  # it never left
            cancelled += 1
            continue
        delay_minutes = int(flight["dep_delay"])
        late += delay_minutes >= LATE_MINUTES
        delays[f"{flight['origin']}-{flight['dest']}"].append(delay_minutes)
    if not count:
        say("ERROR", f"there is no flight in month {month}")
        return 1
    often = {route: each for route, each in delays.items() if len(each) >= ROUTE_FLIGHTS_MIN}
    worst = max(often, key=lambda route: sum(often[route]) / len(often[route]))
    worst_minutes = sum(often[worst]) / len(often[worst])
    share = late / (count - cancelled)
    if cancelled / count > 0.05:
        say("WARNING", f"{name}: {cancelled} flights never left", cancelled=cancelled)
    say(
        "INFO",
        f"{name}: {count} flights, {share:.1%} late; worst {worst}, "
        f"{worst_minutes:.0f} minutes on average",
        month=month,
        name=name,
        flights=count,
        cancelled=cancelled,
        late=late,
        late_share=round(share, 4),
        worst_route=worst,
        worst_delay_minutes=round(worst_minutes, 1),
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
