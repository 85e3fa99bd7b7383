"""What every request passes, met without a network: plain ASGI in, plain ASGI out."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import Any

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from runyard.api.edge import size
from runyard.api.edge.bearer import (
    ADDRESSES_MAX,
    FAILURES_AT_ONCE,
    FAILURES_PER_SECOND,
    Bearer,
    Failures,
)
from runyard.api.edge.headers import UsualHeaders
from runyard.api.edge.host import HostCheck
from runyard.api.edge.last_resort import LastResort
from runyard.api.edge.size import BodyLimit
from runyard.api.queries import RunsQuery
from runyard.model.audit import Origin
from runyard.model.errors import Unauthenticated
from runyard.model.principal import Caller
from tests.support.runs import NOW

OK: list[Message] = [
    {"type": "http.response.start", "status": 200, "headers": []},
    {"type": "http.response.body", "body": b"ok"},
]


class Known:
    """Knows one token."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def is_costly(self, text: str) -> bool:
        """See `Asked`."""
        return text == "costly"

    async def caller(self, text: str, origin: Origin) -> Caller:
        """See `Asked`."""
        self.asked.append(text)
        if text != "good":
            raise Unauthenticated("not known")
        return Caller("ci", (), origin=origin)


class App:
    """Reads the whole body, then sends `messages`, then perhaps fails."""

    def __init__(self, messages: list[Message] | None = None, failure: str = "") -> None:
        self.messages = OK if messages is None else messages
        self.failure = failure
        self.scopes: list[Scope] = []
        self.body = b""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        self.scopes.append(scope)
        more = scope["type"] == "http"
        while more:
            message = await receive()
            self.body += message.get("body", b"")
            more = message.get("more_body", False)
        for message in self.messages:
            await send(dict(message))
        if self.failure:
            raise RuntimeError(self.failure)


def asked(
    app: ASGIApp,
    chunks: tuple[bytes, ...] = (b"",),
    headers: dict[str, str] | None = None,
    kind: str = "http",
) -> tuple[list[Message], int]:
    """What `app` sent, and how many chunks of the body were taken."""
    taken, sent = 0, []

    async def receive() -> Message:
        nonlocal taken
        if taken == len(chunks):
            return {"type": "http.disconnect"}
        taken += 1
        more = taken < len(chunks)
        return {"type": "http.request", "body": chunks[taken - 1], "more_body": more}

    async def send(message: Message) -> None:
        sent.append(message)

    pairs = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
    scope = {"type": kind, "method": "POST", "path": "/api/v1/runs", "headers": pairs}

    async def one() -> None:
        await app(scope, receive, send)

    asyncio.run(one())
    return sent, taken


@pytest.mark.parametrize("kind", ["lifespan", "websocket"])
def test_what_is_no_request_passes(kind: str) -> None:
    app = App([])
    edges: list[ASGIApp] = [
        LastResort(app),
        UsualHeaders(app),
        HostCheck(app, frozenset()),
        BodyLimit(app, 1),
        Bearer(app, Known(), lambda: NOW),
    ]
    for edge in edges:
        asked(edge, kind=kind)
    assert len(app.scopes) == len(edges)
    with pytest.raises(RuntimeError):
        asked(LastResort(App([], failure="at start")), kind=kind)


def test_a_failure_after_the_answer_has_begun_breaks_it_off(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.ERROR, "runyard.api"):
        sent, _ = asked(LastResort(App(OK[:1], failure="half-way")))
    assert sent == OK[:1]
    assert "half-way" in caplog.text


def test_an_answer_keeps_what_it_says_itself() -> None:
    own = [(b"cache-control", b"max-age=1")]
    sent, _ = asked(UsualHeaders(App([{**OK[0], "headers": own}, OK[1]])))
    headers = dict(sent[0]["headers"])
    assert headers[b"cache-control"] == b"max-age=1"
    assert headers[b"x-content-type-options"] == b"nosniff"


