"""How routes are declared: every answer names its shapes, the error's too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Depends

from runyard.api.answer_schemas import content, is_shape
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
Responses = dict[int | str, dict[str, Any]]
_ALWAYS = (400, 401, 403, 429, 500, 503)


def errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that may also answer with `statuses`."""
    return {
        status: {"model": ErrorShape, "description": _WORDS[status]}
        for status in sorted({*_ALWAYS, *statuses})
    }


class Router(APIRouter):
    """Tells the documentation of shapes by their names, and makes nothing of them: FastAPI would
    build a validator for every answer of every route, a fifth of the time to start, for answers
    that are encoded by us. `documentation` adds the schemas when somebody asks for them."""

    def add_api_route(
        self,
        path: str,
        endpoint: Callable[..., Any],
        *,
        response_model: Any = None,
        responses: Responses | None = None,
        status_code: int | None = None,
        **rest: Any,
    ) -> None:
        """See `APIRouter.add_api_route`."""
        told = {status: _told(one) for status, one in (responses or {}).items()}
        if is_shape(response_model):
            told.setdefault(status_code or 200, {})["content"] = content(response_model)
        super().add_api_route(
            path, endpoint, response_model=None, responses=told, status_code=status_code, **rest
        )


def _told(response: dict[str, Any]) -> dict[str, Any]:
    if "model" not in response:
        return response
    rest = {key: value for key, value in response.items() if key != "model"}
    return rest | {"content": content(response["model"])}


def router(tag: str, prefix: str = PREFIX) -> Router:
    """A router whose routes have `tag` in the documentation."""
    once = [Depends(each_once)]
    return Router(prefix=prefix, tags=[tag], redirect_slashes=False, dependencies=once)
