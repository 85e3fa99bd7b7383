"""Which addresses may be called. Asked after a name was resolved, of the address that is dialled.

Link-local and metadata addresses never; private ones (loopback, RFC 1918, carrier NAT, unique
local, documentation, multicast, reserved) only when private networks are allowed. An IPv6 address
that carries an IPv4 one (mapped, 6to4, Teredo, NAT64) is judged by what it carries.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address

#: Metadata servers that do not stand on a link-local address.
_METADATA = frozenset(
    ip_address(each)
    for each in ("169.254.169.254", "fd00:ec2::254", "fd20:ce::254", "100.100.100.200")
)
_METADATA_NAMES = frozenset({"metadata", "metadata.google.internal", "instance-data"})
_NAT64 = IPv6Network("64:ff9b::/96")


@dataclass(frozen=True, slots=True)
class Policy:
    """What endpoints may be called."""

    allow_private: bool = False
    allowed_hosts: tuple[str, ...] = ()

    def name(self, host: str) -> str | None:
        """Why the name `host` is not even resolved, or None."""
        return name_refusal(host, self.allowed_hosts)

    def address(self, text: str) -> str | None:
        """Why the address `text` is not called, or None."""
        return refusal(text, self.allow_private)


@dataclass(frozen=True, slots=True)
class OwnErrand(Policy):
    """What the runner calls for itself, where its settings say: metadata server, Google's keys."""

    def name(self, host: str) -> str | None:
        return None

    def address(self, text: str) -> str | None:
        return None


@lru_cache(maxsize=4096)
def refusal(text: str, allow_private: bool) -> str | None:
    """Why the address `text` is not called, or None when it may be."""
    address = ip_address(text.partition("%")[0])
    every = (address, *_carried(address))
    if any(each in _METADATA or each.is_link_local for each in every):
        return f"{text} is a link-local or metadata address, and those are never called"
    if any(each.is_unspecified or each.is_multicast for each in every):
        return f"{text} is not the address of one machine"
    if not allow_private and not all(each.is_global for each in every):
        return f"{text} is not a public address (ALLOW_PRIVATE_NETWORKS=true allows it)"
    return None


def name_refusal(host: str, allowed_hosts: Sequence[str]) -> str | None:
    """Why the name `host` is not even resolved, or None when it may be."""
    if host in _METADATA_NAMES:
        return f"{host} is the metadata server, and that is never called"
    if allowed_hosts and not matches(host, allowed_hosts):
        return f"{host} is not in ALLOWED_HOSTS"
    return None


def matches(host: str, patterns: Sequence[str]) -> bool:
    """Whether one of `patterns` names `host`: itself, or `*.example.com` for what is below it."""
    return any(
        host.endswith(pattern[1:]) if pattern.startswith("*.") else host == pattern
        for pattern in patterns
    )


@lru_cache(maxsize=1024)
def is_loopback(text: str) -> bool:
    """Whether a peer's address is this machine's own."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_loopback


def _carried(address: Address) -> Iterator[IPv4Address]:
    if isinstance(address, IPv4Address):
        return
    if address.ipv4_mapped:
        yield address.ipv4_mapped
    if address.sixtofour:
        yield address.sixtofour
    if address.teredo:
        yield from address.teredo
    if address in _NAT64:
        yield IPv4Address(int(address) & 0xFFFFFFFF)
