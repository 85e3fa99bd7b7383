"""`runyard up -d` to the first accepted run, and what server and spawner hold of memory at rest."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any
from urllib.parse import urlsplit

from benchmarks.parts.answering import JOB, SPEC
from benchmarks.parts.processes import children, resident_mib

REST_SECONDS = 1.0  #: after the last run, before memory is looked at


@dataclass(frozen=True, slots=True)
class Server:
    """What one server took."""

    cold_start_seconds: float
    idle_rss_mib: float


def measured(folder: Path) -> Server:
    """Start one, ask it for a run, look at it at rest, stop it."""
    manifest = folder / "runyard.json"
    document = {"project": SPEC.project, "jobs": {JOB: {"template": SPEC.document()["template"]}}}
    manifest.write_text(json.dumps(document))
    _runyard(folder, "up", "-d")  # the first time makes keys and schema, and compiles what is new
    _runyard(folder, "apply", str(manifest))
    _runyard(folder, "down")
    began = perf_counter()
    _runyard(folder, "up", "-d")
    asyncio.run(_accepted(folder))
    seconds = perf_counter() - began
    try:
        _runyard(folder, "run", JOB, "--wait")
        asyncio.run(asyncio.sleep(REST_SECONDS))
        pid = _said(folder)["pid"]
        family = [pid, *children(pid)]
        return Server(seconds, sum(resident_mib(each) for each in family))
    finally:
        _runyard(folder, "down")


async def _accepted(folder: Path) -> None:
    place = urlsplit(_said(folder)["url"])
    token = (folder / "token").read_text().strip()
    body = json.dumps({"job": JOB})
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    writer.write(
        f"POST /api/v1/runs HTTP/1.1\r\nHost: {place.netloc}\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
    )
    head = await reader.readuntil(b"\r\n\r\n")
    writer.close()
    assert head.startswith(b"HTTP/1.1 201"), head


def _said(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "server.json").read_bytes())
    return found


def _runyard(folder: Path, *words: str) -> None:
    environ = {"PATH": os.defpath, "RUNYARD_STATE_FOLDER": str(folder), "RUNYARD_PORT": "0"}
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-m", "runyard", *words],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"runyard {' '.join(words)}: {done.stdout}{done.stderr}"
