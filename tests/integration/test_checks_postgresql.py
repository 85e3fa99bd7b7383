"""What `doctor` says of PostgreSQL."""

from __future__ import annotations

from pathlib import Path

import pytest

from runyard.cli.checks_postgresql import check, verdict
from tests.support.command_line import CommandLine
from tests.support.postgresql import Server

GOOD = {
    "server_version": "15.4 (Debian 15.4-1)",
    "server_version_num": "150004",
    "fsync": "on",
    "full_page_writes": "on",
}


@pytest.mark.parametrize(
    ("changes", "milliseconds", "result", "found", "advice"),
    [
        ({}, 1.234, "ok", "15.4, 1.23 ms a durable commit", ""),
        ({}, 21.0, "warn", "21.00 ms", "a nearer server"),
        ({"server_version_num": "120019"}, 1.0, "fail", "15.4", "PostgreSQL 13 or later"),
        ({"server_version_num": "130000"}, 1.0, "ok", "15.4", ""),
        ({"fsync": "off"}, 0.1, "fail", "15.4, not durable", "turn on fsync: else a power cut"),
        ({"full_page_writes": "off"}, 0.1, "fail", "not durable", "turn on full_page_writes"),
    ],
)
def test_it_says_what_a_server_is_good_for(
    changes: dict[str, str], milliseconds: float, result: str, found: str, advice: str
) -> None:
    said = verdict(GOOD | changes, milliseconds)
    assert (said.name, said.result) == ("postgresql", result)
    assert found in said.found
    assert advice in said.advice


def test_one_that_gives_no_durable_commits_is_told(postgresql: Server, tmp_path: Path) -> None:
    command = CommandLine(tmp_path, {"RUNYARD_DATABASE_URL": postgresql.database()})
    done = command("doctor", "--json")
    (said,) = [one for one in done.document()["checks"] if one["name"] == "postgresql"]
    assert said["found"].endswith(", not durable"), "tests have no need of it"
    assert said["advice"].startswith("turn on fsync and full_page_writes")
    assert done.status == 65


def test_one_that_is_not_reached_is_told_without_its_password() -> None:
    said = check("postgresql://ann:hush@127.0.0.1:1/runs")
    assert said.result == "fail"
    assert "the PostgreSQL database runs at 127.0.0.1 port 1" in said.found
    assert "hush" not in said.found + said.advice
    assert said.advice


def test_without_one_nothing_is_said_of_it(tmp_path: Path) -> None:
    names = {one["name"] for one in CommandLine(tmp_path)("doctor", "--json").document()["checks"]}
    assert "sqlite" in names
    assert "postgresql" not in names
