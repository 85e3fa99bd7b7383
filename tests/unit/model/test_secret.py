"""A secret and what names one of its versions."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from runyard.model.errors import NotFound
from runyard.model.secret import Secret, no_version

AT = datetime(2026, 1, 1, tzinfo=UTC)
SECRET = Secret("local", "db", AT, newest=3, aliases=(("stable", 2),))


@pytest.mark.parametrize(("version", "number"), [("latest", 3), ("1", 1), ("9", 9), ("stable", 2)])
def test_a_version_has_a_number(version: str, number: int) -> None:
    assert SECRET.number(version) == number


@pytest.mark.parametrize("version", ["", "newest", "٣", "-1", "1234567890"])
def test_what_names_no_version_is_said(version: str) -> None:
    with pytest.raises(NotFound) as caught:
        SECRET.number(version)
    assert caught.value.message == f"secret db has no version {version}"


def test_there_is_no_latest_before_the_first() -> None:
    with pytest.raises(NotFound, match=r"secret db has no version$"):
        replace(SECRET, newest=0).number("latest")
    assert no_version("db", "latest") == "secret db has no version"


def test_a_secret_may_belong_to_a_job() -> None:
    assert SECRET.owner is None
    owned = replace(SECRET, labels=(("owner-job", "report"), ("owner-project", "shop")))
    assert owned.owner == ("shop", "report")


def test_an_etag_is_another_one_after_each_change() -> None:
    assert SECRET.etag == '"1"'
    assert replace(SECRET, changes=31).etag == '"1f"'
