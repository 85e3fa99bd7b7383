"""Sessions as people have them, on both databases: the guides word for word, and two at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.command_line import CommandLine, Result, settled
from tests.support.postgresql import Server
from tests.support.reader import faults
from tests.support.tree import ROOT

GUIDES = ("plan-and-apply", "change-jobs-safely", "people-and-tokens")
ROUNDS = 4
MANIFEST = """\
project: shop
jobs:
  report:
    template:
      taskCount: {count}
      template:
        serviceAccount: report
        containers: [{{image: report, command: [/bin/true]}}]
"""


@pytest.mark.parametrize("guide", GUIDES)
def test_a_guide_works_on_postgresql_too(guide: str, tmp_path: Path, postgresql: Server) -> None:
    settled(tmp_path / ".local/state/runyard", postgresql.database())
    told = faults(ROOT / "docs" / "guides" / f"{guide}.md", tmp_path)
    assert not told, "\n\n".join(told)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_two_people_change_one_job_at_once(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Each either has their way, whole, or is told why not."""
    admin = settled(tmp_path / "state", _url(kind, request))
    assert admin.process("up", "-d").status == 0
    try:
        people = [_person(admin, name) for name in ("ann", "bob")]
        first = _apply(admin, tmp_path, 1)
        assert first.status == 0, first.err
        had = [
            done for number in range(ROUNDS) for done in _together(people, tmp_path, 10 * number)
        ]
        kept = [done for done in had if done.status == 0]
        assert len(kept) >= ROUNDS, [done.err for done in had]
        assert all(_is_told(done) for done in had if done.status)
        found = admin.process("jobs", "get", "report", "--json").document()
        assert found["revision"] == 1 + len(kept)
        done = admin.process("run", "report", "--wait")
        assert done.status == 0, done.err
        assert admin.process("audit", "verify").status == 0
        ended = admin.process("operations", "list", "--json").document()["operations"]
        assert {operation["state"] for operation in ended} <= {"complete", "undone"}
        assert {operation["requested_by"] for operation in ended} == {"admin", "ann", "bob"}
    finally:
        assert admin.process("down").status == 0


def _url(kind: str, request: pytest.FixtureRequest) -> str:
    if kind == "sqlite":
        return ""
    server: Server = request.getfixturevalue("postgresql")
    return server.database()


def _person(admin: CommandLine, name: str) -> CommandLine:
    made = admin.process("users", "create", name, "operator@local")
    assert made.status == 0, made.err
    token = admin.process("tokens", "create", "--for", name, "--expires", "1h")
    assert token.status == 0, token.err
    return CommandLine(admin.folder, {"RUNYARD_TOKEN": token.out.strip()})


def _together(people: list[CommandLine], folder: Path, number: int) -> list[Result]:
    with ThreadPoolExecutor(len(people)) as pool:
        asked = [
            pool.submit(_apply, person, folder, 2 + number + place)
            for place, person in enumerate(people)
        ]
        return [one.result() for one in asked]


def _apply(who: CommandLine, folder: Path, count: int) -> Result:
    manifest = folder / f"{count}.yaml"
    manifest.write_text(MANIFEST.format(count=count))
    return who.process("apply", str(manifest), "--yes")


def _is_told(done: Result) -> bool:
    """The other's name and operation, or that the plan was of a state that is no more."""
    return "is being changed" in done.err or "stale" in done.err
