"""Far sides of channels: a mail server, and stand-ins for Slack, PagerDuty and a webhook's receiver
that keep their real limits and answer with their real statuses and words."""

from __future__ import annotations

import base64
import email
import email.policy
import hashlib
import hmac
import json
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from runyard.model.channels import ChannelSpec
from runyard.model.errors import PlatformError
from runyard.model.notice import Notice
from tests.support.certificates import Certified

PASSWORD = "correct-horse"
ROUTING_KEY = "0123456789abcdef0123456789abcdef"
KEY = "whsec_" + base64.b64encode(bytes(range(32))).decode()
Answer = tuple[int, str, dict[str, str]]


@dataclass(slots=True)
class KeptVoices:
    """Channels that keep what they are told; each raises what is next in `fails`, if anything."""

    told: list[tuple[str, str, Notice]] = field(default_factory=list)
    fails: dict[str, list[PlatformError]] = field(default_factory=dict)

    async def send(self, environment: str, name: str, spec: ChannelSpec, notice: Notice) -> None:
        """See `Voices.send`."""
        if self.fails.get(name):
            raise self.fails[name].pop(0)
        self.told.append((environment, name, notice))

    def by(self, name: str) -> list[Notice]:
        """What one channel was told, in order."""
        return [notice for _, told, notice in self.told if told == name]


@dataclass(slots=True)
class Taken:
    """One request as it came."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def document(self) -> Any:
        """Its JSON."""
        return json.loads(self.body)


@dataclass(slots=True)
class FarSide:
    """An HTTP server that judges what it is sent. `answers` are given first, whatever comes;
    `accepted` is what was taken, `taken` all that came."""

    judge: Callable[[Taken], Answer]
    port: int = 0
    answers: list[Answer] = field(default_factory=list)
    taken: list[Taken] = field(default_factory=list)
    accepted: list[Taken] = field(default_factory=list)

    def url(self, path: str = "/") -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}{path}"

    def answer(self, one: Taken) -> Answer:
        """What it says to a request."""
        self.taken.append(one)
        found = self.answers.pop(0) if self.answers else self.judge(one)
        if found[0] < 300:
            self.accepted.append(one)
        return found


@contextmanager
def far_side(judge: Callable[[Taken], Answer]) -> Iterator[FarSide]:
    """A far side that listens."""
    side = FarSide(judge)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # http.server's name for it
            length = int(self.headers["Content-Length"])
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, text, more = side.answer(Taken(self.path, headers, self.rfile.read(length)))
            content = text.encode()
            self.send_response(status)
            for name, value in {**more, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *words: Any) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    side.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield side
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


# -- Slack ---------------------------------------------------------------------------------------
def slack(one: Taken) -> Answer:
    """As an incoming webhook of Slack answers: plain words, 200 and `ok` when it is taken."""
    if not one.path.startswith("/services/T"):
        return 404, "no_service", {}
    try:
        document = one.document
    except ValueError:
        return 400, "invalid_payload", {}
    blocks = document.get("blocks", [])
    if not document.get("text") and not blocks:
        return 400, "no_text", {}
    if len(blocks) > 50 or not all(_is_block(block) for block in blocks):
        return 400, "invalid_blocks", {}
    return 200, "ok", {}


def _is_block(block: Any) -> bool:
    match block:
        case {"type": "header", "text": {"type": "plain_text", "text": str(text)}}:
            return 0 < len(text) <= 150
        case {"type": "section", "text": {"type": "mrkdwn", "text": str(text)}}:
            return 0 < len(text) <= 3000
        case {"type": "section", "fields": list(fields)}:
            return 0 < len(fields) <= 10 and all(0 < len(one["text"]) <= 2000 for one in fields)
        case {"type": "actions", "elements": [{"type": "button", "url": str(url)}]}:
            return 0 < len(url) <= 3000
        case _:
            return False


# -- PagerDuty -----------------------------------------------------------------------------------
@dataclass(slots=True)
class PagerDutySide:
    """PagerDuty's Events API v2. `incidents`: the state of each, by its dedup key."""

    incidents: dict[str, str] = field(default_factory=dict)
    triggers: int = 0

    def judge(self, one: Taken) -> Answer:
        """202 with the key, or 400 with all that is wrong."""
        if len(one.body) > 512 * 1000:
            return 413, "", {}
        try:
            event = one.document
        except ValueError:
            return 400, '{"status": "invalid event", "message": "Event object is invalid"}', {}
        if wrong := self._wrong(event):
            said = {"status": "invalid event", "message": "Event object is invalid"}
            return 400, json.dumps(said | {"errors": wrong}), {}
        self._take(event)
        said = {"status": "success", "message": "Event processed"}
        return 202, json.dumps(said | {"dedup_key": event["dedup_key"]}), {}

    def _wrong(self, event: Any) -> list[str]:
        found = []
        if event.get("routing_key") != ROUTING_KEY:
            found.append("'routing_key' is missing or invalid")
        if event.get("event_action") not in ("trigger", "acknowledge", "resolve"):
            found.append("'event_action' is invalid")
        if not 0 < len(event.get("dedup_key", "")) <= 255:
            found.append("'dedup_key' is invalid (must be a string of at most 255)")
        if event.get("event_action") == "trigger":
            payload = event.get("payload", {})
            if not 0 < len(payload.get("summary", "")) <= 1024:
                found.append("'payload.summary' is missing or longer than 1024")
            if not payload.get("source"):
                found.append("'payload.source' is missing or blank")
            if payload.get("severity") not in ("critical", "error", "warning", "info"):
                found.append("'payload.severity' is invalid")
        return found

    def _take(self, event: Any) -> None:
        key, action = event["dedup_key"], event["event_action"]
        if action == "trigger":
            self.triggers += self.incidents.get(key) in (None, "resolved")
            if self.incidents.get(key) != "acknowledged":
                self.incidents[key] = "triggered"
        elif self.incidents.get(key, "resolved") != "resolved":  # else it is dropped, unseen
            self.incidents[key] = {"acknowledge": "acknowledged", "resolve": "resolved"}[action]


