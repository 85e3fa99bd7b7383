"""What an engine without a face answers."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from starlette.types import Message

from runyard.api.health import make_health_app
from runyard.model.audit import Origin
from runyard.model.errors import ServerUnavailable, StoreUnavailable, Unauthenticated
from runyard.model.principal import Caller, Grant, Role
from tests.support.runs import NOW

GOOD, POOR = "good-token", "poor-token"


class Known:
    """Somebody who may read metrics, and somebody who may nothing."""

    def is_costly(self, text: str) -> bool:
        """See `bearer.Asked`."""
        return False

    async def caller(self, text: str, origin: Origin) -> Caller:
        """See `bearer.Asked`."""
        grants = {GOOD: (Grant(Role.VIEWER),), POOR: ()}
        if text not in grants:
            raise Unauthenticated("this token is not known")
        return Caller("ann", grants[text], origin=origin)


def asked(path: str, word: str = "working", token: str = "") -> tuple[int, bytes]:
    """The answer of an engine that says `word` of itself; an empty one: it does not keep up, and
    its database does not answer."""

    async def look() -> str:
        if not word:
            raise ServerUnavailable("these loops have not looked lately: due")
        return word

    async def measured() -> bytes:
        if not word:
            raise StoreUnavailable("the database does not answer")
        return b"runyard_runs 1\n"

    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"authorization", f"Bearer {token}".encode())] if token else [],
        "root_path": "",
    }

    async def one() -> None:
        await make_health_app(look, measured, Known(), lambda: NOW)(scope, receive, send)

    asyncio.run(one())
    return sent[0]["status"], sent[1]["body"]


def said(answer: tuple[int, bytes]) -> tuple[int, Any]:
    """With the body as a document."""
    return answer[0], json.loads(answer[1])


@pytest.mark.parametrize("word", ["working", "standby"])
def test_it_says_how_it_is(word: str) -> None:
    assert said(asked("/ready", word)) == (200, {"status": word})
    assert said(asked("/health", word)) == (200, {"status": "ok"})


def test_one_that_does_not_keep_up_is_not_ready() -> None:
    status, answer = said(asked("/ready", ""))
    assert (status, answer["error"]["status"]) == (503, "UNAVAILABLE")
    assert asked("/health", "")[0] == 200


def test_what_it_measures_is_for_who_shows_a_token_that_may_read_it() -> None:
    assert asked("/metrics", token=GOOD) == (200, b"runyard_runs 1\n")
    assert asked("/metrics")[0] == 401
    assert asked("/metrics", token="wrong")[0] == 401
    assert asked("/metrics", token=POOR)[0] == 403


def test_metrics_without_the_database_are_away() -> None:
    status, answer = said(asked("/metrics", "", GOOD))
    assert (status, answer["error"]["message"]) == (503, "the database does not answer")
