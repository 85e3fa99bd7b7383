"""Google ID tokens for endpoints that ask for one, from the metadata server.

A token says who we are to whoever holds it, so it goes only to hosts that are configured for it.
The metadata server is the one address that is never called on anybody's behalf; here the runner
calls it for itself.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable, Sequence
from urllib.parse import quote

import orjson

from runyard_runner.model.target import Target, read_target
from runyard_runner.outgoing.client import Call, Client
from runyard_runner.outgoing.failures import CallFailed, Failure
from runyard_runner.rules.addresses import matches

_PATH = "/computeMetadata/v1/instance/service-accounts/default/identity?format=full&audience="
_SECONDS_MAX = 5.0
#: A token is renewed this long before it ends.
_MARGIN_SECONDS = 300.0


class Tokens:
    """Gives ID tokens by audience, and keeps each for most of its life."""

    def __init__(
        self, client: Client, metadata_host: str, hosts: Sequence[str], clock: Callable[[], float]
    ) -> None:
        self._client = client
        self._metadata = read_target(f"http://{metadata_host}")
        self._hosts = tuple(hosts)
        self._clock = clock
        self._kept: dict[str, tuple[float, str]] = {}

    async def token(self, target: Target, audience: str) -> str:
        """A token for an endpoint. Raises CallFailed when its host is not configured for one."""
        if not matches(target.host, self._hosts):
            words = f"{target.host} gets no ID token (OIDC_TOKEN_HOSTS does not name it)"
            raise CallFailed(Failure.REFUSED, words)
        if target.scheme != "https" and target.host not in ("localhost", "127.0.0.1", "::1"):
            raise CallFailed(Failure.REFUSED, f"{target.host} gets no ID token over http")
        wanted = audience or f"{target.scheme}://{target.authority}"
        kept = self._kept.get(wanted)
        if kept is not None and self._clock() < kept[0]:
            return kept[1]
        token = await self._ask(wanted)
        self._kept[wanted] = (_ends_at(token) - _MARGIN_SECONDS, token)
        return token

    async def _ask(self, audience: str) -> str:
        path = _PATH + quote(audience, safe="")
        target = Target("http", self._metadata.host, self._metadata.port, path)
        call = Call(target, "GET", (("Metadata-Flavor", "Google"),), None)
        deadline = asyncio.get_running_loop().time() + _SECONDS_MAX
        try:
            response = await self._client.send(call, deadline)
        except CallFailed as failed:
            words = f"no ID token: the metadata server: {failed.words}"
            raise CallFailed(Failure.IDENTITY, words) from None
        if response.status != 200:
            words = f"no ID token: the metadata server answered {response.status}"
            raise CallFailed(Failure.IDENTITY, words)
        return response.body.decode("ascii", "replace").strip()


def _ends_at(token: str) -> float:
    """When a token ends (seconds since 1970); 0 when it does not say."""
    parts = token.split(".")
    try:
        claims = orjson.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        return float(claims["exp"])
    except (IndexError, ValueError, KeyError, TypeError):
        return 0.0
