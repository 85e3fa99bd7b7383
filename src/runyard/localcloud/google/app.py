"""The Cloud Run Admin API v2 as a web application: HTTP and JSON, one path at a time; and of Cloud
Logging what reads the logs of executions."""

from __future__ import annotations

import hmac
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from runyard.localcloud.cloudrun.cloud import CloudRun
from runyard.localcloud.google import entries, executions, jobs, tasks, waiting
from runyard.localcloud.google.errors import error_document
from runyard.localcloud.google.face import Face, Method, Methods
from runyard.localcloud.google.messages import message
from runyard.localcloud.google.names import wrong
from runyard.localcloud.google.operations import Operations
from runyard.localcloud.google.removing import Removal
from runyard.localcloud.google.shapes import JsonMap
from runyard.localcloud.google.watching import Watch
from runyard.model.errors import InvalidSpec, NotFound, PlatformError, Unauthenticated

METHODS: Methods = (
    *waiting.METHODS,
    *tasks.METHODS,
    *executions.METHODS,
    *jobs.METHODS,
    *entries.METHODS,
)
_log = logging.getLogger(__name__)
BODY_BYTES_MAX = 4 * 2**20  #: of a request: far more than any job that Cloud Run would take


@asynccontextmanager
async def google_app(
    cloud: CloudRun, *, chance: Callable[[int], int], token: str = ""
) -> AsyncIterator[ASGIApp]:
    """Google's face of `cloud`. With `token`, it asks everybody for it as a bearer token.

    `chance(bits)` gives a random number of so many bits. What is deleted in the background is let
    go when the block ends.
    """
    watch = Watch(cloud)
    removal = Removal(cloud, watch)
    face = Face(cloud, watch, removal, Operations(cloud, watch, removal, chance))
    try:
        yield _Answering(face, token)
    finally:
        await removal.close()


class _Answering:
    """Answers every request: finds its method, reads its message, says what comes of it."""

    def __init__(self, face: Face, token: str) -> None:
        self._face = face
        self._token = token.encode()
        self._patterns = [(method, method.pattern()) for method in METHODS]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        response = await self._response(Request(scope, receive))
        await response(scope, receive, send)

    async def _response(self, request: Request) -> Response:
        try:
            self._check(request.headers.get("authorization", ""))
            return _answer(200, await self._answered(request))
        except PlatformError as error:
            return _answer(*error_document(error))
        except ClientDisconnect:
            return Response(status_code=499)  # nobody reads it
        except Exception:
            _log.exception("%s %s failed", request.method, request.url.path)
            return _answer(*error_document(PlatformError("an internal error, which was logged")))

    def _check(self, shown: str) -> None:
        if not self._token:
            return
        scheme, _, token = shown.partition(" ")
        known = hmac.compare_digest(token.strip().encode("utf-8", "replace"), self._token)
        if scheme.lower() != "bearer" or not known:
            raise Unauthenticated(
                "the request has no valid bearer token",
                hint="send the token of the Google API of this cloud",
            )

    async def _answered(self, request: Request) -> JsonMap:
        method, said = self._method(request.method, request.url.path)
        if method.body:
            body = await _body(request)
            said = {**body, **said} if method.body == "*" else {method.body: body, **said}
        asked = message(method.request, said, request.query_params)
        answer: JsonMap = await method.answer(self._face, asked)
        return answer

    def _method(self, verb: str, path: str) -> tuple[Method[Any], dict[str, Any]]:
        for method, pattern in self._patterns:
            found = pattern.fullmatch(path) if method.verb == verb else None
            if found is not None:
                return method, dict(found.groupdict())
        raise NotFound(
            f"there is nothing for {verb} at {path[:200]}",
            hint="this is the Cloud Run Admin API v2: jobs, executions, tasks and operations; "
            "and of Cloud Logging's API v2 the list of entries",
        )


async def _body(request: Request) -> Mapping[str, Any]:
    """The JSON object that is sent; nothing is an empty one. Raises InvalidSpec."""
    text = bytearray()
    async for part in request.stream():
        text += part
        if len(text) > BODY_BYTES_MAX:
            raise wrong("body", f"more than {BODY_BYTES_MAX} bytes", "less than that")
    if not text.strip():
        return {}
    try:
        body = orjson.loads(bytes(text))
    except ValueError as error:
        raise InvalidSpec(f"the body is no JSON: {error}") from None
    if not isinstance(body, dict):
        raise InvalidSpec("the body is no JSON object")
    return body


def _answer(status: int, document: JsonMap) -> Response:
    headers = {"www-authenticate": 'Bearer realm="google"'} if status == 401 else {}
    return Response(orjson.dumps(document), status, headers, media_type="application/json")
