"""Status codes of gRPC and HTTP in a line of a log, and the class each speaks of. Pure.

Google's codes: https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto, their
HTTP statuses with them. Other HTTP statuses: RFC 9110. 429 and 503 mean what the server that
answered says, which is not the control plane here but whoever the job called.
"""

from __future__ import annotations

import re

from runyard.model.failure import FailureClass, Shortage

F = FailureClass
Found = tuple[str, FailureClass, Shortage | None]  #: the code as it stands, and what it means

# fmt: off
GRPC: dict[str, FailureClass] = {
    "CANCELLED":           F.CANCELLED,
    "UNKNOWN":             F.PLATFORM,
    "INVALID_ARGUMENT":    F.APPLICATION,
    "DEADLINE_EXCEEDED":   F.TIMEOUT,
    "NOT_FOUND":           F.APPLICATION,
    "ALREADY_EXISTS":      F.APPLICATION,
    "PERMISSION_DENIED":   F.PERMISSION,
    "RESOURCE_EXHAUSTED":  F.RESOURCE,
    "FAILED_PRECONDITION": F.APPLICATION,
    "ABORTED":             F.PLATFORM,
    "OUT_OF_RANGE":        F.APPLICATION,
    "UNIMPLEMENTED":       F.APPLICATION,
    "INTERNAL":            F.PLATFORM,
    "UNAVAILABLE":         F.PLATFORM,
    "DATA_LOSS":           F.PLATFORM,
    "UNAUTHENTICATED":     F.PERMISSION,
}
HTTP: dict[int, FailureClass] = {
    401: F.PERMISSION, 403: F.PERMISSION, 407: F.PERMISSION,
    408: F.TIMEOUT,    504: F.TIMEOUT,
    429: F.RESOURCE,   507: F.RESOURCE,
    499: F.CANCELLED,
}
# fmt: on
_GRPC = re.compile(
    r"(?:StatusCode\W{0,4}|\bstatus\W{1,6}(?!StatusCode)|\bcode ?[=:] ?|rpc error: "
    r"|StatusRuntimeException: )"
    r"([A-Za-z_]{5,19})\b"
)
_NUMBER = re.compile(r"grpc_status\W{1,4}(\d{1,2})\b")
_HTTP = re.compile(
    r"(?:\b(?:status|status ?code|code|HTTP(?:/\d(?:\.\d)?)?|HTTP ?Error|Error|returned|response)"
    r"\W{1,6}"
    r"|^\s*(?:\w+[.:])*\w*(?:Exception|Error|Denied|Exhausted|Exceeded|Unavailable|Found|Forbidden"
    r"|Request|Aborted|Conflict)\W{1,3})([45]\d\d)\b"
    r"|\b([45]\d\d):? (?:(?:client|server) error|bad gateway|service (?:temporarily )?unavailable"
    r"|internal server|gateway time|forbidden|unauthorized|too many|not found|bad request"
    r"|conflict)",
    re.IGNORECASE,
)
_NAMES = {name.replace("_", "").lower(): name for name in GRPC}


def status(line: str) -> Found | None:
    """What the status in `line` speaks of; None where there is none."""
    named = next((_NAMES[word] for word in _words(line) if word in _NAMES), "")
    if not named and (number := _NUMBER.search(line)) and int(number[1]) in range(1, 17):
        named = list(GRPC)[int(number[1]) - 1]
    if named:
        return named, GRPC[named], _shortage(GRPC[named])
    found = _HTTP.search(line)
    if found is None:
        return None
    code = int(found[1] or found[2])
    meant = HTTP.get(code, F.PLATFORM if code >= 500 else F.APPLICATION)
    return str(code), meant, _shortage(meant)


def _words(line: str) -> list[str]:
    return [match[1].replace("_", "").lower() for match in _GRPC.finditer(line)]


def _shortage(meant: FailureClass) -> Shortage | None:
    return Shortage.CAPACITY if meant is F.RESOURCE else None
