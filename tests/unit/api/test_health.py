"""What an engine without a face answers."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from starlette.types import Message

from runyard.api.health import make_health_app
from runyard.model.errors import ServerUnavailable


def asked(path: str, word: str) -> tuple[int, Any]:
    """The answer of an engine that says `word` of itself; an empty one: it does not keep up."""

    async def look() -> str:
        if not word:
            raise ServerUnavailable("these loops have not looked lately: due")
        return word

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
        "headers": [],
        "root_path": "",
    }
    asyncio.run(make_health_app(look)(scope, receive, send))
    return sent[0]["status"], json.loads(sent[1]["body"])


@pytest.mark.parametrize("word", ["working", "standby"])
def test_it_says_how_it_is(word: str) -> None:
    assert asked("/ready", word) == (200, {"status": word})
    assert asked("/health", word) == (200, {"status": "ok"})


def test_one_that_does_not_keep_up_is_not_ready() -> None:
    status, answer = asked("/ready", "")
    assert (status, answer["error"]["status"]) == (503, "UNAVAILABLE")
    assert asked("/health", "")[0] == 200
