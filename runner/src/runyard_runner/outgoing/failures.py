"""Why a call came to nothing. A value of the endpoint it happened to; the others go on."""

from __future__ import annotations

from enum import StrEnum


class Failure(StrEnum):
    """The kinds of failure; they are what is counted."""

    REFUSED = "refused"
    NAME = "name"
    CONNECT = "connect"
    TLS = "tls"
    TIMEOUT = "timeout"
    CLOSED = "closed"
    PROTOCOL = "protocol"
    TOO_LARGE = "too_large"
    IDENTITY = "identity"
    TEMPLATE = "template"


#: Another try may go better.
TRANSIENT = frozenset(
    {Failure.NAME, Failure.CONNECT, Failure.TIMEOUT, Failure.CLOSED, Failure.IDENTITY}
)


class CallFailed(Exception):
    """A call that came to nothing; `status_code` is 0 when no status was seen."""

    def __init__(self, failure: Failure, words: str, status_code: int = 0) -> None:
        super().__init__(words)
        self.failure = failure
        self.words = words
        self.status_code = status_code
