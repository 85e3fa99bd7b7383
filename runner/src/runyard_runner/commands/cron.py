"""`runyard-runner cron`: the line for Cloud Scheduler that says a schedule, and its like in UTC."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, TextIO
from zoneinfo import ZoneInfo

from runyard_runner.calendar.faults import ScheduleError
from runyard_runner.calendar.telling import Stretch, Told, tell
from runyard_runner.calendar.words import understand
from runyard_runner.commands.columns import columns

_INSTANT = "%Y-%m-%d %H:%M"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare its arguments."""
    parser.add_argument(
        "schedule", help='a cron line, or words: "weekdays 9:00", "every day 09:00"'
    )
    parser.add_argument(
        "--tz", default="UTC", metavar="ZONE", help="whose clock it goes by: America/New_York"
    )
    parser.add_argument(
        "--from",
        dest="from_at",
        metavar="INSTANT",
        help="tell what is ahead of this instant (2026-11-26T12:00Z), not of now",
    )
    parser.add_argument("--count", type=int, default=3, help="how many runs to tell (default: 3)")
    parser.add_argument("--json", action="store_true", help="one JSON document")


def run(arguments: argparse.Namespace) -> int:
    """Print it, as of now. Raises ScheduleError."""
    carry_out(arguments, datetime.now(UTC), sys.stdout)
    return 0


def carry_out(asked: argparse.Namespace, now: datetime, out: TextIO) -> None:
    """Prints what there is to say. Raises ScheduleError."""
    zone = zone_named(asked.tz)
    if not 0 <= asked.count <= 1000:
        raise ScheduleError("--count", str(asked.count), "0 to 1000", "ask for fewer runs")
    after_at = now if asked.from_at is None else _instant(asked.from_at, zone)
    told = tell(understand(asked.schedule), zone, asked.tz, after_at, asked.count)
    if asked.json:
        out.write(json.dumps(document(told)) + "\n")
    else:
        out.writelines(f"{line}\n" for line in lines(told))


def zone_named(name: str) -> ZoneInfo:
    """The time zone called `name`. Raises ScheduleError."""
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError):  # not there, a folder, no name
        hint = "names are in the tz database; `UTC` is one"
        expected = "a time zone such as America/New_York"
        raise ScheduleError("--tz", name, expected, hint) from None


def _instant(text: str, zone: ZoneInfo) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        hint = "without an offset it goes by the zone's clock"
        raise ScheduleError("--from", text, "an instant such as 2026-11-26T12:00Z", hint) from None
    return at if at.tzinfo is not None else at.replace(tzinfo=zone)


def document(told: Told) -> dict[str, Any]:
    """All of it, for a program."""
    return {
        "cron": str(told.line),
        "time_zone": told.zone_name,
        "in_utc": [_stretch(each) for each in told.stretches],
        "warnings": list(told.warnings),
    }


def _stretch(stretch: Stretch) -> dict[str, Any]:
    period = stretch.period
    return {
        "season": stretch.season or None,
        "offset_seconds": int(period.offset.total_seconds()),
        "from": period.start_at.isoformat(timespec="seconds"),
        "until": period.end_at.isoformat(timespec="seconds"),
        "cron": [str(line) for line in stretch.utc_lines],
        "runs": [
            {"local": at.isoformat(), "utc": at.astimezone(UTC).isoformat()} for at in stretch.runs
        ],
    }


def lines(told: Told) -> Iterator[str]:
    """All of it, for people."""
    yield f"cron line:  {told.line}"
    yield f'scheduler:  --schedule="{told.line}" --time-zone="{told.zone_name}"'
    yield ""
    yield from columns(
        ("In UTC", "Offset", "From", "Line"), [_season(each) for each in told.stretches]
    )
    if any(stretch.runs for stretch in told.stretches):
        yield ""
        yield from columns(("Next runs", told.zone_name, "UTC"), _runs(told))
    for warning in told.warnings:
        yield f"\nwarning: {warning}"


def _season(stretch: Stretch) -> tuple[str, str, str, str]:
    written = " and ".join(str(line) for line in stretch.utc_lines)
    return (
        stretch.season or stretch.period.name,
        stretch.period.utc,
        f"{stretch.period.start_at:%Y-%m-%d}",
        written or "no line in UTC says it",
    )


def _runs(told: Told) -> Iterator[tuple[str, str, str]]:
    for stretch in told.stretches:
        for at in stretch.runs:
            name = stretch.season or stretch.period.name
            yield name, f"{at:%a} {at:{_INSTANT}}", f"{at.astimezone(UTC):{_INSTANT}}"
