"""Parts of the API that are imported when something of theirs is asked for first.

A server is asked for a run long before it is asked for its audit log, and most of what it took to
start was the making of classes for bodies and answers that nobody had asked for. So a part is a
module by its name, and the paths that may be its own. The first request to one of these waits until
the part is there, which is once; no other request does.

That the modules are there, that no path is missing, and which modules of ours are imported by name
at all, is held by tests.
"""

from __future__ import annotations

import asyncio
from bisect import bisect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from types import ModuleType

from fastapi import APIRouter, FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from runyard.api.rest.routes import PREFIX

EVERYTHING = "openapi.json"  #: describes every part
Import = Callable[[str], ModuleType]


@dataclass(frozen=True, slots=True)
class Part:
    """The router `name` of the module `runyard.api.<module>`.

    `places`: where its routes are. `jobs` is every path that begins with this word, `jobs…/metrics`
    those that also have `/metrics` further on. A place may be too wide, never too narrow.
    """

    module: str
    name: str
    places: tuple[str, ...]

    def router(self, load: Import = import_module) -> APIRouter:
        """Its router, imported now unless it is there. Raises whatever an import raises."""
        found: APIRouter = getattr(load(f"runyard.api.{self.module}"), self.name)
        return found


@dataclass(slots=True)
class Parts:
    """The parts of one app, in the order in which their routes are looked at. What is a router
    already is there from the start."""

    app: FastAPI
    order: Sequence[APIRouter | Part]
    load: Import = import_module
    _late: dict[int, Part] = field(default_factory=dict)
    _by_word: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    _there: list[int] = field(default_factory=list)
    _one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        for number, one in enumerate(self.order):
            if not isinstance(one, Part):
                self._add(number, one)
                continue
            self._late[number] = one
            for place in one.places:
                word, _, then = place.partition("…")
                self._by_word.setdefault(word, []).append((number, then))

    def wanted(self, path: str) -> list[int]:
        """The numbers of the parts that a request for `path` may be for, and that are not there."""
        word, rest = _split(path)
        if word == EVERYTHING:
            return list(self._late)
        found = self._by_word.get(word, ())
        return sorted({number for number, then in found if number in self._late and then in rest})

    async def have(self, path: str) -> None:
        """Wait until every part is there that a request for `path` may be for. Raises whatever an
        import raises; the next request tries again."""
        if not self.wanted(path):
            return
        async with self._one_at_a_time:
            for number in self.wanted(path):  # some may have come meanwhile
                found = await asyncio.to_thread(self._late[number].router, self.load)
                self._add(number, found)
                del self._late[number]

    def _add(self, number: int, router: APIRouter) -> None:
        """At its place among those that are there, so that it does not matter which came first."""
        self.app.include_router(router)
        at = bisect(self._there, number)
        routes = self.app.router.routes
        routes.insert(at, routes.pop())
        self._there.insert(at, number)


def _split(path: str) -> tuple[str, str]:
    """The first word of a path, below the prefix if it has that, and the rest."""
    own = path.removeprefix(PREFIX).removeprefix("/")
    word = own.partition("/")[0].partition(":")[0]
    return word, own[len(word) :]


class Late:
    """Has each request wait for its part."""

    def __init__(self, app: ASGIApp, parts: Callable[[], Parts]) -> None:
        self._app = app
        self._parts = parts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] == "http":
            await self._parts().have(scope["path"])
        await self._app(scope, receive, send)
