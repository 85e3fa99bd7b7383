"""How routes are declared: every answer names its shapes, the error's too."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends

from runyard.api.reading import each_once
from runyard.api.shapes import ErrorShape

PREFIX = "/api/v1"
_WORDS = {
    400: "Something of the request is wrong; `details` names every fault.",
    401: "No token, or one that is not good.",
    403: "You may not; the message says what is missing. Or a name in the Host header that this "
    "server does not have.",
    404: "There is no such thing.",
    409: "There is one already, and it is a different one.",
    412: "The state of things forbids it.",
    413: "The body is too large.",
    429: "A limit is reached, too many wrong tokens came, or a disk is full.",
    500: "This should not have happened; the message has an id that is in the server's log.",
    503: "The database or the provider does not answer.",
}
_ALWAYS = (400, 401, 403, 429, 500, 503)


def errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that may also answer with `statuses`."""
    return {
        status: {"model": ErrorShape, "description": _WORDS[status]}
        for status in sorted({*_ALWAYS, *statuses})
    }


def router(tag: str, prefix: str = PREFIX) -> APIRouter:
    """A router whose routes have `tag` in the documentation."""
    once = [Depends(each_once)]
    return APIRouter(prefix=prefix, tags=[tag], redirect_slashes=False, dependencies=once)
