"""Whether a call of a webhook is by who it should be.

The two newest enabled versions of a secret hold, so that a new one can be given to a sender while
the old one is in use, and the old one be disabled then. Which those are is looked up every few
seconds, and at once when a signature does not hold, but not more often than once a second. A value
is read once: reading it is recorded, and a version never gets another one.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from runyard.api.issuers import Fetch, OidcIssuers
from runyard.flow.webhook.proving import Headers, doubt
from runyard.model.errors import CallerError, FarSideError, ServerUnavailable, Unauthenticated
from runyard.model.secret import VersionState
from runyard.model.trigger.senders import AnySender, GithubSender, OidcSender
from runyard.provider.port_secrets import SecretKeeper

K = TypeVar("K")
V = TypeVar("V")
LOGGER = logging.getLogger("runyard.api")

VERSIONS_HOLDING = 2
KEPT_FOR = timedelta(seconds=5)  #: so long may a version be good after it was disabled
LOOKED_UP_EVERY = timedelta(seconds=1)
KEPT_MAX = 1000  #: secrets, and issuers with their keys; what was used longest ago is dropped
READER = "webhooks"  #: who reads secrets, in the record of that
NOBODY = GithubSender(kind="github", secret="nobody")  # noqa: S106 - the name of no secret
NOBODYS = (b"\0" * 32,)


Version = tuple[int, datetime]  #: a secret may be made anew, and begin with the same number


@dataclass(frozen=True, slots=True)
class _Kept:
    """The values that hold, the newest first, and since when that is known."""

    values: Mapping[Version, bytes]
    at: datetime


class Proofs:
    """One per process."""

    def __init__(self, secrets: SecretKeeper, clock: Callable[[], datetime], fetch: Fetch) -> None:
        self._secrets = secrets
        self._clock = clock
        self._fetch = fetch
        self._kept: OrderedDict[tuple[str, str], _Kept] = OrderedDict()
        self._issuers: OrderedDict[tuple[str, str], OidcIssuers] = OrderedDict()

    async def doubt(
        self, sender: AnySender | None, environment: str, headers: Headers, content: bytes
    ) -> str:
        """Why a call is not believed; empty when it is. No sender, for a webhook that there is
        not, costs what one costs.

        Raises ServerUnavailable when that cannot be known now.
        """
        if sender is None:
            return doubt(NOBODY, NOBODYS, headers, content, self._clock()) or "there is none"
        if isinstance(sender, OidcSender):
            return await self._identity_doubt(sender, headers)
        values, since = await self._values(environment, sender.secret)
        found = doubt(sender, values, headers, content, self._clock())
        if found and self._clock() - since >= LOOKED_UP_EVERY:
            values, _ = await self._values(environment, sender.secret, anew=True)
            found = doubt(sender, values, headers, content, self._clock())
        return found

    async def _values(
        self, environment: str, name: str, *, anew: bool = False
    ) -> tuple[tuple[bytes, ...], datetime]:
        """The values that hold now, and since when that is known."""
        now, place = self._clock(), (environment, name)
        kept = self._kept.get(place)
        if kept is None or anew or now - kept.at >= KEPT_FOR:
            known = {} if kept is None else kept.values
            kept = _Kept(await self._looked_up(environment, name, known), now)
            _keep(self._kept, place, kept)
        return tuple(kept.values.values()), kept.at

    async def _looked_up(
        self, environment: str, name: str, known: Mapping[Version, bytes]
    ) -> dict[Version, bytes]:
        try:
            versions = await self._secrets.versions(environment, name)
            holding = [one for one in versions if one.state is VersionState.ENABLED]
            found: dict[Version, bytes] = {}
            for one in holding[:VERSIONS_HOLDING]:
                version = (one.number, one.created_at)
                found[version] = known.get(version) or await self._secrets.access(
                    environment, name, str(one.number), READER, trusted=True
                )
        except CallerError as error:
            LOGGER.warning("the secret %s of a webhook cannot be read: %s", name, error.message)
            return {}
        except FarSideError as error:
            LOGGER.warning("the secret %s of a webhook cannot be had: %s", name, error.message)
            raise ServerUnavailable("this cannot be proved now", hint="send it again") from error
        return found

    async def _identity_doubt(self, sender: OidcSender, headers: Headers) -> str:
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return "it has no ID token (authorization)"
        try:
            identity = await self._issuers_of(sender).identity(token.strip())
        except Unauthenticated as error:
            return error.message
        emails = {email.lower() for email in sender.emails}
        if identity.subject in sender.subjects or (identity.email.lower() or None) in emails:
            return ""
        return f"its ID token is about {identity.email or identity.subject}, who is not listed"

    def _issuers_of(self, sender: OidcSender) -> OidcIssuers:
        place = (sender.issuer, sender.audience)
        found = self._issuers.get(place)
        if found is None:
            found = OidcIssuers([sender.issuer], [sender.audience], (), self._clock, self._fetch)
        _keep(self._issuers, place, found)
        return found


def _keep(kept: OrderedDict[K, V], key: K, value: V) -> None:
    kept[key] = value
    kept.move_to_end(key)
    if len(kept) > KEPT_MAX:
        kept.popitem(last=False)