# -- a webhook's receiver ------------------------------------------------------------------------
def receiver(one: Taken) -> Answer:
    """Verifies as the specification of Standard Webhooks says; 401 to what does not hold."""
    said = f"{one.headers['webhook-id']}.{one.headers['webhook-timestamp']}.".encode() + one.body
    key = base64.b64decode(KEY.removeprefix("whsec_"))
    expected = base64.b64encode(hmac.new(key, said, hashlib.sha256).digest()).decode()
    versions = [each.split(",", 1) for each in one.headers["webhook-signature"].split()]
    held = any(v == "v1" and hmac.compare_digest(s, expected) for v, s in versions)
    return (200, "", {}) if held else (401, "bad signature", {})


# -- mail ----------------------------------------------------------------------------------------
@dataclass(slots=True)
class Post:
    """A mail server: what it got, and whether it takes mail."""

    port: int = 0
    got: list[EmailMessage] = field(default_factory=list)
    to: list[str] = field(default_factory=list)
    refuses: str = ""
    refuses_to: str = ""

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: Any
    ) -> str:
        """aiosmtpd's name for it."""
        if self.refuses_to:
            return self.refuses_to
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """aiosmtpd's name for it."""
        if self.refuses:
            return self.refuses
        assert isinstance(envelope.content, bytes)
        self.got.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
        self.to += envelope.rcpt_tos
        return "250 OK"


def _allows(
    _server: SMTP, _session: Session, _envelope: Envelope, _how: str, given: Any
) -> AuthResult:
    assert isinstance(given, LoginPassword)
    return AuthResult(success=given.password == PASSWORD.encode(), handled=False)


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def post(tls: Certified | None) -> Iterator[Post]:
    """A mail server that listens: over STARTTLS only and for who has the password, or without
    both."""
    handler = Post()
    controller = Controller(
        handler,
        hostname="127.0.0.1",
        port=free_port(),
        tls_context=tls.context if tls else None,
        require_starttls=tls is not None,
        auth_required=tls is not None,
        authenticator=_allows if tls else None,
    )
    controller.start()
    handler.port = controller.port
    try:
        yield handler
    finally:
        controller.stop()
