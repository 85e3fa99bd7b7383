"""A real server whose runs are kept in PostgreSQL, met by the command line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.support.command_line import settled
from tests.support.postgresql import Server

MANIFEST = """\
project: shop
jobs:
  hello:
    concurrency: {limit: 1}
    template:
      template:
        containers: [{image: hello, command: [/bin/sh, -c, "echo hello"]}]
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    with TemporaryDirectory() as name:
        Path(name).chmod(0o711)
        yield Path(name)


def test_runs_are_kept_in_postgresql_and_belong_to_one_cloud(
    postgresql: Server, folder: Path
) -> None:
    url = postgresql.database()
    runyard = settled(folder / "one", url)
    begun = runyard.process("up", "-d")
    assert begun.status == 0, begun.err
    try:
        (folder / "runyard.yaml").write_text(MANIFEST)
        assert runyard.process("apply", str(folder / "runyard.yaml")).status == 0
        done = runyard.process("run", "hello", "--wait")
        assert (done.status, done.out) == (0, "[0] hello\n"), done.err
        assert url not in runyard.process("config").out
        other = settled(folder / "two", url).process("up", "-d")
        assert other.status != 0
        assert "keeps the runs of another cloud" in other.err
        assert str(folder / "one") in other.err
    finally:
        assert runyard.process("down").status == 0
    assert runyard.process("up", "-d").status == 0
    try:
        (run,) = runyard.process("runs", "--json").document()["runs"]
        assert run["state"] == "succeeded"
    finally:
        assert runyard.process("down").status == 0
    assert not (runyard.folder / "runyard.db").exists()


def test_a_database_that_is_not_there_is_said_without_its_password(folder: Path) -> None:
    url = "postgresql://ann:correct-horse@127.0.0.1:1/rows"
    failed = settled(folder / "one", url).process("up", "-d")
    assert failed.status != 0
    assert "rows at 127.0.0.1 port 1 does not answer" in failed.err
    assert "correct-horse" not in failed.err + failed.out
