"""The server's error document, made into the same errors that the server raised."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runyard.model.errors import (
    AlreadyExists,
    Code,
    Fault,
    InvalidSpec,
    NotFound,
    PermissionDenied,
    PlatformError,
    ProviderTimeout,
    QuotaExceeded,
    Refused,
    ServerUnavailable,
    StaleVersion,
    Unauthenticated,
)

_BY_CODE: dict[str, type[PlatformError]] = {
    Code.INVALID_ARGUMENT: InvalidSpec,
    Code.UNAUTHENTICATED: Unauthenticated,
    Code.PERMISSION_DENIED: PermissionDenied,
    Code.NOT_FOUND: NotFound,
    Code.ALREADY_EXISTS: AlreadyExists,
    Code.FAILED_PRECONDITION: Refused,
    Code.RESOURCE_EXHAUSTED: QuotaExceeded,
    Code.ABORTED: StaleVersion,
    Code.UNAVAILABLE: ServerUnavailable,
    Code.DEADLINE_EXCEEDED: ProviderTimeout,
}


def from_reply(status: int, document: Any) -> PlatformError:
    """The error in a reply with HTTP `status`; also when the reply is not of our shape."""
    error = document.get("error") if isinstance(document, dict) else None
    if not isinstance(error, dict):
        return ServerUnavailable(
            f"the answer has HTTP status {status} and is not from a Runyard server",
            hint="see what listens at this address: `runyard doctor`",
        )
    message, hint = str(error.get("message", "")), str(error.get("hint", ""))
    kind = _BY_CODE.get(str(error.get("status", "")), PlatformError)
    if kind is Unauthenticated and not hint:
        hint = "RUNYARD_TOKEN must be a token of this server"
    raised = kind(message, hint=hint)
    raised.faults = tuple(fault_of(detail) for detail in error.get("details") or ())
    return raised


def fault_of(detail: Mapping[str, Any]) -> Fault:
    """A fault as the REST API writes it."""
    return Fault(
        path=str(detail.get("path", "")),
        value=str(detail.get("value", "")),
        expected=str(detail.get("expected", "")),
        hint=str(detail.get("hint", "")),
        file=str(detail.get("file", "")),
        line=int(detail.get("line") or 0),
        column=int(detail.get("column") or 0),
    )
