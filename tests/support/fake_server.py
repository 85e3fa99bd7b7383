"""A stand-in for a Runyard server: it answers by the REST contract and is a fake.

It keeps what it is given in memory and decides nothing. Its answers can be scripted (`replies`),
and its streams of events too, down to a connection that breaks in the middle (`BREAK`). It says in
its `Server` header and in its version that it is a fake.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

Document = dict[str, Any]
TOKEN = "token-of-the-fake"
BREAK = "break"  #: in a script of events: close the connection without an end


@dataclass(slots=True)
class Request:
    """What was asked for."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: Any


@dataclass(slots=True)
class Event:
    """One scripted server-sent event."""

    id: str
    kind: str
    data: Document


@dataclass(slots=True)
class FakeServer:
    """Its memory, its scripts, and all that it was asked."""

    url: str = ""
    jobs: list[Document] = field(default_factory=list)
    runs: list[Document] = field(default_factory=list)
    secrets: dict[str, list[str]] = field(default_factory=dict)
    replies: dict[tuple[str, str], tuple[int, Document]] = field(default_factory=dict)
    #: For each run: one script for each connection, in order; the last one is used again.
    streams: dict[str, list[list[Event | str]]] = field(default_factory=dict)
    logs: dict[str, list[Document]] = field(default_factory=dict)
    late_reads: int = 0
    requests: list[Request] = field(default_factory=list)

    def asked(self, method: str, path: str) -> list[Request]:
        """The requests for `path` (below /api/v1) so far."""
        return [one for one in self.requests if (one.method, one.path) == (method, path)]

    def answer(self, request: Request) -> tuple[int, Document]:
        """Status and document for a request that is no stream."""
        scripted = self.replies.get((request.method, request.path))
        if scripted is not None:
            return scripted
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return error(401, "UNAUTHENTICATED", "this token is not known here")
        parts = request.path.strip("/").split("/")
        answers = {"runs": self._runs, "jobs": self._jobs, "secrets": self._secrets}
        if parts == ["status"]:
            return 200, _status()
        if parts[0] in answers:
            return answers[parts[0]](request, parts[1:])
        return error(404, "NOT_FOUND", f"no route {request.path}")

    def _runs(self, request: Request, rest: list[str]) -> tuple[int, Document]:
        if not rest and request.method == "POST":
            made = a_run(job=request.body["job"], id=f"run_{len(self.runs):026d}")
            self.runs.append(made)
            return 201, {"runs": [made]}
        if not rest:
            return 200, self._listed(request)
        identity, _, verb = rest[0].partition(":")
        run = next((one for one in self.runs if one["id"] == identity), None)
        if run is None:
            return error(404, "NOT_FOUND", f"no run {identity}")
        if verb == "cancel":
            run["state"] = "stopping"
            return 200, run
        if rest[1:] == ["log"]:
            return 200, self._log(request, identity)
        if rest[1:] == ["explanation"]:
            return 200, {"run": run, "sentences": ["It was asked for by hand.", "It succeeded."]}
        return 200, run | {"attempts": []}

    def _listed(self, request: Request) -> Document:
        query = request.query
        since, until = query.get("since", [""])[0], query.get("until", ["9"])[0]
        found = [run for run in self.runs if since <= run["requested_at"] <= until]
        if "state" in query:
            found = [run for run in found if run["state"] in query["state"]]
        found.sort(key=lambda run: run["requested_at"], reverse=True)
        first = int(query.get("page_token", ["0"])[0])
        last = first + int(query.get("page_size", ["50"])[0])
        return {
            "runs": found[first:last],
            "next_page_token": str(last) if last < len(found) else "",
        }

    def _log(self, request: Request, identity: str) -> Document:
        after = int(request.query.get("after", ["0"])[0])
        limit = int(request.query.get("limit", ["1000"])[0])
        entries = [one for one in self.logs.get(identity, []) if one["position"] > after][:limit]
        last = entries[-1]["position"] if entries else after
        ended = bool(entries) or self.late_reads <= 0
        self.late_reads -= not entries
        return {"attempt": 1, "entries": entries, "after": last, "ended": ended}

    def _jobs(self, request: Request, rest: list[str]) -> tuple[int, Document]:
        if not rest:
            return 200, {"jobs": self.jobs, "next_page_token": ""}
        job = next((one for one in self.jobs if one["name"] == unquote(rest[0])), None)
        return (200, job) if job else error(404, "NOT_FOUND", f"no job {rest[0]}")

    def _secrets(self, request: Request, rest: list[str]) -> tuple[int, Document]:
        if not rest and request.method == "POST":
            name = request.body["name"]
            if name in self.secrets:
                return error(409, "ALREADY_EXISTS", f"there is a secret {name} already")
            self.secrets[name] = [request.body["value_base64"]]
            return 200, {"name": name, "version": 1}
        if not rest:
            rows = [{"name": name, "version": len(all_)} for name, all_ in self.secrets.items()]
            return 200, {"secrets": rows}
        name = rest[0].removesuffix(":addVersion")
        if name not in self.secrets:
            return error(404, "NOT_FOUND", f"there is no secret {name}")
        self.secrets[name].append(request.body["value_base64"])
        return 200, {"name": name, "version": len(self.secrets[name])}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "fake-runyard"
    fake: FakeServer

    def log_message(self, *args: object) -> None:
        """Nothing: the tests read `requests`."""

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        request = Request(
            self.command,
            parts.path.removeprefix("/api/v1"),
            parse_qs(parts.query),
            {name.lower(): value for name, value in self.headers.items()},
            json.loads(content) if content else None,
        )
        self.fake.requests.append(request)
        if request.path.endswith("/events") and (request.method, request.path) not in (
            self.fake.replies
        ):
            self._stream(request)
            return
        status, document = self.fake.answer(request)
        reply = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(reply)))
        self.end_headers()
        self.wfile.write(reply)

    def _stream(self, request: Request) -> None:
        scripts = self.fake.streams[request.path.split("/")[2]]
        script = scripts.pop(0) if len(scripts) > 1 else scripts[0]
        self.close_connection = True
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(b": hello\n\n")
        for event in script:
            if isinstance(event, str):
                # In the middle of an event: a reader must drop the half of it.
                self.wfile.write(b"event: log\nid: half\n")
                return
            data = json.dumps(event.data)
            self.wfile.write(f"id: {event.id}\nevent: {event.kind}\ndata: {data}\n\n".encode())


