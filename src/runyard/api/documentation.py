"""/openapi.json and /docs: the whole API, readable without a network.

Swagger UI lies beside this file (Apache-2.0; see swagger_ui/NOTICE) and is served from here: no
other host is asked for anything, and the page's policy forbids it.
"""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from runyard.api.answer_schemas import shapes
from runyard.api.answers import answer
from runyard.api.body_schemas import schemas

_FILES = {
    "swagger-ui.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
    "start.js": "text/javascript",
    "LICENSE": "text/plain",
    "NOTICE": "text/plain",
    "swagger-ui-bundle.js.LICENSE.txt": "text/plain",
}
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Runyard's API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="docs/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
"""
# Styles: Swagger UI sets the style attribute of elements, which a policy can only allow as a whole.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
_SAFE = {"Content-Security-Policy": _POLICY}


def openapi(app: FastAPI) -> dict[str, Any]:
    """The description of `app`, made once."""
    if not app.openapi_schema:
        document = get_openapi(
            title=app.title, version=app.version, summary=app.summary, routes=app.routes
        )
        components = document.setdefault("components", {})
        made = components.get("schemas", {}) | shapes() | schemas()
        components["schemas"] = dict(sorted(made.items()))  # whichever part came first
        components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        for path, operations in document["paths"].items():
            _trim(path, operations)
        app.openapi_schema = document
    return app.openapi_schema


def _trim(path: str, operations: dict[str, Any]) -> None:
    """Say what needs a token, and leave out FastAPI's own error, which is never answered."""
    for operation in operations.values():
        operation["responses"].pop("422", None)
        if path.startswith("/api/") or path == "/metrics":
            operation["security"] = [{"token": []}]
        else:
            operation["responses"].pop("401", None)


async def _openapi(request: Request) -> Response:
    return answer(openapi(request.app))


async def _docs(_: Request) -> Response:
    return HTMLResponse(_PAGE, headers=_SAFE)


async def _file(request: Request) -> Response:
    name = request.path_params["name"]
    kind = _FILES.get(name)
    if kind is None:
        raise HTTPException(404)
    content = files("runyard.api.swagger_ui").joinpath(name).read_bytes()
    return Response(content, media_type=kind, headers={"Cache-Control": "max-age=3600"})


#: None of these needs a token. When the description is asked for, every part of the API is there.
documentation = APIRouter(
    routes=[
        Route("/openapi.json", _openapi),
        Route("/docs", _docs),
        Route("/docs/{name}", _file),
    ]
)
