"""`runyard schedules`: offline, what a schedule means in a zone and in UTC."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.command_line import CommandLine


@pytest.fixture
def runyard(tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path / "state")


def preview(runyard: CommandLine, *words: str) -> str:
    done = runyard("schedules", "preview", *words)
    assert (done.status, done.err) == (0, "")
    return done.out


def test_a_preview_marks_what_changes_of_clocks_do(runyard: CommandLine) -> None:
    words = ("30 2 * * *", "--tz", "Europe/Berlin", "--from", "2026-03-28", "--count", "2")
    assert preview(runyard, *words).splitlines() == [
        "LOCAL                           UTC",
        "Sat 2026-03-28 02:30:00 +01:00  2026-03-28T01:30:00Z",
        "Sun 2026-03-29 03:00:00 +02:00  2026-03-29T01:00:00Z",
        "On 2026-03-29 clocks go forward from 02:00 to 03:00: 02:30 does not exist and runs once, "
        "at the end of the gap.",
        "On 2026-10-25 clocks go back from 03:00 to 02:00: 02:30 comes twice and runs the first "
        "time.",
    ]
    found = runyard("schedules", "preview", *words, "--json").document()
    assert found["dst"] == {"gap": "run_after", "overlap": "first"}
    assert found["instants"][1] == {
        "utc": "2026-03-29T01:00:00Z",
        "local": "2026-03-29T03:00:00+02:00",
        "transition": "gap",
    }
    spring, autumn = found["transitions"]
    assert spring["times"] == [{"local": "2026-03-29T02:30:00", "utc": ["2026-03-29T01:00:00Z"]}]
    assert autumn["utc"] == "2026-10-25T01:00:00Z"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--gap", "skip"), "02:30 does not exist and is skipped."),
        (("--overlap", "both"), "02:30 comes twice and runs both times."),
        (("--overlap", "second"), "02:30 comes twice and runs the second time."),
    ],
)
def test_the_rule_is_chosen(runyard: CommandLine, words: tuple[str, ...], sentence: str) -> None:
    shown = preview(
        runyard, "30 2 * * *", "--tz", "Europe/Berlin", "--from", "2026-03-28T00:00:00Z", *words
    )
    assert sentence in shown


def test_many_times_in_a_change_are_not_all_named(runyard: CommandLine) -> None:
    shown = preview(runyard, "*/5 * * * *", "--tz", "Europe/Berlin", "--from", "2026-03-28T00:00Z")
    assert "02:00, 02:05, 02:10, 02:15 and 8 more do not exist and are skipped." in shown


def test_a_zone_without_changes_says_so(runyard: CommandLine) -> None:
    shown = preview(runyard, "every day 9:00", "--tz", "Asia/Tokyo", "--from", "2026-01-01")
    assert shown.endswith("Clocks do not change in Asia/Tokyo in the two years that follow.\n")
    untouched = preview(
        runyard, "0 9 * * *", "--tz", "Europe/Berlin", "--from", "2026-01-01", "--count", "1"
    )
    assert untouched.count("no time of this schedule is touched") == 2


def test_utc_lines_of_a_year(runyard: CommandLine) -> None:
    words = ("schedules", "utc", "0 9 * * 1-5", "--tz", "America/New_York", "--from", "2026-06-01")
    done = runyard(*words)
    assert done.status == 0
    assert done.out.splitlines() == [
        "FROM        UNTIL       OFFSET  IN UTC",
        "2026-06-01  2026-11-01  UTC-4   0 13 * * 1-5",
        "2026-11-01  2027-03-14  UTC-5   0 14 * * 1-5",
        "2027-03-14  2027-06-02  UTC-4   0 13 * * 1-5",
        "No fixed line in UTC is right all year: the one that fits now is wrong from 2026-11-01 to "
        "2027-03-14.",
        "Keep the zone in the schedule instead: timeZone: America/New_York",
    ]
    seasons = runyard(*words, "--json").document()["seasons"]
    assert [season["lines"] for season in seasons] == [
        ["0 13 * * 1-5"],
        ["0 14 * * 1-5"],
        ["0 13 * * 1-5"],
    ]


def test_utc_lines_where_nothing_changes(runyard: CommandLine) -> None:
    done = runyard("schedules", "utc", "30 9 * * *", "--tz", "Asia/Kolkata")
    assert "UTC+5:30  0 4 * * *" in done.out
    assert done.out.endswith("In Asia/Kolkata this line is right all year.\n")
    zero = runyard("schedules", "utc", "1st mon of month 9:00", "--tz", "UTC")
    assert "no cron line: cron cannot say which of its weekday in the month a day is" in zero.out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("preview", "0 9 * * * *"), "SCHEDULE: '0 9 * * * *', expected five cron fields"),
        (("preview", "5/3 * * * *"), "(write 5-59/3)"),
        (("preview", "0 9 * * *", "--tz", "Europe/Berlln"), "(did you mean Europe/Berlin?)"),
        (("preview", "0 9 * * *", "--tz", "x" * 99), "(names are like America/New_York)"),
        (("preview", "0 9 * * *", "--count", "0"), "a whole number from 1 to 10000"),
        (("preview", "0 9 * * *", "--from", "tomorrow"), "an instant in RFC 3339"),
        (("preview", "0 9 * * *", "--from", "0001-01-01T00:00:00+14:00"), "an instant in RFC 3339"),
        (("utc", "every 5m", "--tz", "UTC"), "a real interval is the same in UTC"),
    ],
)
def test_what_is_wrong_is_told(runyard: CommandLine, words: tuple[str, ...], told: str) -> None:
    done = runyard("schedules", *words)
    assert (done.status, done.out) == (64, "")
    assert told in done.err
    assert "Traceback" not in done.err
