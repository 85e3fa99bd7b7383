"""Names: asked of the DNS in threads of their own, checked, and kept for a moment.

A name is refused when any of its addresses is. What `addresses` gives is what is dialled, so a
name that turns to a private address between check and connection changes nothing.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address

from runyard_runner.outgoing.failures import CallFailed, Failure
from runyard_runner.rules.addresses import Policy

Resolve = Callable[[str], Sequence[str]]

_KEPT_MAX = 4096
#: Slow names wait here, and not where they would hold up the others.
_THREADS = 64


def system_resolve(host: str) -> Sequence[str]:
    """The addresses of `host`, as the machine resolves names. Raises OSError."""
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


class Names:
    """Gives the addresses a host may be called at."""

    def __init__(
        self,
        policy: Policy,
        kept_seconds: float = 30.0,
        resolve: Resolve = system_resolve,
    ) -> None:
        self._policy = policy
        self._kept_seconds = kept_seconds
        self._resolve = resolve
        self._kept: dict[str, tuple[float, Sequence[str]]] = {}
        self._threads = ThreadPoolExecutor(_THREADS, "names")

    def close(self) -> None:
        """Let the threads go."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def check(self, host: str) -> None:
        """Refuse a name that is never resolved. Raises CallFailed."""
        if why := self._policy.name(host):
            raise CallFailed(Failure.REFUSED, why)

    async def addresses(self, host: str) -> Sequence[str]:
        """Where to dial for `host`; never empty, every one checked. Raises CallFailed."""
        self.check(host)
        loop = asyncio.get_running_loop()
        kept = self._kept.get(host)
        if kept is not None and loop.time() < kept[0]:
            return kept[1]
        found = await self._find(loop, host)
        for each in found:
            if why := self._policy.address(each):
                name = "" if each == host else f"{host} is {each}, and "
                raise CallFailed(Failure.REFUSED, name + why)
        if len(self._kept) >= _KEPT_MAX:
            self._kept.clear()
        self._kept[host] = (loop.time() + self._kept_seconds, found)
        return found

    async def _find(self, loop: asyncio.AbstractEventLoop, host: str) -> Sequence[str]:
        try:
            return [str(ip_address(host))]
        except ValueError:
            pass
        try:
            found = await loop.run_in_executor(self._threads, self._resolve, host)
        except (OSError, UnicodeError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise CallFailed(Failure.NAME, f"{host} cannot be resolved: {reason}") from None
        if not found:
            raise CallFailed(Failure.NAME, f"{host} has no address")
        return found
