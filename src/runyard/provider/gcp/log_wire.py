"""The one call of Cloud Logging's API v2 that is needed: the list of entries, by REST.

Google's own library for it is 350 KB that bring gRPC with them; the session with credentials that
Cloud Run's library brings along does as well (docs/decisions/0049-logs-at-google.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

import orjson
import requests
from google.api_core import exceptions
from google.auth.credentials import Credentials
from google.auth.transport.requests import AuthorizedSession

from runyard.provider.gcp.calls import Calls
from runyard.provider.gcp.errors import HINTS

GOOGLE = "https://logging.googleapis.com"
CALL_SECONDS = 20.0
SIZE_MAX = 1000  #: entries of one answer, as Google has it
#: An entry has up to 256 KB: an answer that is longer than this is asked for once more, of fewer.
ANSWER_BYTES_MAX = 16 * 2**20
_FEWER = 20  #: times fewer
_CHUNK_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class EntriesAsked:
    """Up to `size` entries of a Google project that a filter lets through, by their time; those
    that a token of an earlier page of the same list says."""

    google_project: str
    filter: str
    size: int = SIZE_MAX
    token: str = ""
    newest_first: bool = False


@dataclass(frozen=True, slots=True)
class EntriesPage:
    """Entries, and the token of the next page; empty: there are no more now."""

    entries: tuple[Mapping[str, Any], ...]
    token: str = ""


class LogApi(Protocol):
    """What is asked of Cloud Logging. It raises ProviderUnavailable, ProviderTimeout or
    ProviderRefused, each with Google's code as its `reason`."""

    async def entries(self, asked: EntriesAsked) -> EntriesPage:
        """A page of entries."""


class RestLogApi:
    """`LogApi` over REST. `endpoint` empty: Google's own."""

    def __init__(
        self,
        credentials: Credentials,
        calls: Calls,
        endpoint: str = "",
        call_seconds: float = CALL_SECONDS,
    ) -> None:
        self._session = AuthorizedSession(credentials)
        self._calls = calls
        self._url = f"{(endpoint or GOOGLE).rstrip('/')}/v2/entries:list"
        self._seconds = call_seconds

    async def close(self) -> None:
        """Let go of what is this one's own: the calls are another's."""
        self._session.close()

    async def entries(self, asked: EntriesAsked) -> EntriesPage:
        """See `LogApi.entries`."""
        hints = {**HINTS, **_hints(asked.google_project)}
        answer = await self._calls.of("list log entries", lambda: self._page(asked), hints=hints)
        return answer or EntriesPage(())

    def _page(self, asked: EntriesAsked) -> EntriesPage:
        text = self._answer(asked)
        if text is None:
            text = self._answer(replace(asked, size=max(1, asked.size // _FEWER)))
        if text is None:
            raise ValueError("an answer of Cloud Logging is too long")
        said = orjson.loads(text)
        if not isinstance(said, dict):
            raise ValueError("Cloud Logging answered with no JSON object")
        entries = tuple(one for one in said.get("entries", ()) if isinstance(one, dict))
        return EntriesPage(entries, str(said.get("nextPageToken", "")))

    def _answer(self, asked: EntriesAsked) -> bytes | None:
        """The body of an answer; None when it is too long."""
        with self._session.post(
            self._url, json=_body(asked), timeout=self._seconds, stream=True
        ) as response:
            if not response.ok:
                raise _error(response)
            text = bytearray()
            for chunk in response.iter_content(_CHUNK_BYTES):
                text += chunk
                if len(text) > ANSWER_BYTES_MAX:
                    return None
            return bytes(text)


def _body(asked: EntriesAsked) -> dict[str, Any]:
    body = {
        "resourceNames": [f"projects/{asked.google_project}"],
        "filter": asked.filter,
        "orderBy": "timestamp desc" if asked.newest_first else "timestamp asc",
        "pageSize": asked.size,
        "pageToken": asked.token,
    }
    return {name: value for name, value in body.items() if value}


def _error(response: requests.Response) -> exceptions.GoogleAPICallError:
    error: exceptions.GoogleAPICallError = exceptions.from_http_response(response)
    return error


def _hints(google_project: str) -> dict[str, str]:
    return {
        "PERMISSION_DENIED": "let the identity of Runyard read logs: `gcloud projects "
        f"add-iam-policy-binding {google_project} --member=MEMBER --role=roles/logging.viewer`; "
        "or, if the API is off, turn it on: `gcloud services enable logging.googleapis.com "
        f"--project {google_project}`",
        "RESOURCE_EXHAUSTED": "Cloud Logging's quota of read requests is used up: see "
        "IAM & Admin > Quotas",
    }
