"""The one shape of every error, and the way of each exception into it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, cast

from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from runyard.api.answers import answer
from runyard.model.codes import http_status
from runyard.model.errors import Code, Fault, PlatformError

#: HTTP statuses that no code of ours has, and the code whose meaning is nearest.
_NEAREST = {
    404: Code.NOT_FOUND,
    405: Code.INVALID_ARGUMENT,
    413: Code.INVALID_ARGUMENT,
}


def error_document(
    status: int, code: Code, message: str, hint: str = "", faults: Sequence[Fault] = ()
) -> dict[str, Any]:
    """The body of an error."""
    return {
        "error": {
            "code": status,
            "status": code.value,
            "message": message,
            "hint": hint,
            "details": [asdict(fault) for fault in faults],
        }
    }


def error_answer(error: PlatformError, status: int | None = None) -> Response:
    """`error` as a response, with its code's HTTP status unless another one is given."""
    status = status or http_status(error.code)
    body = error_document(status, error.code, error.message, error.hint, error.faults)
    headers = {"WWW-Authenticate": 'Bearer realm="runyard"'} if status == 401 else {}
    if error.transient or status == 429:
        headers["Retry-After"] = "1"
    return answer(body, status, headers)


def add_handlers(app: FastAPI) -> None:
    """Answer every deliberate exception in the one shape."""
    app.add_exception_handler(PlatformError, _platform_error)
    app.add_exception_handler(HTTPException, _http_error)


async def _platform_error(_: Request, error: Exception) -> Response:
    return error_answer(cast(PlatformError, error))


async def _http_error(request: Request, error: Exception) -> Response:
    """What the router says by itself: no such route, no such method."""
    fault = cast(HTTPException, error)
    status = fault.status_code
    where = f"{request.method} {request.url.path}"
    words = {404: f"there is nothing at {where}", 405: f"this method is not for {where}"}
    message, hint = words.get(status, str(fault.detail)), "the API is described at /docs"
    body = error_document(status, _NEAREST.get(status, Code.INVALID_ARGUMENT), message, hint)
    return answer(body, status, dict(fault.headers or {}))
