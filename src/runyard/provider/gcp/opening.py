"""Puts the provider over Google together: credentials, the library's clients, hands and eyes.

This is what is imported by name once somebody needs it: Google's libraries take a second and 50 MB.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

import google.auth
from google.auth.credentials import AnonymousCredentials, Credentials
from google.auth.exceptions import DefaultCredentialsError

from runyard.model.errors import ConfigError
from runyard.provider.gcp.adapter import GcpProvider, Surroundings
from runyard.provider.gcp.viewer import GcpViewer
from runyard.provider.gcp.watching import Pace
from runyard.provider.gcp.wire import RestRunApi

SCOPE = "https://www.googleapis.com/auth/cloud-platform"


@dataclass(frozen=True, slots=True)
class Opened:
    """Hands and eyes at Google."""

    provider: GcpProvider
    viewer: GcpViewer
    api: RestRunApi


def connect(endpoint: str) -> RestRunApi:
    """The API with the credentials that Google's libraries find by themselves (Application Default
    Credentials); with none at an endpoint of this machine. It may take seconds.

    Raises ConfigError when there are none, or they would be sent in the clear.
    """
    return RestRunApi(_credentials(endpoint), endpoint)


def assemble(
    api: RestRunApi, around: Surroundings, wake: Callable[[], None], pace: Pace | None = None
) -> Opened:
    """What works with the API. Made in the event loop."""
    provider = GcpProvider(api, around, wake, pace)
    return Opened(provider, GcpViewer(api, provider.finding), api)


def _credentials(endpoint: str) -> Credentials:
    place = urlsplit(endpoint)
    if endpoint and _is_here(place.hostname or ""):
        return AnonymousCredentials()
    if endpoint and place.scheme != "https":
        raise ConfigError(
            f"RUNYARD_GOOGLE_RUN_ENDPOINT is {endpoint}: credentials would be sent in the clear",
            hint="use https; only an endpoint of this machine may be http, and gets none",
        )
    try:
        found, _ = google.auth.default(scopes=[SCOPE])
    except DefaultCredentialsError:
        raise ConfigError(
            "no credentials of Google's are found",
            hint="`gcloud auth application-default login`, or name a file of them in "
            "GOOGLE_APPLICATION_CREDENTIALS",
        ) from None
    made: Credentials = found
    return made


def _is_here(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