@contextmanager
def serving(folder: Path) -> Iterator[FakeServer]:
    """A fake that listens, and has noted itself in the state folder `folder` as a server does."""
    fake = FakeServer()
    handler = type("Handler", (_Handler,), {"fake": fake})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    fake.url = f"http://127.0.0.1:{server.server_address[1]}"
    folder.mkdir(mode=0o700, exist_ok=True)
    (folder / "token").write_text(TOKEN)
    note = {"url": fake.url, "pid": 1, "started_at": "2026-01-01T00:00:00Z", "version": "fake"}
    (folder / "server.json").write_text(json.dumps(note))
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def error(status: int, name: str, message: str, **more: Any) -> tuple[int, Document]:
    """The one error shape."""
    body = {"code": status, "status": name, "message": message, "hint": "", "details": []}
    return status, {"error": body | more}


def _status() -> Document:
    return {
        "version": "fake",
        "started_at": "2026-01-01T00:00:00Z",
        "state_folder": "/fake",
        "environment": "local",
        "runs": {"running": 2, "dead": 0},
        "regions": [
            {"name": "us-central1", "vcpu": 8, "memory_bytes": 2**33, "running_tasks": 3},
        ],
        "abilities": {
            "cgroup": "",
            "cgroup_reason": "a fake has none",
            "memory_enforced_by": "rlimit",
            "memory_files": "/dev/shm",
            "user": "nobody",
            "google_logs_refused": {"shop-prod": "no role; give it"},
        },
        "exceptions": [],
        "loops": {
            "due": {
                "last_tick_at": "2026-01-01T00:00:05Z",
                "ticks": 5,
                "errors": 0,
                "last_error": "",
            }
        },
    }


def a_run(**changes: Any) -> Document:
    """RUN of the contract."""
    run: Document = {
        "id": "run_" + "0" * 26,
        "project": "shop",
        "environment": "local",
        "job": "report",
        "revision": 1,
        "region": "us-central1",
        "state": "queued",
        "trigger": "manual",
        "requested_by": "admin",
        "requested_at": "2026-01-01T00:00:00Z",
        "due_at": None,
        "waiting_on": "",
        "deadline_at": None,
        "started_at": None,
        "ended_at": None,
        "duration_seconds": None,
        "attempt": 0,
        "attempts_max": 1,
        "task_count": 1,
        "priority": 0,
        "reason": "",
        "stop_cause": "",
        "labels": {},
        "overrides": {},
        "handle": "",
        "outcome": None,
        "cost_nano_dollars": 0,
        "cost": "$0.00",
        "version": 1,
    }
    return run | changes


def an_outcome(**changes: Any) -> Document:
    """The outcome of a run."""
    outcome: Document = {
        "ending": "succeeded",
        "message": "all tasks succeeded",
        "reason": "",
        "task_count": 1,
        "succeeded_count": 1,
        "failed_count": 0,
        "cancelled_count": 0,
        "retried_count": 0,
        "started_at": "2026-01-01T00:00:01Z",
        "ended_at": "2026-01-01T00:00:03Z",
        "failures": [],
        "usage": {},
    }
    return outcome | changes


def an_entry(position: int, text: str, **changes: Any) -> Document:
    """A log entry."""
    entry: Document = {
        "position": position,
        "at": "2026-01-01T00:00:02Z",
        "task": 0,
        "attempt": 0,
        "stream": "stdout",
        "severity": "DEFAULT",
        "text": text,
        "fields": {},
        "run_attempt": 1,
    }
    return entry | changes


def a_job(**changes: Any) -> Document:
    """JOB of the contract."""
    job: Document = {
        "project": "shop",
        "environment": "local",
        "name": "report",
        "revision": 3,
        "labels": {"team": "data"},
        "regions": ["us-central1"],
        "placement": "primary",
        "priority": 0,
        "conditions": [],
        "blocked": "",
        "operation": "",
        "spec": {"template": {"taskCount": 12}},
        "launches_max": 36,
        "warnings": [],
        "applied_at": "2026-01-01T00:00:00Z",
        "applied_by": "admin",
    }
    return job | changes
