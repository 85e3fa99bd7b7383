"""Where a call goes: a URL taken apart, each part checked, ready to be written on a wire."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv6Address
from urllib.parse import quote, unquote, urlencode, urljoin, urlsplit

_PORTS = {"http": 80, "https": 443}
_SAFE = "/%:@!$&'()*+,;=~-._"


class TargetError(ValueError):
    """A URL that cannot be called; says what was expected."""


@dataclass(frozen=True, slots=True)
class Target:
    """A URL: `path` holds the query too; `user` is what stood before an `@`, decoded."""

    scheme: str
    host: str
    port: int
    path: str
    user: str = ""

    @property
    def authority(self) -> str:
        """The value of the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def origin(self) -> tuple[str, str, int]:
        """What a connection is made for."""
        return self.scheme, self.host, self.port

    def with_params(self, params: tuple[tuple[str, str], ...]) -> Target:
        """The same with further parameters in its query."""
        if not params:
            return self
        sign = "&" if "?" in self.path else "?"
        return Target(
            self.scheme, self.host, self.port, f"{self.path}{sign}{urlencode(params)}", self.user
        )

    def at(self, location: str) -> Target:
        """Where a redirect from here to `location` leads. Raises TargetError."""
        return read_target(urljoin(f"{self.scheme}://{self.authority}{self.path}", location))


@lru_cache(maxsize=4096)
def read_target(url: str) -> Target:
    """`url` taken apart. Raises TargetError."""
    if any(ord(character) <= 32 or ord(character) == 127 for character in url):
        raise TargetError("a URL without spaces and control characters")
    try:
        parts = urlsplit(url)
        port = parts.port
        host = parts.hostname
    except ValueError as error:
        raise TargetError(f"a URL that can be read ({error})") from None
    if parts.scheme not in _PORTS:
        raise TargetError("a URL that begins with http:// or https://")
    if not host or port == 0:
        raise TargetError("a URL with a host and a port from 1 to 65535")
    path = quote(parts.path, safe=_SAFE) or "/"
    if parts.query:
        path += "?" + quote(parts.query, safe=_SAFE + "?")
    user = unquote(parts.netloc.rpartition("@")[0])
    host = _literal(host) if "[" in parts.netloc else _name(host)
    return Target(parts.scheme, host, port or _PORTS[parts.scheme], path, user)


def _literal(host: str) -> str:
    try:
        return str(IPv6Address(host))
    except ValueError:
        raise TargetError("a URL with a host that is a name or an address") from None


def _name(host: str) -> str:
    try:
        name = host.encode("idna").decode() if not host.isascii() else host
    except UnicodeError:
        raise TargetError("a URL whose host is a name of the DNS") from None
    name = name.removesuffix(".")
    good = name and all(each.isalnum() or each in "-._" for each in name)
    if not good or len(name) > 253 or ".." in name or name.startswith("."):
        raise TargetError("a URL whose host is a name of the DNS")
    return name.lower()
