"""`runyard secrets` against a real API: values in by file and stdin, out by file and terminal."""

from __future__ import annotations

import os
import pty
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.api_server import TOKEN, Api, serving
from tests.support.command_line import CommandLine

VALUE = b"canary-of-a-value-0123"


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    with serving(tmp_path) as started:
        yield started


@pytest.fixture
def runyard(api: Api, tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path / "state", {"RUNYARD_URL": api.url, "RUNYARD_TOKEN": TOKEN})


@pytest.fixture
def value(tmp_path: Path) -> str:
    path = tmp_path / "value"
    path.write_bytes(VALUE)
    return str(path)


def test_the_life_of_a_secret(runyard: CommandLine, value: str) -> None:
    def said(*words: str, status: int = 0) -> str:
        done = runyard("secrets", *words)
        assert done.status == status, done.err
        return done.out if status == 0 else done.err

    wish = ("create", "db", "--from-file", value, "--label", "team=data", "--owner", "shop/report")
    assert said(*wish) == "db version 1\n"
    assert "there is a secret db already" in said(*wish, status=73)
    assert said("add-version", "db", "--from-file", value) == "db version 2\n"
    assert said("alias", "db", "stable", "1") == "db stable is version 1\n"
    assert said("disable", "db", "2") == "db version 2 is disabled\n"
    assert "DISABLED" in said("versions", "db")
    assert said("enable", "db", "latest") == "db version 2 is enabled\n"
    assert said("grant", "db", "user:bea") == "may read db: user:bea\n"
    shown = said("get", "db")
    for words in ("stable = 1", "team=data", "owner-job=report", "user:bea"):
        assert words in shown
    assert said("revoke", "db", "user:bea") == "may read db: nobody but administrators\n"
    assert "say --yes" in said("destroy", "db", "1", status=65)
    assert said("destroy", "db", "1", "--yes") == "db version 1 is destroyed\n"
    assert said("alias", "db", "stable") == "db stable names nothing any more\n"
    assert "seals 1 versions" in said("rotate-key")
    assert "say --yes" in said("delete", "db", status=65)
    assert said("delete", "db", "--yes") == "secret db is removed\n"
    assert runyard("secrets", "list", "--json").document() == {"secrets": []}
    assert "PROJECT/JOB" in said(*wish[:-1], "report", status=64)


def test_a_value_goes_into_a_file_that_is_its_owners_alone(
    runyard: CommandLine, value: str, tmp_path: Path
) -> None:
    runyard("secrets", "create", "db", "--from-file", value)
    target = tmp_path / "out"
    done = runyard("secrets", "access", "db", "--out", str(target))
    assert done.out == f"{target}: {len(VALUE)} bytes\n"
    assert target.read_bytes() == VALUE
    assert target.stat().st_mode & 0o777 == 0o600
    again = runyard("secrets", "access", "db", "--out", str(target))
    assert again.status == 73
    other = runyard("secrets", "access", "db", "1", "--out", str(tmp_path / "b"), "--json")
    assert other.document() == {"name": "db", "version": "1", "file": str(tmp_path / "b")}
    nowhere = runyard("secrets", "access", "db", "--out", str(tmp_path / "no" / "way"))
    assert nowhere.status == 64
    assert VALUE.decode() not in nowhere.err
    shown = runyard("secrets", "accesses", "db")
    assert "user:admin" in shown.out
    assert "latest = 1" in shown.out
    assert len(runyard("secrets", "accesses", "--json").document()["accesses"]) == 3


def test_a_value_is_printed_on_a_terminal_only_and_when_asked(
    runyard: CommandLine, api: Api, value: str
) -> None:
    runyard("secrets", "create", "db", "--from-file", value)
    for words in (
        ("access", "db"),
        ("access", "db", "--show"),
        ("access", "db", "--show", "--json"),
    ):
        done = runyard("secrets", *words)
        assert done.status == 65
        assert "--out FILE" in done.err + done.out
        assert VALUE.decode() not in done.out + done.err
    assert api.get("/secrets:accesses")["accesses"] == []  # nothing was even asked for
    ours, theirs = pty.openpty()
    command = runyard.program(["secrets", "access", "db", "--show"])
    with subprocess.Popen(
        command, stdout=theirs, stderr=subprocess.DEVNULL, env=runyard.environment()
    ) as process:
        assert process.wait(60) == 0
    os.close(theirs)
    assert os.read(ours, 1000).strip() == VALUE
    os.close(ours)
