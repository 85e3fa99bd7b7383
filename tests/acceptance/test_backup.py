"""A backup taken while a server works, put back elsewhere, and everything comes to its end."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest

from runyard.model.errors import (
    AlreadyExists,
    InvalidSpec,
    NotFound,
    SchemaMismatch,
    StoreUnavailable,
)
from runyard.upkeep import backups as upkeep
from tests.chaos.__main__ import come_to_rest
from tests.chaos.load import Load
from tests.chaos.work import Evidence, manifest
from tests.chaos.yard import RealYard
from tests.support.reachable import reachable_folder

Story = tuple[Path, RealYard, set[str]]
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
FINAL = {"succeeded", "dead", "cancelled", "skipped"}


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """A yard that worked under load, a backup from the middle of it, and the runs before it."""
    with reachable_folder() as folder:
        evidence = Evidence(folder / "evidence")
        evidence.prepare()
        yard = RealYard(folder / "state")
        yard.folder.mkdir(mode=0o700)
        yard.start()
        try:
            files = {"files": [{"name": "chaos.json", "text": manifest(evidence)}]}
            assert yard.api.call("POST", "/api/v1/jobs:apply", files)[0] == 200
            load = Load(yard.api, Random(3))
            load.begin()
            while len(load.acknowledged) < 12:
                yard.wait(0.05)
            before = set(load.acknowledged.values())
            archive = tmp_path_factory.mktemp("backup") / "yard.tgz"
            upkeep.back_up(yard.folder, archive, NOW)
            with pytest.raises(StoreUnavailable, match="another server"):
                upkeep.restore(archive, yard.folder, NOW)
            load.end()
            come_to_rest(yard)
        finally:
            yard.end()
        elsewhere = RealYard(folder / "elsewhere")
        elsewhere.folder.mkdir(mode=0o700)
        assert upkeep.restore(archive, elsewhere.folder, NOW)[1] is None
        elsewhere.start()
        try:
            rest = {str(run["id"]): run for run in come_to_rest(elsewhere)}
            assert before <= rest.keys()
            assert {run["state"] for run in rest.values()} <= FINAL
            died = [r for r in rest.values() if r["state"] == "dead" and r["job"] != "slow"]
            assert died == []
            assert elsewhere.faults_logged() == []
        finally:
            elsewhere.end()
        yield archive, elsewhere, before


def test_what_was_acknowledged_before_is_there_and_ends(
    story: Story,
) -> None:
    archive, yard, before = story
    assert len(before) >= 12
    assert archive.stat().st_mode & 0o077 == 0
    assert (yard.folder / "runyard.db").stat().st_mode & 0o077 == 0


def test_neither_key_nor_token_nor_logs_are_in_it(story: Story) -> None:
    with tarfile.open(story[0]) as tar:
        assert tar.getnames() == ["manifest.json", "runyard.db", "cloud/cloud.db"]


def test_what_was_there_is_moved_aside(story: Story) -> None:
    archive, yard, _ = story
    _, before = upkeep.restore(archive, yard.folder, NOW)
    assert before is not None
    assert (before / "runyard.db").exists()
    assert (before / "cloud.db").exists()


def test_a_damaged_or_foreign_backup_changes_nothing(story: Story, tmp_path: Path) -> None:
    archive, yard, _ = story
    was = (yard.folder / "runyard.db").read_bytes()
    whole = archive.read_bytes()
    broken = tmp_path / "broken.tgz"
    for content in (whole[:-200], whole[:100], b"", b"x" * 1000):
        broken.write_bytes(content)
        with pytest.raises(InvalidSpec, match="nothing was changed"):
            upkeep.restore(broken, yard.folder, NOW)
    changes: list[tuple[dict[str, object], type[Exception]]] = [
        ({"format": 2}, SchemaMismatch),
        ({"parts": []}, SchemaMismatch),
        ({"more": 1}, InvalidSpec),
    ]
    for change, error in changes:
        repack(archive, broken, change)
        with pytest.raises(error):
            upkeep.restore(broken, yard.folder, NOW)
    repack(archive, broken, {}, {"sha256": "0" * 64})
    with pytest.raises(InvalidSpec, match="no backup"):
        upkeep.restore(broken, yard.folder, NOW)
    repack(archive, broken, {}, {"schema_version": 99})
    with pytest.raises(SchemaMismatch, match="version 99"):
        upkeep.restore(broken, yard.folder, NOW)
    assert (yard.folder / "runyard.db").read_bytes() == was


def repack(
    archive: Path,
    target: Path,
    change: dict[str, object],
    part: dict[str, object] | None = None,
) -> None:
    """The same backup with another manifest."""
    folder = target.parent / "unpacked"
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    said = json.loads((folder / "manifest.json").read_text()) | change
    for each in said["parts"]:
        each |= part or {}
    (folder / "manifest.json").write_text(json.dumps(said))
    with tarfile.open(target, "w:gz") as tar:
        for name in ("manifest.json", "runyard.db", "cloud/cloud.db"):
            tar.add(folder / name, name)


def test_nothing_is_overwritten_and_nothing_is_made_of_nothing(
    story: Story, tmp_path: Path
) -> None:
    archive, yard, _ = story
    with pytest.raises(AlreadyExists):
        upkeep.back_up(yard.folder, archive, NOW)
    with pytest.raises(NotFound):
        upkeep.back_up(tmp_path, tmp_path / "new.tgz", NOW)
    with pytest.raises(NotFound):
        upkeep.restore(tmp_path / "none.tgz", tmp_path / "state", NOW)
    with pytest.raises(StoreUnavailable, match="cannot be written"):
        upkeep.back_up(yard.folder, tmp_path / "no" / "folder.tgz", NOW)
