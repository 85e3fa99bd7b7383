"""Errors as Google's APIs answer them: google.rpc.Status in JSON, with what is wrong as BadRequest.

Sources: https://cloud.google.com/apis/design/errors and google/rpc/code.proto.
"""

from __future__ import annotations

from typing import Any

from runyard.model.errors import Code, PlatformError

# fmt: off
_CODES: dict[Code, tuple[int, int]] = {  # code: (its number, HTTP status)
    Code.CANCELLED:           (1, 499),
    Code.INVALID_ARGUMENT:    (3, 400),
    Code.DEADLINE_EXCEEDED:   (4, 504),
    Code.NOT_FOUND:           (5, 404),
    Code.ALREADY_EXISTS:      (6, 409),
    Code.PERMISSION_DENIED:   (7, 403),
    Code.RESOURCE_EXHAUSTED:  (8, 429),
    Code.FAILED_PRECONDITION: (9, 400),
    Code.ABORTED:             (10, 409),
    Code.INTERNAL:            (13, 500),
    Code.UNAVAILABLE:         (14, 503),
    Code.UNAUTHENTICATED:     (16, 401),
}
# fmt: on
UNKNOWN = 2  #: google.rpc.Code UNKNOWN, which no error of ours has


def number_of(code: Code) -> int:
    """The number of `code` in google.rpc.Code."""
    return _CODES[code][0]


def error_document(error: PlatformError) -> tuple[int, dict[str, Any]]:
    """The HTTP status and the body that tell of `error`."""
    status = _CODES[error.code][1]
    words = f"{error.message}: {error.hint}" if error.hint else error.message
    body: dict[str, Any] = {"code": status, "message": words, "status": str(error.code)}
    if error.faults:
        violations = [
            {"field": fault.path, "description": f"{_was(fault.value)}expected {fault.expected}"}
            for fault in error.faults
        ]
        kind = "type.googleapis.com/google.rpc.BadRequest"
        body["details"] = [{"@type": kind, "fieldViolations": violations}]
    return status, {"error": body}


def _was(value: str) -> str:
    return f"is {value}: " if value else ""
