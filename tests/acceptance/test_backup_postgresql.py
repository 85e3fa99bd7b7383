"""Runs in PostgreSQL, backed up in the middle of load by the command line and put back elsewhere:
an engine goes on with them, and every promise holds."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import pytest

from tests.chaos.__main__ import come_to_rest
from tests.chaos.load import Load
from tests.chaos.work import Evidence, manifest
from tests.chaos.yard import RealYard
from tests.support.command_line import CommandLine
from tests.support.postgresql import Server
from tests.support.reachable import reachable_folder

FINAL = {"succeeded", "dead", "cancelled", "skipped"}


@contextmanager
def begun(folder: Path, server: Server, name: str) -> Iterator[RealYard]:
    yard = RealYard(folder / name, server)
    yard.prepare()
    try:
        yield yard
    finally:
        yard.end()


def line(yard: RealYard) -> CommandLine:
    return CommandLine(yard.folder, {"RUNYARD_DATABASE_URL": yard.url})


def spoilt(archive: Path, part: str, copy: Path) -> Path:
    """The archive with a part that is not what was backed up."""
    with tarfile.open(archive) as old, tarfile.open(copy, "w:gz") as new:
        for member in old:
            content = old.extractfile(member)
            assert content is not None
            data = content.read()
            if member.name == part:
                data = data.replace(b"succeeded", b"cancelled") or b"x"
                member.size = len(data)
            new.addfile(member, io.BytesIO(data))
    return copy


def test_a_backup_from_the_middle_of_load_is_put_back_and_goes_on(postgresql: Server) -> None:
    with reachable_folder() as folder, begun(folder, postgresql, "state") as yard:
        evidence = Evidence(folder / "evidence")
        evidence.prepare()
        yard.start()
        files = {"files": [{"name": "chaos.json", "text": manifest(evidence)}]}
        assert yard.api.call("POST", "/api/v1/jobs:apply", files)[0] == 200
        load = Load(yard.api, Random(3))
        load.begin()
        while len(load.acknowledged) < 15:
            yard.wait(0.05)
        before = set(load.acknowledged.values())
        archive = folder / "yard.tgz"
        made = line(yard)("backup", str(archive))
        assert made.status == 0, made.err
        assert "runs: " in made.err
        busy = line(yard)("restore", str(archive))
        assert "another server works in the state folder" in busy.err
        load.end()
        come_to_rest(yard)
        with begun(folder, postgresql, "elsewhere") as other:
            assert_put_back(other, archive, before)
            assert_refused(other, archive, folder)


def assert_put_back(other: RealYard, archive: Path, before: set[str]) -> None:
    """An empty database is as it was, and everything in it comes to its end, once."""
    done = line(other)("restore", str(archive))
    assert done.status == 0, done.err
    other.start()
    rest = {str(run["id"]): run for run in come_to_rest(other)}
    assert before <= rest.keys()
    assert {run["state"] for run in rest.values()} <= FINAL
    assert [r for r in rest.values() if r["state"] == "dead" and r["job"] != "slow"] == []
    for run in rest:
        _, shown = other.api.call("GET", f"/api/v1/runs/{run}")
        assert [one["number"] for one in shown["attempts"]] == list(range(1, shown["attempt"] + 1))
        assert all(one["charge"] is not None for one in shown["attempts"])
    assert other.faults_logged() == []
    other.end()
    other.engines.clear()


def assert_refused(other: RealYard, archive: Path, folder: Path) -> None:
    """What is there is never written over, and what is damaged never used."""
    runyard = line(other)
    again = runyard("restore", str(archive))
    assert again.status != 0
    assert "the database keeps rows of ours already" in again.err
    broken = spoilt(archive, "rows/jobs.copy", folder / "broken.tgz")
    refused = runyard("restore", str(spoilt(broken, "rows/history.copy", folder / "b.tgz")))
    assert refused.status != 0
    on_sqlite = CommandLine(folder / "third")("restore", str(archive))
    assert "kept in postgresql, and the settings say sqlite" in on_sqlite.err
    assert runyard("backup", str(archive)).err.count("is there already") == 1


@pytest.mark.parametrize("words", [("backup", "new.tgz"), ("restore", "none.tgz")])
def test_nothing_is_made_of_nothing(
    postgresql: Server, tmp_path: Path, words: tuple[str, str]
) -> None:
    url = postgresql.database()
    command, name = words
    runyard = CommandLine(tmp_path / "state", {"RUNYARD_DATABASE_URL": url})
    done = runyard(command, str(tmp_path / name))
    assert done.status != 0
    assert "Traceback" not in done.err
    assert "there is no" in done.err
