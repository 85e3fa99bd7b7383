"""Secrets of webhooks: read once, looked up lately, and missed without a word to strangers."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest

from runyard.api.hooks.proofs import KEPT_MAX, Proofs
from runyard.model.errors import NotFound, ProviderUnavailable, ServerUnavailable
from runyard.model.secret import SecretVersion, VersionState
from runyard.model.trigger.senders import GithubSender, OidcSender
from runyard.provider.port_secrets import SecretKeeper

START = datetime(2026, 9, 1, 12, tzinfo=UTC)


@dataclass(slots=True)
class Keeper:
    """One secret's versions, as many secrets as are asked for; what was read of it."""

    versions_: list[SecretVersion] = field(default_factory=list)
    reads: list[str] = field(default_factory=list)
    looks: int = 0
    error: Exception | None = None

    async def versions(self, environment: str, name: str) -> Sequence[SecretVersion]:
        self.looks += 1
        if self.error is not None:
            raise self.error
        return self.versions_

    async def access(
        self, environment: str, name: str, version: str, by: str, trusted: bool
    ) -> bytes:
        assert (by, trusted) == ("webhooks", True)
        self.reads.append(version)
        return f"{name}-{version}".encode()

    def has(self, *numbers: int, disabled: int = 0, made: datetime = START) -> None:
        """It has these versions, the newest first."""
        states = {disabled: VersionState.DISABLED}
        self.versions_ = [
            SecretVersion(each, states.get(each, VersionState.ENABLED), made) for each in numbers
        ]


@dataclass(slots=True)
class Hall:
    """Proofs over a keeper, at a time that tests move."""

    keeper: Keeper = field(default_factory=Keeper)
    now: datetime = START
    proofs: Proofs = field(init=False)

    def __post_init__(self) -> None:
        self.proofs = Proofs(cast(SecretKeeper, self.keeper), lambda: self.now, lambda _: b"")

    def doubt(self, value: str, name: str = "s") -> str:
        """What is thought of a call that is signed by `value`."""
        digest = hmac.digest(value.encode(), b"x", "sha256").hex()
        headers = {"x-hub-signature-256": f"sha256={digest}"}
        sender = GithubSender(kind="github", secret=name)
        return asyncio.run(self.proofs.doubt(sender, "local", headers, b"x"))

    def later(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def test_the_two_newest_enabled_versions_hold() -> None:
    hall = Hall()
    hall.keeper.has(4, 3, 2, 1, disabled=3)
    assert [hall.doubt(f"s-{n}") == "" for n in (1, 2, 3, 4)] == [False, True, False, True]


def test_a_value_is_read_once() -> None:
    hall = Hall()
    hall.keeper.has(1)
    for _ in range(20):
        assert hall.doubt("s-1") == ""
        assert hall.doubt("forged")
        hall.later(3)
    assert hall.keeper.reads == ["1"]
    hall.keeper.has(1, made=START + timedelta(days=1))  # deleted, and made anew
    hall.later(6)
    assert hall.doubt("s-1") == ""
    assert hall.keeper.reads == ["1", "1"]


def test_a_new_version_is_good_at_once_and_a_disabled_one_soon_is_not() -> None:
    hall = Hall()
    hall.keeper.has(1)
    assert hall.doubt("s-1") == ""
    hall.keeper.has(2, 1)
    assert hall.doubt("s-2")  # it was looked up in this second
    hall.later(1)
    assert hall.doubt("s-2") == ""
    hall.keeper.has(2, 1, disabled=1)
    assert hall.doubt("s-1") == ""
    hall.later(5)
    assert hall.doubt("s-1")


def test_forgeries_have_nothing_looked_up_more_than_once_a_second() -> None:
    hall = Hall()
    hall.keeper.has(1)
    for _ in range(100):
        hall.doubt("forged")
        hall.later(0.1)
    assert hall.keeper.looks <= 11


def test_what_cannot_be_read_believes_nobody() -> None:
    hall = Hall()
    hall.keeper.error = NotFound("there is no secret s")
    assert hall.doubt("") == "there is no secret to prove it by"
    hall.keeper.error = ProviderUnavailable("it is away")
    hall.later(6)
    with pytest.raises(ServerUnavailable):
        hall.doubt("s-1")


def test_what_was_used_longest_ago_is_forgotten() -> None:
    hall = Hall()
    hall.keeper.has(1)
    for number in range(KEPT_MAX + 1):
        assert hall.doubt(f"s{number}-1", f"s{number}") == ""
    assert hall.doubt("s0-1", "s0") == ""
    assert len(hall.keeper.reads) == KEPT_MAX + 2


def test_nobody_is_doubted_whatever_they_sign() -> None:
    hall = Hall()
    digest = hmac.digest(b"\0" * 32, b"x", "sha256").hex()
    for headers in ({"x-hub-signature-256": f"sha256={digest}"}, {}):
        assert asyncio.run(hall.proofs.doubt(None, "local", headers, b"x"))
    assert hall.keeper.looks == 0


def test_an_identity_needs_a_token() -> None:
    hall = Hall()
    sender = OidcSender(kind="oidc", issuer="https://i", audience="a", subjects=("s",))
    for headers in ({}, {"authorization": "Basic x"}, {"authorization": "Bearer x"}):
        assert asyncio.run(hall.proofs.doubt(sender, "local", headers, b"x"))
