"""Errors of Google's libraries, as one of the three that a provider may raise.

What Google says is passed on with its code, shortened; what a caller hides of it (values of
variables, which Google may repeat) is not. No request and no header is ever in a message.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import requests
from google.api_core import exceptions as google
from google.auth import exceptions as auth

from runyard.model.errors import (
    ProviderError,
    ProviderRefused,
    ProviderTimeout,
    ProviderUnavailable,
)

NAME = "gcp"
Hints = Mapping[str, str]  #: what to do about an answer, by its code
MESSAGE_MAX = 500  #: characters of what Google says that are passed on
HIDDEN_MIN = 4  #: characters of a value that is hidden; shorter ones are in any text

#: Google's codes of answers that may be another one later, and of answers that came too late.
_TRANSIENT = frozenset({"UNAVAILABLE", "RESOURCE_EXHAUSTED", "ABORTED", "INTERNAL", "UNKNOWN"})
_LATE = frozenset({"DEADLINE_EXCEEDED", "CANCELLED"})
#: What HTTP says where there is no code (google/rpc/code.proto; a proxy may have answered).
_BY_HTTP = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ABORTED",
    412: "FAILED_PRECONDITION",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    504: "DEADLINE_EXCEEDED",
}
HINTS: Hints = {
    "PERMISSION_DENIED": "give the identity of Runyard roles/run.developer in the Google project, "
    "and roles/iam.serviceAccountUser on the job's service account",
    "UNAUTHENTICATED": "renew the credentials: `gcloud auth application-default login`",
    "RESOURCE_EXHAUSTED": "a quota of Cloud Run is used up: see IAM & Admin > Quotas",
}


def code_of(error: BaseException) -> str:
    """Google's canonical code of an answer (google.rpc.Code); empty when it is no answer.

    409 is ALREADY_EXISTS as well as ABORTED, so the body's own word comes before HTTP's.
    """
    if not isinstance(error, google.GoogleAPICallError):
        return ""
    said = _status_of(error.response)
    if said:
        return said
    if error.grpc_status_code is not None:
        return str(error.grpc_status_code.name)
    http = int(error.code or 0)
    return _BY_HTTP.get(http, "UNAVAILABLE" if http >= 500 else "UNKNOWN")


def _status_of(response: object) -> str:
    if not isinstance(response, requests.Response):
        return ""
    try:
        status = response.json()["error"]["status"]
    except (ValueError, KeyError, TypeError):
        return ""
    return status if isinstance(status, str) else ""


def as_ours(
    error: Exception,
    operation: str,
    key: str = "",
    hide: Iterable[str] = (),
    hints: Hints = HINTS,
) -> ProviderError:
    """`error`, which a call of Google's library raised, in our words."""
    code = code_of(error)
    words = _short(_hidden(_words(error, code), hide))
    hint = hints.get(code, "")
    if isinstance(error, auth.RefreshError):
        hint = HINTS["UNAUTHENTICATED"]
    made = _kind(error, code)
    return made(words, name=NAME, operation=operation, key=key, hint=hint, reason=code)


def _kind(error: Exception, code: str) -> type[ProviderError]:
    if isinstance(error, google.RetryError) or code in _LATE:
        return ProviderTimeout
    if code:
        # who may is asked again with new credentials; whether one may is decided
        later = code in _TRANSIENT or code == "UNAUTHENTICATED"
        return ProviderUnavailable if later else ProviderRefused
    if isinstance(error, auth.GoogleAuthError | requests.ConnectTimeout):
        return ProviderUnavailable
    if isinstance(error, requests.RequestException):
        return ProviderTimeout  # it may have been heard
    return ProviderRefused


def _words(error: Exception, code: str) -> str:
    if isinstance(error, google.GoogleAPICallError):
        return f"Google said {code}: {_said(error)}"
    if isinstance(error, google.RetryError | requests.Timeout):
        return "Google did not answer in time"
    if isinstance(error, auth.GoogleAuthError):
        return f"Google's credentials cannot be used: {error.args[0]}"
    if isinstance(error, requests.RequestException):
        return f"Google cannot be reached: {type(error).__name__}"
    return f"Google's library refused it: {error}"


def _said(error: google.GoogleAPICallError) -> str:
    """The body's own message: that of the library begins with the method and the URL."""
    if isinstance(error.response, requests.Response):
        try:
            return str(error.response.json()["error"]["message"])
        except (ValueError, KeyError, TypeError):
            return f"HTTP {error.response.status_code}"
    return str(error.message)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= MESSAGE_MAX else f"{line[: MESSAGE_MAX - 3]}..."


def _hidden(text: str, hide: Iterable[str]) -> str:
    for value in sorted({one for one in hide if len(one) >= HIDDEN_MIN}, key=len, reverse=True):
        text = text.replace(value, "(hidden)")
    return text
