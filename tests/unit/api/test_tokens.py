"""The admin's token: made once, whole, for its owner only; never trusted when it cannot be."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest

from runyard.api.tokens import Tokens, admin_token
from runyard.model.errors import ConfigError

TOKEN = "t" * 43


def make() -> str:
    return TOKEN


def test_it_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "token"
    assert admin_token(path, make) == TOKEN
    assert path.stat().st_mode & 0o777 == 0o600
    assert admin_token(path, lambda: "u" * 43) == TOKEN
    assert [each.name for each in tmp_path.iterdir()] == ["token"]


def test_one_that_another_process_made_meanwhile_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "token"

    def beaten() -> str:
        path.write_text("o" * 43)
        path.chmod(0o600)
        return TOKEN

    assert admin_token(path, beaten) == "o" * 43
    assert [each.name for each in tmp_path.iterdir()] == ["token"]


def test_a_draft_that_a_crash_left_is_no_hindrance(tmp_path: Path) -> None:
    (tmp_path / f"token.{os.getpid()}.new").write_text("half")
    assert admin_token(tmp_path / "token", make) == TOKEN


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o666])
def test_one_that_others_could_read_is_closed_with_a_warning(
    mode: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "token"
    path.write_text(TOKEN)
    path.chmod(mode)
    with caplog.at_level(logging.WARNING, "runyard.api"):
        assert admin_token(path, make) == TOKEN
    assert path.stat().st_mode & 0o777 == 0o600
    assert "could be read by other users" in caplog.text
    assert TOKEN not in caplog.text


@pytest.mark.parametrize("content", ["", "short", "t t" * 20, "t" * 20 + "\0" + "t" * 20])
def test_what_is_no_token_is_refused(content: str, tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(ConfigError, match="holds no token") as caught:
        admin_token(path, make)
    assert "remove it" in caught.value.hint
    assert path.read_text() == content


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    target = tmp_path / "elsewhere"
    target.write_text(TOKEN)
    (tmp_path / "token").symlink_to(target)
    with pytest.raises(ConfigError, match="cannot be read"):
        admin_token(tmp_path / "token", make)


def test_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "token").mkdir()
    with pytest.raises(ConfigError, match="is no file"):
        admin_token(tmp_path / "token", make)


def test_a_folder_that_is_missing_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be written: No such file"):
        admin_token(tmp_path / "missing" / "token", make)


def test_a_token_says_whose_it_is() -> None:
    tokens = Tokens({"one-token": "admin", "other-token": "ci"})
    assert tokens.principal("one-token") == "admin"
    assert tokens.principal("other-token") == "ci"
    assert [tokens.principal(each) for each in ("", "one-toke", "one-token ", "\udcff")] == [
        None
    ] * 4
    assert "one-token" not in repr(vars(tokens))
