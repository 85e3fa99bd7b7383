"""What the spawner knows is found again, after any number of deaths."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from runyard.localcloud.spawner.server.journal import NAMES, Journal


def end(key: str, code: int = 0) -> dict[str, Any]:
    """An end."""
    return {"key": key, "exit_code": code}


class Lives(RuleBasedStateMachine):
    """A journal beside plain dictionaries; at any time it is opened again by the next process."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = f"/dev/shm/journal-{os.getpid()}-{id(self)}"
        Path(self.folder).mkdir()
        self.journal = Journal(self.folder)
        self.begun: dict[str, tuple[int, str]] = {}
        self.ends: dict[str, dict[str, Any]] = {}

    @rule(key=st.sampled_from("abcdef"), at=st.integers(0, 9))
    def begin(self, key: str, at: int) -> None:
        if key not in self.ends:
            self.journal.begin(key, at, "n")
            self.begun[key] = at, "n"

    @rule(key=st.sampled_from("abcdef"), code=st.integers(0, 3))
    def finish(self, key: str, code: int) -> None:
        if key in self.begun:
            self.journal.end(end(key, code))
            self.ends[key] = end(key, code)
            del self.begun[key]

    @rule(keys=st.lists(st.sampled_from("abcdef"), max_size=3))
    def forget(self, keys: list[str]) -> None:
        self.journal.forget(keys)
        for key in keys:
            self.ends.pop(key, None)

    @rule()
    def compact(self) -> None:
        self.journal.compact()

    @rule(torn=st.sampled_from([b"", b'{"end": {"key": "a', b"\xff\n", b"[]\n"]))
    def die(self, torn: bytes) -> None:
        self.journal.close()
        with (Path(self.folder) / self._newest()).open("ab") as file:
            file.write(torn)
        self.journal = Journal(self.folder)

    @invariant()
    def is_what_it_should_be(self) -> None:
        assert self.journal.begun == self.begun
        assert self.journal.ends == self.ends
        assert self.journal.is_sound

    def teardown(self) -> None:
        self.journal.close()
        for name in NAMES:
            (Path(self.folder) / name).unlink()
        Path(self.folder).rmdir()

    def _newest(self) -> str:
        return NAMES[self.journal._used]


TestLives = Lives.TestCase
TestLives.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)


def test_it_does_not_grow_for_ever(tmp_path: Path) -> None:
    journal = Journal(str(tmp_path))
    journal.begin("stays", 1, "n")
    for number in range(20_000):
        key = f"key-{number}"
        journal.begin(key, number, "name")
        journal.end(end(key))
        journal.forget([key])
    assert sum((tmp_path / name).stat().st_size for name in NAMES) < 4 << 20
    journal.close()
    again = Journal(str(tmp_path))
    assert again.begun == {"stays": (1, "n")}
    assert again.ends == {}
    again.close()


def test_a_full_disk_is_noticed_and_survived(tmp_path: Path) -> None:
    (tmp_path / NAMES[0]).touch()
    journal = Journal(str(tmp_path))
    full = os.open("/dev/full", os.O_WRONLY)
    kept = os.dup(journal._files[journal._used])
    os.dup2(full, journal._files[journal._used])
    journal.end(end("a"))
    is_sound = [journal.is_sound]
    assert is_sound == [False]
    assert journal.ends == {"a": end("a")}
    os.dup2(kept, journal._files[journal._used])
    journal.compact()
    is_sound = [journal.is_sound]
    assert is_sound == [True]
    journal.close()
    again = Journal(str(tmp_path))
    assert again.ends == {"a": end("a")}
    again.close()
    os.close(full)
    os.close(kept)
