"""Which addresses and names may be called."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runyard_runner.rules.addresses import (
    OwnErrand,
    Policy,
    is_loopback,
    matches,
    name_refusal,
    refusal,
)

NEVER = [
    "169.254.169.254",
    "169.254.0.1",
    "fe80::1",
    "fe80::1%eth0",
    "fd00:ec2::254",
    "fd20:ce::254",
    "100.100.100.200",
    "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "2002:a9fe:a9fe::1",
]
PRIVATE = [
    "127.0.0.1",
    "10.0.0.1",
    "172.16.3.4",
    "192.168.1.1",
    "100.64.0.1",
    "::1",
    "fc00::1",
    "::ffff:10.0.0.1",
    "64:ff9b::a00:1",
    "2002:0a00:0001::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "192.0.2.1",
]
NOBODY = ["0.0.0.0", "::", "224.0.0.1", "ff02::1"]
PUBLIC = ["8.8.8.8", "1.1.1.1", "2606:4700::1111", "::ffff:8.8.8.8"]


@pytest.mark.parametrize("address", NEVER)
def test_metadata_and_link_local_are_never_called(address: str) -> None:
    for allow_private in (False, True):
        assert "link-local or metadata" in str(refusal(address, allow_private))


@pytest.mark.parametrize("address", PRIVATE)
def test_private_ones_only_where_they_are_allowed(address: str) -> None:
    assert "ALLOW_PRIVATE_NETWORKS" in str(refusal(address, allow_private=False))
    assert refusal(address, allow_private=True) is None


@pytest.mark.parametrize("address", NOBODY)
def test_what_is_no_machine_is_not_called(address: str) -> None:
    assert refusal(address, allow_private=False)
    assert refusal(address, allow_private=True) is not None


@pytest.mark.parametrize("address", PUBLIC)
def test_public_ones_may_be_called(address: str) -> None:
    assert refusal(address, allow_private=False) is None


@given(st.ip_addresses())
def test_whatever_is_allowed_is_global(address: object) -> None:
    if refusal(str(address), allow_private=False) is None:
        found = ip_address(str(address))
        assert found.is_global
        assert not found.is_link_local
        assert not found.is_loopback


def test_names() -> None:
    assert "metadata server" in str(name_refusal("metadata.google.internal", ()))
    assert name_refusal("api.example.com", ()) is None
    assert name_refusal("api.example.com", ("*.example.com",)) is None
    assert "ALLOWED_HOSTS" in str(name_refusal("example.org", ("*.example.com",)))
    assert not matches("example.com", ("*.example.com",))
    assert not matches("badexample.com", ("*.example.com",))
    assert matches("example.com", ("example.com",))


def test_policies() -> None:
    policy = Policy(allow_private=False, allowed_hosts=("a.example",))
    assert policy.name("b.example") is not None
    assert policy.address("10.0.0.1") is not None
    errand = OwnErrand()
    assert (errand.name("metadata.google.internal"), errand.address("169.254.169.254")) == (
        None,
        None,
    )


def test_this_machine() -> None:
    found = [is_loopback(each) for each in ("127.0.0.9", "::1", "::ffff:127.0.0.1", "8.8.8.8", "")]
    assert found == [True, True, True, False, False]
