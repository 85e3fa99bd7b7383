"""Clients that ask for runs all the time, whatever happens to the server.

Each request has a key and is sent again with the same key until it is acknowledged, as a careful
client does. What was acknowledged is remembered: it must never be lost.
"""

from __future__ import annotations

import http.client
import json
import threading
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlsplit

from tests.chaos.work import KINDS

UNAUTHORIZED = 401


@dataclass(slots=True)
class Api:
    """The server's API, wherever it is at the moment. Raises OSError or HTTPException when it is
    away, which it often is."""

    folder: Path

    def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """The status and the answer."""
        said = json.loads((self.folder / "server.json").read_bytes())
        token = (self.folder / "token").read_text().strip()
        address = urlsplit(said["url"])
        connection = http.client.HTTPConnection(
            address.hostname or "", address.port or 0, timeout=20
        )
        try:
            content = None if body is None else json.dumps(body)
            headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
            connection.request(method, path, content, headers)
            answer = connection.getresponse()
            if answer.status == UNAUTHORIZED:
                raise ConnectionError("another folder's server has the port of one that was killed")
            return answer.status, json.loads(answer.read() or b"null")
        finally:
            connection.close()

    def pages(self, path: str, name: str) -> list[dict[str, Any]]:
        """Every row of a list."""
        rows: list[dict[str, Any]] = []
        token = ""
        while True:
            status, page = self.call("GET", f"{path}?page_size=500&page_token={token}")
            assert status == 200, page
            rows += page[name]
            token = page["next_page_token"]
            if not token:
                return rows


AWAY = (OSError, http.client.HTTPException, json.JSONDecodeError)


@dataclass(slots=True)
class Load:
    """Some clients in threads. `acknowledged`: by key, the run that the server promised."""

    api: Api
    random: Random
    clients: int = 3
    acknowledged: dict[str, str] = field(default_factory=dict)
    cancelled: set[str] = field(default_factory=set)
    refused: list[str] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def begin(self) -> None:
        """Start asking."""
        for number in range(self.clients):
            seed = self.random.random()
            thread = threading.Thread(target=self._ask_on, args=(number, Random(seed)))
            thread.start()
            self._threads.append(thread)

    def end(self) -> None:
        """Stop asking; what was begun is seen through."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _ask_on(self, number: int, random: Random) -> None:
        count = 0
        while not self._stop.is_set():
            count += 1
            key = f"client-{number}-{count}"
            self._ask(key, random.choice(list(KINDS)))
            if random.random() < 0.1:
                self._cancel(random.choice(list(self.acknowledged.values())))
            self._stop.wait(random.uniform(0.05, 0.4))

    def _ask(self, key: str, kind: str) -> None:
        body = {
            "job": kind,
            "idempotency_key": key,
            "overrides": {"env": {"RUN_KEY": key}},
        }
        while True:
            try:
                status, answer = self.api.call("POST", "/api/v1/runs", body)
            except AWAY:
                self._stop.wait(0.05)
                continue
            if status in (200, 201):
                self.acknowledged[key] = answer["runs"][0]["id"]
            elif status == 503:
                continue
            else:
                self.refused.append(f"{status}: {answer}")
            return

    def _cancel(self, run: str) -> None:
        try:
            status, _ = self.api.call("POST", f"/api/v1/runs/{run}:cancel", {"reason": "chaos"})
        except AWAY:
            return
        if status == 200:
            self.cancelled.add(run)