@pytest.mark.parametrize("length", ["11", "9" * 5000, "99"])
def test_a_length_over_the_limit_never_reaches_the_app(length: str) -> None:
    app = App()
    sent, _ = asked(BodyLimit(app, 10), (b"x" * 11,), {"content-length": length})
    assert sent[0]["status"] == 413
    assert app.scopes == []


@pytest.mark.parametrize("length", ["", "-1", "ten"])
def test_a_length_that_lies_does_not_help(length: str) -> None:
    app = App()
    chunks = (b"x" * 6, b"x" * 6, b"x" * 6)
    sent, taken = asked(BodyLimit(app, 10), chunks, {"content-length": length})
    assert [one.get("status") for one in sent] == [413, None]
    assert app.body == b"x" * 6
    assert taken == 3  # read to its end, so that who sends reads the answer


def test_a_body_at_the_limit_is_let_in() -> None:
    app = App()
    assert asked(BodyLimit(app, 10), (b"x" * 5, b"x" * 5), {"content-length": "10"})[0] == OK
    assert app.body == b"x" * 10


def test_who_waits_for_the_go_ahead_is_not_read() -> None:
    headers = {"content-length": "11", "expect": "100-continue"}
    assert asked(BodyLimit(App(), 10), (b"x" * 11,), headers)[1] == 0


def test_not_even_a_refused_body_is_read_for_ever() -> None:
    chunk = bytes(16 * 1024 * 1024)
    chunks = (chunk,) * 20
    _, taken = asked(BodyLimit(App(), 10), chunks, {"content-length": "11"})
    assert taken * len(chunk) == size.DRAINED_BYTES_MAX


def test_who_asks_stands_in_the_state() -> None:
    app = App()
    headers = {"authorization": "Bearer good", "user-agent": "curl/8\x07" + "x" * 300}
    asked(Bearer(app, Known(), lambda: NOW), headers=headers)
    state = app.scopes[0]["state"]
    assert state["caller"].name == "ci"
    assert state["caller"].origin == Origin("", "curl/8" + "x" * 193)
    assert asyncio.run(state["recheck"]()) == state["caller"]


def test_who_shows_many_wrong_tokens_is_held_up_and_a_good_one_still_gets_in() -> None:
    now = [NOW]
    known = Known()
    bearer = Bearer(App(), known, lambda: now[0])

    def status(token: str) -> int:
        sent, _ = asked(bearer, headers={"authorization": f"Bearer {token}"})
        found: int = sent[0]["status"]
        return found

    assert [status("wrong") for _ in range(FAILURES_AT_ONCE)] == [401] * FAILURES_AT_ONCE
    assert status("wrong") == 429
    looked_at = len(known.asked)
    assert status("costly") == 429
    assert len(known.asked) == looked_at
    assert status("good") == 200
    now[0] += timedelta(seconds=3 / FAILURES_PER_SECOND)
    assert [status("costly") for _ in range(4)] == [401, 401, 401, 429]
    now[0] += timedelta(hours=1)
    assert [status("wrong") for _ in range(FAILURES_AT_ONCE + 1)][-2:] == [401, 429]


def test_not_every_address_that_ever_failed_is_remembered() -> None:
    failures = Failures(lambda: NOW)
    for _ in range(FAILURES_AT_ONCE):
        failures.note("10.0.0.1")
    assert failures.is_held_up("10.0.0.1")
    for number in range(ADDRESSES_MAX):
        failures.note(f"address-{number}")
    assert not failures.is_held_up("10.0.0.1")


@pytest.mark.parametrize(
    "text", ["", "today", "2026-01-01", "2026-01-01T00:00:00", "0001-01-01T00:00:00+23:00"]
)
def test_what_is_no_instant_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="an instant of RFC 3339"):
        RunsQuery.model_validate({"since": text})


def test_an_instant_is_read_in_utc() -> None:
    query: Any = RunsQuery.model_validate({"since": "2026-01-01T01:00:00+01:00"})
    assert query.since.isoformat() == "2026-01-01T00:00:00+00:00"
