"""Puts the provider over Google together: credentials, the library's clients, hands and eyes.

This is what is imported by name once somebody needs it: Google's libraries take a second and 50 MB.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address
from urllib.parse import urlsplit

import google.auth
from google.auth.credentials import AnonymousCredentials, Credentials
from google.auth.exceptions import DefaultCredentialsError

from runyard.model.errors import ConfigError
from runyard.provider.gcp.adapter import GcpProvider, Surroundings
from runyard.provider.gcp.calls import Calls
from runyard.provider.gcp.evidence import Evidence
from runyard.provider.gcp.log_reading import LogPace, LogReading
from runyard.provider.gcp.log_reads import ALLOWANCE, LogReads
from runyard.provider.gcp.log_search import LogSearch
from runyard.provider.gcp.log_wire import RestLogApi
from runyard.provider.gcp.quota import Allowance
from runyard.provider.gcp.viewer import GcpViewer
from runyard.provider.gcp.watching import Pace
from runyard.provider.gcp.wire import RestRunApi

SCOPE = "https://www.googleapis.com/auth/cloud-platform"


@dataclass(frozen=True, slots=True)
class Apis:
    """What is asked of Google, with one set of threads."""

    run: RestRunApi
    logs: RestLogApi

    async def close(self) -> None:
        """Let go; calls under way are not waited for."""
        await self.run.close()
        await self.logs.close()


@dataclass(frozen=True, slots=True)
class Paces:
    """How often attempts and their logs are looked at, and what may be read of logs."""

    watching: Pace = Pace()
    logs: LogPace = LogPace()
    reads: Allowance = ALLOWANCE


@dataclass(frozen=True, slots=True)
class Opened:
    """Hands and eyes at Google."""

    provider: GcpProvider
    viewer: GcpViewer
    reads: LogReads
    apis: Apis


def connect(endpoint: str, logging_endpoint: str = "") -> Apis:
    """The APIs with the credentials that Google's libraries find by themselves (Application Default
    Credentials); with none at an endpoint of this machine. It may take seconds. A stand-in of this
    machine is asked for logs too, unless another place is named for them.

    Raises ConfigError when there are none, or they would be sent in the clear.
    """
    calls = Calls()
    logs_at = logging_endpoint or (endpoint if is_here(endpoint) else "")
    run = RestRunApi(_credentials(endpoint, "RUN"), calls, endpoint)
    return Apis(run, RestLogApi(_credentials(logs_at, "LOGGING"), calls, logs_at))


def assemble(
    apis: Apis, around: Surroundings, wake: Callable[[], None], paces: Paces | None = None
) -> Opened:
    """What works with the APIs. Made in the event loop."""
    paces = paces or Paces()
    reads = LogReads(apis.logs, paces.reads)
    evidence = Evidence(reads, around.clock, timedelta(seconds=paces.logs.late))
    provider = GcpProvider(apis.run, around, wake, paces.watching, evidence)
    logs = LogReading(reads, around.clock, paces.logs)
    search = LogSearch(reads, provider.finding)
    return Opened(provider, GcpViewer(apis.run, provider.finding, logs, search), reads, apis)


def _credentials(endpoint: str, what: str) -> Credentials:
    if is_here(endpoint):
        return AnonymousCredentials()
    if endpoint and urlsplit(endpoint).scheme != "https":
        raise ConfigError(
            f"RUNYARD_GOOGLE_{what}_ENDPOINT is {endpoint}: credentials would be sent in the clear",
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


def is_here(endpoint: str) -> bool:
    """True for an endpoint of this machine."""
    host = urlsplit(endpoint).hostname or ""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
