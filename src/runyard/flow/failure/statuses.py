"""Status codes of gRPC and HTTP in a text, and the class each speaks of. Pure.

Google's codes: https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto, their
HTTP statuses with them. Other HTTP statuses: RFC 9110, RFC 6585 and RFC 4918; 402 is a bill that is
not paid, 499 nginx's client that closed, 509 a bandwidth that is used up, 598 and 599 proxies that
got no answer. They mean what the server that answered says, which is not the control plane here but
whoever the job called.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from runyard.flow.failure.saying import (
    APPLICATION,
    CANCELLED,
    CAPACITY,
    NETWORK,
    PERMISSION,
    PLATFORM,
    TIMEOUT,
    Meaning,
    Reader,
    Said,
    Whole,
)

# fmt: off
GRPC: dict[str, Meaning] = {
    "CANCELLED":           CANCELLED,
    "UNKNOWN":             PLATFORM,
    "INVALID_ARGUMENT":    APPLICATION,
    "DEADLINE_EXCEEDED":   TIMEOUT,
    "NOT_FOUND":           APPLICATION,
    "ALREADY_EXISTS":      APPLICATION,
    "PERMISSION_DENIED":   PERMISSION,
    "RESOURCE_EXHAUSTED":  CAPACITY,
    "FAILED_PRECONDITION": APPLICATION,
    "ABORTED":             PLATFORM,
    "OUT_OF_RANGE":        APPLICATION,
    "UNIMPLEMENTED":       APPLICATION,
    "INTERNAL":            PLATFORM,
    "UNAVAILABLE":         PLATFORM,
    "DATA_LOSS":           PLATFORM,
    "UNAUTHENTICATED":     PERMISSION,
}
HTTP: dict[int, Meaning] = {
    401: PERMISSION, 402: PERMISSION, 403: PERMISSION, 407: PERMISSION, 511: PERMISSION,
    408: TIMEOUT,    504: TIMEOUT,
    429: CAPACITY,   507: CAPACITY,   509: CAPACITY,
    499: CANCELLED,
    598: NETWORK,    599: NETWORK,
    501: APPLICATION, 505: APPLICATION,
}
# fmt: on
_NAMED = re.compile(
    r"(?:\bStatusCode\W{0,4}|\bstatus\W{1,6}(?!StatusCode)|\bcode ?[=:] ?\"?|rpc error: "
    r"|Status(?:Runtime)?Exception: |\bError: \d{1,2} |\bgax\.rpc\.|\bcode\W{1,3}\d{1,2} \("
    r"|\bexceptions\.(?=\w{1,40}: (?:\d{3}|None) ))"
    r"([A-Za-z_]{5,19}?)(?:Exception)?\b"
)
_NUMBERED = re.compile(
    r"grpc_status\W{1,4}(\d{1,2})\b|\brpc error: code = (\d{1,2}) |BadStatus: (\d{1,2}):"
)
_SPOKEN = (
    r"bad gateway|unauthorized|service (?:temporarily )?unavailable|internal server|gateway time"
    r"|forbidden|too many|not found|bad request|conflict|upstream|slow down"
    r"|request time|payment required|not implemented|insufficient storage|unprocessable"
)  #: the words beside a number (RFC 9110's phrases)
_HTTP = re.compile(
    # said as a status: status code 503, HTTP/1.1 403, (404) when, too many 503 error responses
    r"(?:\b(?:status|status ?code|code|HTTP(?:/\d(?:\.\d)?)?|HTTP ?Error|(?:API )?Error|returned"
    r"|response|responded|reached|got)\W{1,6}(?:with )?"
    r"(?:(?:a )?(?:HTTP )?(?:status|code)(?: of| code)?\W{1,3})?"
    # after an exception: as its name tells at the beginning, or of HTTP wherever it stands
    r"|^\s{0,20}(?:\w{1,40}[.:]{1,2}){0,12}\w{0,60}(?:Exception|Error|Denied|Exhausted|Exceeded"
    r"|Unavailable|Found|Forbidden|Request|Aborted|Conflict)\W{1,3}"
    r"|^\s{0,20}(?:\w{1,40}(?:\.|::)){1,12}(?!error_)[A-Z]\w{1,60}: "
    r"|\b\w{0,30}(?:Status|HTTP|Response|Server|Client|API|Transport)\w{0,20}"
    r"(?:Exception|Error)\W{1,3}|error occurred \(|too many )([45]\d\d)\b(?!\.\d)"
    # before its own words
    rf"|\b([45]\d\d)\)?[:,]? ?(?:- |\W)?(?:(?:client|server) (?:error|unavailable)|{_SPOKEN})"
    r"|\bE([45]\d\d)\b|\b([45]\d\d): HTTP",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"(?<!\d)[45]\d\d(?!\d)")
_MAY_HAVE = re.compile(
    r"(?<!\d)[45]\d\d(?!\d)|(?i:status|code)|rpc error|Error: \d|exceptions\.|gax\.rpc"
)
_NAMES = {name.replace("_", "").lower(): name for name in GRPC}
_SAID = {name: Said(f"status {name}", *meaning) for name, meaning in GRPC.items()}
_BY_NUMBER = list(GRPC)


_BROAD = {PLATFORM[0], APPLICATION[0]}


class Clear:
    """The first status that says it by itself, whatever else stands beside it: who may not, what is
    used up, what was too late, who called off."""

    def reader(self, whole: Whole) -> Reader | None:
        return _clear if _MAY_HAVE.search(whole.text) else None


class Broad:
    """The first status of any kind: a fault of the server, or of what was asked of it."""

    def reader(self, whole: Whole) -> Reader | None:
        return _broad if _MAY_HAVE.search(whole.text) else None


def _clear(text: str) -> Said | None:
    return next((said for said in _all(text) if said.failure_class not in _BROAD), None)


def _broad(text: str) -> Said | None:
    return next(_all(text), None)


def _all(text: str) -> Iterator[Said]:
    for match in _NAMED.finditer(text):
        name = _NAMES.get(match[1].replace("_", "").lower())
        if name is not None:
            yield _SAID[name]
    for match in _NUMBERED.finditer(text):
        number = int(match[1] or match[2] or match[3])
        if 1 <= number <= len(_BY_NUMBER):
            yield _SAID[_BY_NUMBER[number - 1]]
    for match in _HTTP.finditer(text) if _NUMBER.search(text) else ():
        code = next(filter(None, match.groups()))
        yield Said(f"status {code}", *_meaning(int(code)))


def _meaning(code: int) -> Meaning:
    return HTTP.get(code, PLATFORM if code >= 500 else APPLICATION)
