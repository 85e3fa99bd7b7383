"""Parts of the API come with their first request: once, in their place, and again after a fault."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Coroutine
from types import ModuleType, SimpleNamespace
from typing import Any, cast

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from starlette.middleware import Middleware
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Message

from runyard.api.app import PARTS, every_router
from runyard.api.documentation import openapi
from runyard.api.edge.last_resort import LastResort
from runyard.api.late import EVERYTHING, Late, Part, Parts

COWS = Part("rest.cows", "cows", ("cows", "fields…/cows"))
FIELDS = Part("rest.fields", "fields", ("fields",))


def router(*paths: str) -> APIRouter:
    """One that answers every path with its own."""
    made = APIRouter(prefix="/api/v1")
    for path in paths:

        def handler(text: str = path) -> Response:
            return Response(text)

        made.add_api_route(path, handler, methods=["GET"])
    return made


class Farm:
    """Two late parts beside one that is there, and how they are imported. `shut` holds imports up
    until it is set; as many of them fail as `faults` says."""

    def __init__(self, faults: int = 0) -> None:
        self.imported: Counter[str] = Counter()
        self.faults = faults
        self.begun, self.open = threading.Event(), threading.Event()
        self.open.set()
        parts: list[Parts] = []
        late = Middleware(Late, parts=lambda: parts[0])
        self.app = FastAPI(openapi_url=None, middleware=[Middleware(LastResort), late])
        self.parts = Parts(self.app, [router("/barns"), COWS, FIELDS], self.load)
        parts.append(self.parts)

    def load(self, name: str) -> ModuleType:
        """An import."""
        self.begun.set()
        assert self.open.wait(10)
        self.imported[name] += 1
        if self.faults:
            self.faults -= 1
            raise ImportError("no such cow")
        routers = {
            "runyard.api.rest.cows": router("/cows", "/cows/{name}", "/fields/{name}/cows"),
            "runyard.api.rest.fields": router("/fields", "/fields/{name}"),
        }
        return cast(ModuleType, SimpleNamespace(**{name.rpartition(".")[2]: routers[name]}))

    async def ask(self, path: str, method: str = "GET") -> tuple[int, str]:
        """The status and the text of an answer."""
        got: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Message) -> None:
            got.append(message)

        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": b"",
            "headers": [],
        }
        await self.app(scope, receive, send)
        body = b"".join(each.get("body", b"") for each in got)
        return got[0]["status"], body.decode()


def run(scene: Coroutine[Any, Any, Any]) -> Any:
    """What comes of it."""
    return asyncio.run(scene)


def test_the_first_request_has_its_part_imported_and_is_answered() -> None:
    farm = Farm()
    assert run(farm.ask("/api/v1/barns")) == (200, "/barns")
    assert farm.imported == {}
    assert run(farm.ask("/api/v1/cows")) == (200, "/cows")
    assert run(farm.ask("/api/v1/cows/anna")) == (200, "/cows/{name}")
    assert farm.imported == {"runyard.api.rest.cows": 1}


def test_two_first_requests_at_once_import_once() -> None:
    farm = Farm()
    farm.open.clear()

    async def scene() -> list[tuple[int, str]]:
        both = [asyncio.create_task(farm.ask("/api/v1/cows")) for _ in range(2)]
        await asyncio.to_thread(farm.begun.wait, 10)
        assert await farm.ask("/api/v1/barns") == (200, "/barns")  # nobody else waits
        farm.open.set()
        return await asyncio.gather(*both)

    assert run(scene()) == [(200, "/cows"), (200, "/cows")]
    assert farm.imported == {"runyard.api.rest.cows": 1}


def test_an_import_that_fails_is_a_fault_of_ours_and_is_tried_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    farm = Farm(faults=1)
    status, text = run(farm.ask("/api/v1/cows"))
    assert (status, "the server's log tells more" in text, "cow" in text) == (500, True, False)
    assert "no such cow" in caplog.text
    assert run(farm.ask("/api/v1/cows")) == (200, "/cows")
    assert farm.imported == {"runyard.api.rest.cows": 2}


def test_a_path_may_be_of_several_parts_and_waits_for_each() -> None:
    farm = Farm()
    assert run(farm.ask("/api/v1/fields/north/cows")) == (200, "/fields/{name}/cows")
    assert farm.imported.keys() == {"runyard.api.rest.cows", "runyard.api.rest.fields"}


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        ("/api/v1/cows", "POST", 405),
        ("/api/v1/cows/anna/milk", "GET", 404),
        ("/api/v1/sheep", "GET", 404),
        ("/cowshed", "GET", 404),
        ("", "GET", 404),
    ],
)
def test_what_there_is_not_is_not_there(path: str, method: str, status: int) -> None:
    assert run(Farm().ask(path, method))[0] == status


def test_whichever_comes_first_the_order_is_the_same() -> None:
    farm = Farm()
    run(farm.ask("/api/v1/fields"))
    run(farm.ask("/api/v1/cows"))
    described = list(farm.app.openapi()["paths"])
    words = [path.removeprefix("/api/v1/") for path in described]
    expected = ["barns", "cows", "cows/{name}", "fields/{name}/cows", "fields", "fields/{name}"]
    assert words == expected


def test_what_is_no_request_passes() -> None:
    passed = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        passed.append(scope["type"])

    def none() -> Parts:
        raise AssertionError("nobody asks for parts")

    run(Late(app, none)({"type": "lifespan"}, cast(Any, None), cast(Any, None)))
    assert passed == ["lifespan"]


# -- our own parts -------------------------------------------------------------------------------
def fresh() -> Parts:
    """The parts of an app that was asked for nothing yet."""
    return Parts(FastAPI(title="Runyard", version="1", openapi_url=None), PARTS)


def test_no_path_is_missed() -> None:
    """Every route is found by the part that it is in, whatever its names are."""
    parts = fresh()
    missed = []
    for number, (part, router) in enumerate(zip(PARTS, every_router(), strict=True)):
        for route in router.routes if isinstance(part, Part) else ():
            assert isinstance(route, Route | APIRoute)
            for name in ("x", "x:y", "metrics"):
                words = [name if word[:1] == "{" else word for word in _words(route.path)]
                if number not in parts.wanted("".join(words)):
                    missed.append((part, route.path))
    assert missed == []


def _words(path: str) -> list[str]:
    """`/a/{b}:c` as `/a/`, `{b}`, `:c`."""
    return [word for word in path.replace("{", "\0{").replace("}", "}\0").split("\0") if word]


@pytest.mark.parametrize("path", ["/api/v1/runs", "/api/v1/runs/x", "/ready", "/api/v1/status"])
def test_what_is_asked_for_most_waits_for_nothing(path: str) -> None:
    assert fresh().wanted(path) == []


def test_a_part_is_asked_for_alone() -> None:
    parts = fresh()
    (number,) = parts.wanted("/api/v1/topics/orders")
    assert PARTS[number] == Part("rest.topics", "topics", ("topics",))


def test_the_description_is_the_same_whichever_part_came_first() -> None:
    parts, others = fresh(), fresh()

    async def scene() -> None:
        for path in ("/api/v1/tokens", "/api/v1/jobs/x/metrics", "/api/v1/alerts"):
            await parts.have(path)
        await parts.have(f"/{EVERYTHING}")
        await others.have(f"/{EVERYTHING}")

    run(scene())
    assert parts.wanted(f"/{EVERYTHING}") == []
    one, other = openapi(parts.app), openapi(others.app)
    assert one == other
    assert list(one["paths"]) == list(other["paths"])
    assert list(one["components"]["schemas"]) == list(other["components"]["schemas"])
    assert len(one["paths"]) > 100
